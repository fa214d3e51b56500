// portable SCENARIO…: ordinary work through the C library alone, so that each library makes its own
// system calls of it. Works in the current folder and leaves nothing there. Says "SCENARIO: ok" for
// each; ends with 1 where something fails. "beyond" is what no other scenario does.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(what)                                                                   \
  do {                                                                                \
    if (!(what)) {                                                                    \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #what, strerror(errno)); \
      exit(1);                                                                        \
    }                                                                                 \
  } while (0)

static void files(void) {
  FILE* file = fopen("file", "w+e");
  CHECK(file != NULL);
  CHECK(fprintf(file, "%d lines\n", 1) > 0);
  rewind(file);
  char line[64];
  CHECK(fgets(line, sizeof line, file) != NULL && strcmp(line, "1 lines\n") == 0);
  CHECK(fclose(file) == 0);
  const int fd = open("file", O_RDWR | O_CLOEXEC);
  CHECK(fd >= 0);
  CHECK(write(fd, "abc", 3) == 3 && pread(fd, line, 3, 0) == 3 && pwrite(fd, "d", 1, 1) == 1);
  CHECK(lseek(fd, 0, SEEK_END) > 0 && ftruncate(fd, 2) == 0 && fsync(fd) == 0);
  CHECK(fcntl(fd, F_GETFL) >= 0);
  struct iovec part = {line, 2};
  CHECK(lseek(fd, 0, SEEK_SET) == 0 && readv(fd, &part, 1) == 2);
  const int copy = dup2(fd, 30);
  CHECK(copy == 30 && close(copy) == 0 && close(fd) == 0);
  CHECK(link("file", "link") == 0 && symlink("file", "symlink") == 0);
  CHECK(readlink("symlink", line, sizeof line) == 4);
  CHECK(rename("link", "renamed") == 0 && truncate("renamed", 1) == 0);
  CHECK(chmod("file", 0600) == 0 && access("file", R_OK) == 0 &&
        chown("file", getuid(), getgid()) == 0);
  const struct timespec times[2] = {{1, 0}, {2, 0}};
  CHECK(utimensat(AT_FDCWD, "file", times, 0) == 0);
  CHECK(unlink("file") == 0 && unlink("renamed") == 0 && unlink("symlink") == 0);
  CHECK(remove("nothing") == -1 && errno == ENOENT);
}

static void directories(void) {
  char path[4096];
  CHECK(getcwd(path, sizeof path) != NULL);
  CHECK(mkdir("folder", 0700) == 0 && mkdir("folder/inner", 0700) == 0);
  DIR* folder = opendir("folder");
  CHECK(folder != NULL);
  int entries = 0;
  while (readdir(folder) != NULL) {
    ++entries;
  }
  CHECK(entries == 3 && closedir(folder) == 0);
  CHECK(chdir("folder") == 0 && chdir("..") == 0);
  char resolved[4096];
  CHECK(realpath("folder/inner/..", resolved) != NULL);
  CHECK(rmdir("folder/inner") == 0 && rmdir("folder") == 0);
}

static void status(void) {
  struct stat one;
  struct statvfs system;
  CHECK(stat(".", &one) == 0 && lstat(".", &one) == 0 && fstat(0, &one) == 0);
  CHECK(fstatat(AT_FDCWD, ".", &one, AT_SYMLINK_NOFOLLOW) == 0);
  CHECK(statvfs(".", &system) == 0 && fstatvfs(0, &system) == 0);
}

static void* thread(void* argument) {
  struct timespec moment = {0, 1000000};
  nanosleep(&moment, NULL);
  return argument;
}

static void threads(void) {
  pthread_t tasks[3];
  for (int i = 0; i < 3; ++i) {
    CHECK(pthread_create(&tasks[i], NULL, thread, tasks + 3) == 0);
  }
  for (int i = 0; i < 3; ++i) {
    void* result = NULL;
    CHECK(pthread_join(tasks[i], &result) == 0 && result == tasks + 3);
  }
}

static void wait_for(pid_t child) {
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void forks(void) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    _exit(getppid() > 0 ? 7 : 1);
  }
  wait_for(child);
}

static const char* self;
extern char** environ;

static void execs(void) {
  char* const arguments[] = {(char*)self, "seven", NULL};
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    execv(self, arguments);
    _exit(1);
  }
  wait_for(child);
  pid_t spawned = 0;
  CHECK(posix_spawn(&spawned, self, NULL, NULL, arguments, environ) == 0);
  wait_for(spawned);
}

static void pipes(void) {
  int ends[2];
  CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
  struct pollfd ready = {ends[0], POLLIN, 0};
  CHECK(poll(&ready, 1, 1000) == 1);
  const struct timespec second = {1, 0};
  CHECK(ppoll(&ready, 1, &second, NULL) == 1);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  struct timeval limit = {1, 0};
  CHECK(select(ends[0] + 1, &set, NULL, NULL, &limit) == 1);
  CHECK(pselect(ends[0] + 1, &set, NULL, NULL, &second, NULL) == 1);
  char byte = 0;
  CHECK(read(ends[0], &byte, 1) == 1 && byte == 'x');
  CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void epolls(void) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int event = eventfd(1, EFD_CLOEXEC);
  CHECK(epoll >= 0 && event >= 0);
  struct epoll_event wanted = {.events = EPOLLIN, .data = {.fd = event}};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted) == 0);
  struct epoll_event got;
  CHECK(epoll_wait(epoll, &got, 1, 1000) == 1 && got.data.fd == event);
  CHECK(close(event) == 0 && close(epoll) == 0);
}

static void times(void) {
  struct timespec now;
  struct timeval today;
  CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0 && clock_getres(CLOCK_REALTIME, &now) == 0);
  CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
  CHECK(gettimeofday(&today, NULL) == 0 && time(NULL) > 0 && clock() >= 0);
  const struct timespec moment = {0, 1000};
  CHECK(nanosleep(&moment, NULL) == 0 && clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL) == 0);
  CHECK(usleep(10) == 0);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  const struct itimerspec soon = {{0, 0}, {0, 1}};
  unsigned long long expired = 0;
  CHECK(timer >= 0 && timerfd_settime(timer, 0, &soon, NULL) == 0);
  CHECK(read(timer, &expired, sizeof expired) == sizeof expired && close(timer) == 0);
}

static volatile sig_atomic_t caught;

static void note(int number) {
  caught += number == SIGUSR1 || number == SIGALRM;
}

static void signals(void) {
  struct sigaction action = {.sa_handler = note};
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
  CHECK(raise(SIGUSR1) == 0 && kill(getpid(), SIGUSR1) == 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  CHECK(pthread_kill(pthread_self(), SIGUSR2) == 0 && sigpending(&set) == 0);
  int number = 0;
  CHECK(sigwait(&set, &number) == 0 && number == SIGUSR2);
  const struct itimerval soon = {{0, 0}, {0, 1000}};
  CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
  while (caught < 3) {
    usleep(1000);
  }
}

static void memory(void) {
  char* large = malloc(1 << 20);
  CHECK(large != NULL);
  memset(large, 1, 1 << 20);
  large = realloc(large, 1 << 22);
  CHECK(large != NULL);
  free(large);
  void* map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(map != MAP_FAILED && mprotect(map, 4096, PROT_READ) == 0 &&
        madvise(map, 8192, MADV_NORMAL) == 0);
  CHECK(munmap(map, 8192) == 0);
}

static void identity(void) {
  struct utsname name;
  struct rlimit limit;
  CHECK(uname(&name) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(getuid() == geteuid() && getgid() == getegid() && getpgrp() >= 0 && getsid(0) >= 0);
  CHECK(umask(022) >= 0 && sysconf(_SC_NPROCESSORS_ONLN) > 0 && sysconf(_SC_PAGESIZE) > 0);
  CHECK(gethostname(name.nodename, sizeof name.nodename) == 0);
}

static void talk(int server, const struct sockaddr* address, socklen_t size) {
  CHECK(bind(server, address, size) == 0 && listen(server, 1) == 0);
  struct sockaddr_storage actual;
  socklen_t length = sizeof actual;
  CHECK(getsockname(server, (struct sockaddr*)&actual, &length) == 0);
  const int client = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(client >= 0 && connect(client, (struct sockaddr*)&actual, length) == 0);
  const int accepted = accept(server, NULL, NULL);
  CHECK(accepted >= 0 && send(client, "hello", 5, MSG_NOSIGNAL) == 5);
  char text[8];
  CHECK(recv(accepted, text, sizeof text, 0) == 5);
  struct iovec part = {text, 5};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  CHECK(sendmsg(accepted, &message, 0) == 5 && recvmsg(client, &message, 0) == 5);
  CHECK(shutdown(client, SHUT_WR) == 0 && close(accepted) == 0 && close(client) == 0 &&
        close(server) == 0);
}

static void sockets(void) {
  struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  CHECK(server >= 0 && setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
  int got = 0;
  socklen_t size = sizeof got;
  CHECK(getsockopt(server, SOL_SOCKET, SO_REUSEADDR, &got, &size) == 0 && got == 1);
  talk(server, (struct sockaddr*)&loopback, sizeof loopback);
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 && close(pair[0]) == 0 &&
        close(pair[1]) == 0);
}

static void beyond(void) {
  CHECK(chroot("/") == 0);
}

static const struct {
  const char* name;
  void (*run)(void);
} scenarios[] = {{"files", files},     {"directories", directories},
                 {"status", status},   {"threads", threads},
                 {"forks", forks},     {"execs", execs},
                 {"pipes", pipes},     {"epolls", epolls},
                 {"times", times},     {"signals", signals},
                 {"memory", memory},   {"identity", identity},
                 {"sockets", sockets}, {"beyond", beyond}};

int main(int argc, char** argv) {
  self = argv[0];
  if (argc == 2 && strcmp(argv[1], "seven") == 0) {
    return 7;
  }
  for (int i = 1; i < argc; ++i) {
    int found = 0;
    for (size_t j = 0; j < sizeof scenarios / sizeof *scenarios; ++j) {
      if (strcmp(argv[i], scenarios[j].name) == 0) {
        scenarios[j].run();
        printf("%s: ok\n", argv[i]);
        found = 1;
      }
    }
    CHECK(found);
  }
  return 0;
}
