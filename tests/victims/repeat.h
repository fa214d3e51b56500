#pragma once

/* For victims that make calls so often that the fast tier gives them stubs. */

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
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

enum { kMostRanges = 64 };

static struct {
  uintptr_t begin;
  uintptr_t end;
} g_code[kMostRanges];

static int g_ranges;

// Takes down where there is code of files, and the kernel's: no other is the program's.
static inline void find_code(void) {
  FILE* const maps = fopen("/proc/self/maps", "r");
  char line[4096 + 100];
  g_ranges = 0;
  while (maps != NULL && g_ranges < kMostRanges && fgets(line, sizeof line, maps) != NULL) {
    char rights[5] = "";
    if (sscanf(line, "%lx-%lx %4s", &g_code[g_ranges].begin, &g_code[g_ranges].end, rights) == 3 &&
        rights[2] == 'x' && (strchr(line, '/') != NULL || strstr(line, "[v") != NULL))
      ++g_ranges;
  }
  if (maps != NULL)
    (void)fclose(maps);
}

static inline int is_code(uintptr_t pc) {
  for (int i = 0; i < g_ranges; ++i)
    if (pc >= g_code[i].begin && pc < g_code[i].end)
      return 1;
  return 0;
}

static volatile long g_handled;
static volatile int g_strange;

// No place that a signal interrupts is one that the program does not have.
static inline void look(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)info;
  ++g_handled;
#if defined(__x86_64__)
  const ucontext_t* const at = context;
  g_strange |= !is_code((uintptr_t)at->uc_mcontext.gregs[REG_RIP]);
#else
  (void)context;
#endif
}

static void handle(int signal, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = flags | SA_SIGINFO;
  sigaction(signal, &action, NULL);
}

// Calls `act` again and again until a signal has come in the midst of it, many times over. True:
// that said once that something went wrong.
static inline int storm_of(int (*act)(void)) {
  int wrong = 0;
  handle(SIGALRM, look, SA_RESTART);
  for (int round = 0; round < 1500 && !wrong; ++round) {
    const struct itimerval soon = {{0, 0}, {0, 20 + round % 60}};
    const long before = g_handled;
    (void)setitimer(ITIMER_REAL, &soon, NULL);
    while (g_handled == before && !wrong)
      wrong |= act();
  }
  return wrong;
}

static int make(const char* name) {
  const int fd = open(name, O_CREAT | O_RDWR, 0600);
  (void)!write(fd, "text", 4);
  (void)close(fd);
  return open(name, O_RDONLY);
}
