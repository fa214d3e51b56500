// tasks SCENARIO: makes other tasks in one way. Every task that it makes looks for a file that is
// not there, /cordon-victim/NAME, and so proves that it was followed: the test expects each of
// these names in the recording, failed with ENOENT.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void mark(const char* name) {
  char path[64];
  snprintf(path, sizeof path, "/cordon-victim/%s", name);
  (void)access(path, F_OK);
}

static int await(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, __WALL) != child)
    return 90;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int by_fork(void) {
  pid_t child = fork();
  if (child == 0) {
    mark("fork-child");
    _exit(7);
  }
  return await(child) == 7 ? 0 : 1;
}

static int by_vfork(void) {
  pid_t child = vfork();
  if (child == 0) {
    mark("vfork-child");
    _exit(7);
  }
  mark("vfork-parent");
  return await(child) == 7 ? 0 : 1;
}

// The parent waits, where no signal but SIGKILL wakes it, for its child, which makes one file and
// ends when there is another.
static int vfork_gate(const char* ready, const char* go) {
  pid_t child = vfork();
  if (child == 0) {
    close(open(ready, O_CREAT | O_WRONLY, 0600));
    while (access(go, F_OK) != 0)
      usleep(10000);
    _exit(7);
  }
  return await(child);
}

static int by_clone(unsigned long flags, const char* name) {
  long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    mark(name);
    _exit(7);
  }
  return await((pid_t)child) == 7 ? 0 : 1;
}

// clone(2) with the register that held the flags as it is afterwards, in both tasks.
static int by_clone_untraced(void) {
#if defined(__x86_64__)
  const unsigned long flags = CLONE_UNTRACED | SIGCHLD;
  unsigned long after = flags;
  register long tls __asm__("r8") = 0;
  register long child_id __asm__("r10") = 0;
  long child = SYS_clone;
  __asm__ volatile("syscall"
                   : "+a"(child), "+D"(after)
                   : "S"(0L), "d"(0L), "r"(child_id), "r"(tls)
                   : "rcx", "r11", "memory");
  if (child == 0) {
    mark("untraced-child");
    _exit(after == flags ? 7 : 8);
  }
  if (after != flags)
    return 94;
  return await((pid_t)child) == 7 ? 0 : 1;
#else
  return by_clone(CLONE_UNTRACED, "untraced-child");
#endif
}

static int by_clone3(uint64_t flags, const char* name) {
  struct clone_args args;
  memset(&args, 0, sizeof args);
  args.flags = flags;
  args.exit_signal = SIGCHLD;
  long child = syscall(SYS_clone3, &args, sizeof args);
  if (child < 0 && errno == ENOSYS)
    return 77;
  if (child == 0) {
    mark(name);
    _exit(7);
  }
  if (args.flags != flags)
    return 91;  // what the program wrote must still be there
  return await((pid_t)child) == 7 ? 0 : 1;
}

static void* thread_main(void* number) {
  char name[32];
  snprintf(name, sizeof name, "thread-%d", (int)(intptr_t)number);
  mark(name);
  return NULL;
}

static int threads(void) {
  pthread_t ids[8];
  // Joining calls futex only where the thread has not ended yet; so it is called in any case.
  static int word;
  (void)syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
  for (int i = 0; i < 8; ++i) {
    if (pthread_create(&ids[i], NULL, thread_main, (void*)(intptr_t)i) != 0)
      return 1;
  }
  for (int i = 0; i < 8; ++i)
    pthread_join(ids[i], NULL);
  return 0;
}

static const char* g_self;

static void* exec_main(void* unused) {
  (void)unused;
  execl(g_self, g_self, "marked", (char*)NULL);
  _exit(92);
}

static int exec_from_thread(void) {
  pthread_t other, id;
  pthread_create(&other, NULL, (void* (*)(void*))pause, NULL);
  pthread_create(&id, NULL, exec_main, NULL);
  for (;;)
    pause();
  return 93;
}

static int daemonise(void) {
  int gate[2];
  if (pipe(gate) != 0)
    return 1;
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      char byte;
      close(gate[1]);
      (void)!read(gate[0], &byte, 1);  // until the first process has gone
      mark("daemon");
      _exit(0);
    }
    _exit(0);
  }
  return 5;
}

static int many_children(void) {
  for (int i = 0; i < 2000; ++i) {
    pid_t child = fork();
    if (child < 0)
      return 1;
    if (child == 0)
      _exit(i & 0x3f);
    if (await(child) != (i & 0x3f))
      return 2;
  }
  mark("many-children");
  return 0;
}

// The child's parent is this task's parent, who waits for both.
static int clone_parent(void) {
  pid_t maker = fork();
  if (maker == 0) {
    long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
      mark("sibling");
      _exit(9);
    }
    _exit(child > 0 ? 8 : 1);
  }
  int sum = 0, status = 0;
  for (int i = 0; i < 2; ++i) {
    if (wait(&status) < 0 || !WIFEXITED(status))
      return 1;
    sum += WEXITSTATUS(status);
  }
  return sum == 17 ? 0 : 2;
}

static int g_shared;

static int shared_main(void* unused) {
  (void)unused;
  mark("shared-memory-child");
  g_shared = 5;
  return 7;
}

// Its own process, but the same memory.
static int clone_vm(void) {
  static char stack[65536];
  pid_t child = clone(shared_main, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
  return child > 0 && await(child) == 7 && g_shared == 5 ? 0 : 1;
}

static int new_pid_namespace(void) {
  long child = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (child < 0)
    return errno == EPERM ? 77 : 1;
  if (child == 0) {
    if (getpid() != 1)
      _exit(1);
    mark("first-of-namespace");
    pid_t second = fork();
    if (second == 0) {
      mark(getpid() == 2 ? "second-of-namespace" : "wrong-number");
      (void)access("/proc/self/comm", F_OK);
      _exit(3);
    }
    _exit(await(second) == 3 ? 7 : 2);
  }
  return await((pid_t)child) == 7 ? 0 : 2;
}

static void* wait_for_all(void* barrier) {
  pthread_barrier_wait(barrier);
  return NULL;
}

// All alive at once.
static int thousand_threads(void) {
  enum { kThreads = 1000 };

  static pthread_t ids[kThreads];
  pthread_attr_t small;
  pthread_barrier_t barrier;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  pthread_barrier_init(&barrier, NULL, kThreads + 1);
  for (int i = 0; i < kThreads; ++i) {
    if (pthread_create(&ids[i], &small, wait_for_all, &barrier) != 0)
      return errno == EAGAIN ? 77 : 1;
  }
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < kThreads; ++i)
    pthread_join(ids[i], NULL);
  mark("thousand-threads");
  return 0;
}

static int short_children(void) {
  for (int i = 0; i < 20000; ++i) {
    pid_t child = vfork();
    if (child == 0)
      _exit(i & 0x3f);
    if (child < 0 || await(child) != (i & 0x3f))
      return 1;
  }
  mark("short-children");
  return 0;
}

// A job of two processes in a group of its own is stopped as a whole, and goes on as a whole.
static int stopped_job(void) {
  int status = 0;
  pid_t leader = fork();
  if (leader == 0) {
    setpgid(0, 0);
    pid_t second = fork();
    if (second == 0) {
      raise(SIGTSTP);
      mark("second-continued");
      _exit(4);
    }
    if (waitpid(second, &status, WUNTRACED) != second || !WIFSTOPPED(status) ||
        WSTOPSIG(status) != SIGTSTP)
      _exit(1);
    raise(SIGTSTP);
    _exit(await(second));
  }
  if (waitpid(leader, &status, WUNTRACED) != leader || !WIFSTOPPED(status) ||
      WSTOPSIG(status) != SIGTSTP)
    return 1;
  mark("job-stopped");
  kill(-leader, SIGCONT);
  if (waitpid(leader, &status, WCONTINUED) != leader)
    return 2;
  // On a busy machine it has ended by now, which is all that is told then.
  if (WIFEXITED(status))
    return WEXITSTATUS(status) == 4 ? 0 : 3;
  return WIFCONTINUED(status) && await(leader) == 4 ? 0 : 4;
}

// The state letter of /proc/PID/stat; 0: it could not be read.
static char state_of(pid_t process) {
  char text[256] = "";
  snprintf(text, sizeof text, "/proc/%d/stat", process);
  const int fd = open(text, O_RDONLY);
  const ssize_t size = read(fd, text, sizeof text - 1);
  (void)close(fd);
  const char* const after_name = size > 0 ? strrchr(text, ')') : NULL;
  return after_name != NULL ? after_name[2] : 0;
}

static int killed_in_call(void) {
  int gate[2];
  if (pipe(gate) != 0)
    return 1;
  pid_t child = fork();
  if (child == 0) {
    char byte;
    mark("before-kill");
    (void)!read(gate[0], &byte, 1);  // never returns
    _exit(0);
  }
  do {
    usleep(1000);
  } while (state_of(child) != 'S');  // asleep in the call: before it does nothing that waits
  kill(child, SIGKILL);
  return await(child) == 128 + SIGKILL ? 0 : 1;
}

int main(int argc, char** argv) {
  const char* scenario = argc > 1 ? argv[1] : "";
  g_self = argv[0];
  if (!strcmp(scenario, "fork"))
    return by_fork();
  if (!strcmp(scenario, "vfork"))
    return by_vfork();
  if (!strcmp(scenario, "clone"))
    return by_clone(0, "clone-child");
  if (!strcmp(scenario, "vfork_gate") && argc == 4)
    return vfork_gate(argv[2], argv[3]);
  if (!strcmp(scenario, "clone_untraced"))
    return by_clone_untraced();
  if (!strcmp(scenario, "clone3"))
    return by_clone3(0, "clone3-child");
  if (!strcmp(scenario, "clone3_untraced"))
    return by_clone3(CLONE_UNTRACED, "untraced-child");
  if (!strcmp(scenario, "threads"))
    return threads();
  if (!strcmp(scenario, "exec_from_thread"))
    return exec_from_thread();
  if (!strcmp(scenario, "daemonise"))
    return daemonise();
  if (!strcmp(scenario, "many_children"))
    return many_children();
  if (!strcmp(scenario, "killed_in_call"))
    return killed_in_call();
  if (!strcmp(scenario, "clone_parent"))
    return clone_parent();
  if (!strcmp(scenario, "clone_vm"))
    return clone_vm();
  if (!strcmp(scenario, "new_pid_namespace"))
    return new_pid_namespace();
  if (!strcmp(scenario, "thousand_threads"))
    return thousand_threads();
  if (!strcmp(scenario, "short_children"))
    return short_children();
  if (!strcmp(scenario, "stopped_job"))
    return stopped_job();
  if (!strcmp(scenario, "marked")) {
    mark("executed");
    return 3;
  }
  return 99;
}
