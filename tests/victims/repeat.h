#pragma once

/* For victims that make calls so often that the fast tier gives them stubs. */

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { kOften = 300 };

static int g_zero = -1;

// Stubs for getppid, read, lseek, fstat.
static void warm(void) {
  char byte;
  for (int i = 0; i < kOften; ++i) {
    (void)getppid();
    (void)!read(g_zero, &byte, 1);
    (void)lseek(g_zero, 0, SEEK_SET);
  }
}

static int make(const char* name) {
  const int fd = open(name, O_CREAT | O_RDWR, 0600);
  (void)!write(fd, "text", 4);
  (void)close(fd);
  return open(name, O_RDONLY);
}

static void handle(int signal, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = flags | SA_SIGINFO;
  sigaction(signal, &action, NULL);
}
