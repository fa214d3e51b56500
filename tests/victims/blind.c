// blind SCENARIO: does something that a tracer cannot see all of. Exits 0 when the calls came out
// as they would without one, 77 when the kernel lacks what is needed.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int install(unsigned action, unsigned flags) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgrp, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {sizeof program / sizeof *program, program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

/* 0: a ring was set up; 38: there is no such call. */
static int ring(void) {
  struct io_uring_params parameters;
  memset(&parameters, 0, sizeof parameters);
  long fd = syscall(SYS_io_uring_setup, 4, &parameters);
  if (fd >= 0)
    return 0;
  return errno == ENOSYS ? 38 : 77;
}

/* A child that wants to be traced by its parent, which is refused while another traces it. */
static int trace(void) {
  pid_t child = fork();
  if (child == 0)
    _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 1 : errno == EPERM ? 0 : 2);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

/* A SECCOMP_RET_TRACE of its own: without a tracer that asked for it the call is ENOSYS, for the
   one that installed it and for its children. */
static int own_trace(void) {
  if (install(SECCOMP_RET_TRACE | 7, 0) != 0)
    return 77;
  if (syscall(SYS_getpgrp) != -1 || errno != ENOSYS)
    return 1;
  pid_t child = fork();
  if (child == 0)
    _exit(syscall(SYS_getpgrp) == -1 && errno == ENOSYS ? 0 : 2);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

/* Answers a call of a child itself, by user notification. */
static int notification(void) {
  int gate[2];
  if (pipe(gate) != 0)
    return 1;
  int listener = install(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  if (listener < 0)
    return 77;
  pid_t child = fork();
  if (child == 0)
    _exit(syscall(SYS_getpgrp) == -1 && errno == EXDEV ? 0 : 2);
  struct seccomp_notif request;
  memset(&request, 0, sizeof request);
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
    return 3;
  struct seccomp_notif_resp response;
  memset(&response, 0, sizeof response);
  response.id = request.id;
  response.error = -EXDEV;
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) != 0)
    return 4;
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 5;
}

/* By the older way: prctl(2). */
static int by_prctl(void) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgrp, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {sizeof program / sizeof *program, program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
    return 77;
  pid_t child = fork();
  if (child == 0)
    _exit(syscall(SYS_getpgrp) == -1 && errno == EACCES ? 0 : 2);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

/* A struct in memory that the kernel can read and another process cannot: the vvar page holds
   kernel data and unused zeroes; struct open_how of zeroes is O_RDONLY. */
static int unreadable(void) {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[512];
  const char* begin = NULL;
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    unsigned long from;
    if (strstr(line, "[vvar]") != NULL && sscanf(line, "%lx-", &from) == 1)
      begin = (const char*)from;
  }
  if (begin == NULL)
    return 77;
  static const char zeroes[sizeof(struct open_how)];
  for (size_t at = 0; at + sizeof zeroes <= 4096; at += 8) {
    if (memcmp(begin + at, zeroes, sizeof zeroes) == 0)
      return syscall(SYS_openat2, AT_FDCWD, "/etc", begin + at, sizeof zeroes) >= 0 ? 0 : 77;
  }
  return 77;
}

/* More addresses than a recording keeps. */
static int addresses(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  for (int port = 1; port <= 300; ++port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr*)&to, sizeof to) != 0)
      return 1;
  }
  return 0;
}

/* Runs the rest of the command line under a filter that refuses getpgrp. */
static int under_filter(char** command) {
  if (install(SECCOMP_RET_ERRNO | EACCES, 0) != 0)
    return 77;
  execvp(command[0], command);
  return 98;
}

static int call(void) {
  return syscall(SYS_getpgrp) == -1 && errno == EACCES ? 0 : 1;
}

int main(int argc, char** argv) {
  const char* scenario = argc > 1 ? argv[1] : "";
  if (!strcmp(scenario, "ring"))
    return ring();
  if (!strcmp(scenario, "trace"))
    return trace();
  if (!strcmp(scenario, "own_trace"))
    return own_trace();
  if (!strcmp(scenario, "notification"))
    return notification();
  if (!strcmp(scenario, "by_prctl"))
    return by_prctl();
  if (!strcmp(scenario, "unreadable"))
    return unreadable();
  if (!strcmp(scenario, "addresses"))
    return addresses();
  if (!strcmp(scenario, "under_filter") && argc > 2)
    return under_filter(argv + 2);
  if (!strcmp(scenario, "call"))
    return call();
  return 99;
}
