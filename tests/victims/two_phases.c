// two_phases HOW learn|probe [EXTRA…]: a server with a start and a serving phase. In the start it
// makes a socket, executes a program and asks for its process group, and makes a thread, a child
// and a grandchild, which wait. Then it marks the boundary: HOW is "listen", "fd", "socket" (as
// phases.c has them) or "signal" (waits for a line on standard input, while somebody signals
// cordon). After it "learn" only asks for its parent; "probe" makes the calls of the start again,
// in the main thread, in those that were made before, and in a thread and a child that are made
// now: each says "WHO CALL RESULT" in a line. EXTRA "again" marks the boundary once more before
// that; "executes" executes a program first thing after it, in learn, too; "stay" waits for the end
// of standard input at the end.
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int g_probe;
static int g_listener;
static int g_begin[2];  // closed at the boundary: whoever waits reads its end

static void say(const char* who, const char* call, long result) {
  char line[128];
  const int length = snprintf(line, sizeof line, "%s %s %s\n", who, call,
                              result >= 0 ? "ok" : strerrorname_np(errno));
  if (write(STDOUT_FILENO, line, (size_t)length) != length)
    _exit(96);
}

// In a child, so that it can be had twice. The status is the errno.
static long execute(void) {
  int status = 0;
  const pid_t child = fork();
  if (child == 0) {
    char* const arguments[] = {"/bin/true", NULL};
    syscall(SYS_execve, arguments[0], arguments, NULL);
    _exit(errno);
  }
  if (child < 0)
    return -1;
  waitpid(child, &status, 0);
  errno = WEXITSTATUS(status);
  return errno == 0 ? 0 : -1;
}

static void start_calls(const char* who) {
  const int fd = (int)syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
  say(who, "socket", fd);
  if (fd >= 0)
    close(fd);
  say(who, "getpgrp", syscall(SYS_getpgrp));
  say(who, "execve", execute());
}

static void serve_calls(const char* who) {
  say(who, "getppid", syscall(SYS_getppid));
  if (g_probe)
    start_calls(who);
}

static void wait_for_boundary(void) {
  char byte;
  while (read(g_begin[0], &byte, 1) < 0 && errno == EINTR) {
  }
}

static void* early_thread(void* ignored) {
  wait_for_boundary();
  serve_calls("early-thread");
  return ignored;
}

static void* late_thread(void* ignored) {
  serve_calls("late-thread");
  return ignored;
}

static pid_t child_of(const char* who, const char* grandchild) {
  const pid_t child = fork();
  if (child != 0)
    return child;
  close(g_begin[1]);
  pid_t inner = -1;
  if (grandchild != NULL)
    inner = child_of(grandchild, NULL);
  wait_for_boundary();
  serve_calls(who);
  if (inner > 0)
    waitpid(inner, NULL, 0);
  _exit(0);
}

static int announce(const char* how) {
  if (!strcmp(how, "listen"))
    return listen(g_listener, 1);
  if (!strcmp(how, "fd")) {
    const char* number = getenv("NOTIFY_FD");
    return number != NULL && write(atoi(number), "\n", 1) == 1 ? 0 : -1;
  }
  if (!strcmp(how, "socket")) {
    static int fd = -1;
    const char* name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (name == NULL || name[0] != '@' || strlen(name) >= sizeof address.sun_path)
      return -1;
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    if (fd < 0)
      fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    return (int)sendto(fd, "READY=1", 7, 0, (struct sockaddr*)&address,
                       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
  }
  if (!strcmp(how, "signal")) {
    char line[16];
    say("main", "waits", 0);
    return read(STDIN_FILENO, line, sizeof line) > 0 ? 0 : -1;
  }
  return -1;
}

int main(int argc, char** argv) {
  if (argc < 3 || pipe(g_begin) != 0)
    return 98;
  const char* const how = argv[1];
  g_probe = !strcmp(argv[2], "probe");
  g_listener = socket(AF_INET, SOCK_STREAM, 0);
  start_calls("start");
  pthread_t early;
  pthread_t late;
  if (pthread_create(&early, NULL, early_thread, NULL) != 0)
    return 97;
  const pid_t before = child_of("early-child", "early-grandchild");
  if (announce(how) < 0) {
    perror("announce");
    return 2;
  }
  if (argc > 3 && !strcmp(argv[3], "again")) {
    (void)!announce(how);
    (void)!listen(g_listener, 1);
  }
  if (argc > 3 && !strcmp(argv[3], "executes"))
    say("main", "executes", execute());
  close(g_begin[1]);
  serve_calls("main");
  pthread_join(early, NULL);
  if (pthread_create(&late, NULL, late_thread, NULL) != 0)
    return 97;
  pthread_join(late, NULL);
  // One after the other, so that lines of different processes do not mix.
  waitpid(before, NULL, 0);
  const pid_t after = child_of("late-child", NULL);
  waitpid(after, NULL, 0);
  if (argc > 3 && !strcmp(argv[3], "stay")) {
    char byte;
    say("main", "stays", 0);
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
  }
  return 0;
}
