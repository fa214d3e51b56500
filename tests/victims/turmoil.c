// turmoil SECONDS [DEPTH]: for that long, makes and ends tasks in every way at once: fork, vfork
// and execve, threads, execve from a thread that is not the leader, processes that share memory.
// Built to be killed in the midst of it; ends by itself when it is not.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kMaxDepth = 3, kFanOut = 3 };

static const char* g_self;
static char g_until[32];
static int g_depth;

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int over(void) {
  return now() >= atol(g_until);
}

static void become_leaf(void) {
  execl(g_self, g_self, "0", "leaf", (char*)NULL);
  _exit(1);
}

static void* touch_files(void* unused) {
  (void)unused;
  for (int i = 0; i < 20; ++i) {
    int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    char byte;
    (void)!read(fd, &byte, 1);
    close(fd);
    close(socket(AF_UNIX, SOCK_STREAM, 0));
    (void)access("/cordon-victim/turmoil", F_OK);
  }
  return NULL;
}

static void threads(void) {
  pthread_t ids[4];
  int made = 0;
  while (made < 4 && pthread_create(&ids[made], NULL, touch_files, NULL) == 0)
    ++made;
  while (made > 0)
    pthread_join(ids[--made], NULL);
}

static void* become_again(void* unused) {
  (void)unused;
  char depth[8];
  snprintf(depth, sizeof depth, "%d", g_depth);
  execl(g_self, g_self, g_until, depth, (char*)NULL);
  _exit(1);
}

static int spin(void* unused) {
  touch_files(unused);
  return 0;
}

static void shared_memory(void) {
  static char stack[65536];
  pid_t child = clone(spin, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
  if (child > 0)
    waitpid(child, NULL, 0);
}

static void by_vfork(void) {
  pid_t child = vfork();
  if (child == 0)
    become_leaf();
  if (child > 0)
    waitpid(child, NULL, 0);
}

static void go_on(void);

static void by_fork(void) {
  if (g_depth >= kMaxDepth)
    return touch_files(NULL), (void)0;
  for (int i = 0; i < kFanOut; ++i) {
    if (fork() == 0) {
      ++g_depth;
      srand((unsigned)getpid());
      go_on();
      _exit(0);
    }
  }
  // Those that are still there at the end are somebody else's children then.
  for (int i = 0; i < 200 && !over() && waitpid(-1, NULL, WNOHANG) >= 0; ++i)
    usleep(1000);
}

static void await_byte(void) {
  int ends[2];
  char byte;
  if (pipe(ends) != 0)
    return;
  if (fork() == 0) {
    (void)!write(ends[1], "x", 1);
    _exit(0);
  }
  close(ends[1]);
  (void)!read(ends[0], &byte, 1);
  close(ends[0]);
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

static void go_on(void) {
  while (!over()) {
    switch (rand() % 8) {
      case 0:
        by_fork();
        break;
      case 1:
        by_vfork();
        break;
      case 2:
        threads();
        break;
      case 3: {
        pthread_t id;
        if (rand() % 4 == 0 && pthread_create(&id, NULL, become_again, NULL) == 0)
          pthread_join(id, NULL);
        break;
      }
      case 4:
        shared_memory();
        break;
      case 5:
        await_byte();
        break;
      case 6:
        usleep(1000);
        break;
      default:
        touch_files(NULL);
    }
  }
}

int main(int argc, char** argv) {
  g_self = argv[0];
  if (argc > 2 && argv[2][0] == 'l')
    return 0;
  g_depth = argc > 2 ? atoi(argv[2]) : 0;
  // What executes itself again is given the end as a time.
  snprintf(g_until, sizeof g_until, "%ld",
           argc > 2 ? atol(argv[1]) : now() + 1000 * (argc > 1 ? atol(argv[1]) : 1));
  // Several from the start, so that killing one is not the end of all.
  for (int i = 0; argc <= 2 && i < 6 && fork() != 0; ++i) {
  }
  srand((unsigned)getpid());
  go_on();
  return 0;
}
