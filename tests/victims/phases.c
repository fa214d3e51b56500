// phases HOW DIR: opens and uses files before and after the boundary between start and serving,
// which it marks itself: HOW is "listen", "fd" (writes to NOTIFY_FD), "socket" (READY=1 to
// NOTIFY_SOCKET), "signal" (SIGUSR1 to its parent) or "never". Before it getpgrp and DIR/before
// are used, after it getsid and DIR/after, both times getppid and DIR/both, through the same
// descriptor as well.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int g_kept;

static int use(const char* path) {
  struct stat status;
  int fd = open(path, O_RDONLY);
  return fd < 0 || fstat(fd, &status) != 0 || close(fd) != 0;
}

static int both(void) {
  char byte;
  int waiting;
  (void)syscall(SYS_getppid);
  (void)!access("/cordon-victim/both", F_OK);
  if (pread(g_kept, &byte, 1, 0) < 0 || ioctl(g_kept, FIONREAD, &waiting) != 0)
    return 1;
  if (geteuid() == 0) {
    char name[65] = "";
    if (getdomainname(name, sizeof name) != 0 || setdomainname(name, strlen(name)) != 0)
      return 2;
  }
  return use("both");
}

static int announce(const char* how) {
  if (!strcmp(how, "listen")) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return listen(fd, 1);
  }
  if (!strcmp(how, "fd")) {
    const char* number = getenv("NOTIFY_FD");
    return number != NULL && write(atoi(number), "\n", 1) == 1 ? 0 : 1;
  }
  if (!strcmp(how, "socket")) {
    const char* name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (name == NULL || name[0] != '@' || strlen(name) >= sizeof address.sun_path)
      return 1;
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    const char* text = "STATUS=up\nREADY=1";
    return sendto(fd, text, strlen(text), 0, (struct sockaddr*)&address,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))) < 0;
  }
  if (!strcmp(how, "signal"))
    return kill(getppid(), SIGUSR1);
  return strcmp(how, "never");
}

int main(int argc, char** argv) {
  if (argc < 3 || chdir(argv[2]) != 0)
    return 98;
  const char* const names[] = {"before", "both", "after"};
  for (int i = 0; i < 3; ++i)
    if (close(open(names[i], O_CREAT | O_WRONLY, 0600)) != 0)
      return 97;
  // What made the files is of the first phase; from here on they are only read.
  g_kept = open("both", O_RDONLY);
  (void)syscall(SYS_getpgrp);
  if (use("before") != 0 || both() != 0)
    return 1;
  if (announce(argv[1]) != 0)
    return 2;
  (void)syscall(SYS_getsid, 0);
  (void)!access("/cordon-victim/after", F_OK);
  return both() != 0 || use("after") != 0 ? 3 : 0;
}
