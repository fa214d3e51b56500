// stubs SCENARIO FOLDER: makes calls so often that the fast tier gives them stubs, and then
// something that must be seen all the same. Exits 0 only if everything went as it does without a
// tracer.
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "repeat.h"

// Other arguments of a call that has a stub.
static int arguments(void) {
  warm();
  void* page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < kOften; ++i)
    (void)mprotect(page, 4096, PROT_READ | (i % 2 ? PROT_WRITE : 0));
  const int ends = socket(AF_INET, SOCK_STREAM, 0);
  int one = 1;
  for (int i = 0; i < kOften; ++i) {
    (void)setsockopt(ends, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    (void)fcntl(ends, F_GETFL);
  }
  return mprotect(page, 4096, PROT_NONE) == 0 &&
                 setsockopt(ends, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one) == 0 &&
                 fcntl(ends, F_SETFD, FD_CLOEXEC) == 0
             ? 0
             : 1;
}

// The same number, another file: closed and opened, duplicated over, taken by another thread.
static int descriptors(void) {
  warm();
  char byte;
  const int reused = make("first");
  for (int i = 0; i < kOften; ++i)
    (void)!pread(reused, &byte, 1, 0);
  struct stat status;
  (void)close(reused);
  const int again = open("second", O_CREAT | O_RDONLY, 0600);
  if (again != reused || pread(again, &byte, 1, 0) != 0 || fstat(again, &status) != 0)
    return 1;
  const int third = make("third");
  if (dup2(third, again) != again || pread(again, &byte, 1, 0) != 1 || fstat(again, &status) != 0)
    return 2;
  (void)syscall(SYS_close_range, (unsigned)third, ~0U, 0);
  const int last = make("last");
  return pread(last, &byte, 1, 0) == 1 && fstat(last, &status) == 0 && flock(last, 1) == 0 ? 0 : 3;
}

// A child of vfork(2) has its own descriptors in its parent's memory.
static int borrowed(void) {
  warm();
  char byte;
  const int mine = make("mine");
  const int other = make("other");
  for (int i = 0; i < kOften; ++i)
    (void)!pread(mine, &byte, 1, 0);
  const pid_t child = vfork();
  if (child == 0) {
    (void)dup2(other, mine);
    _exit(pread(mine, &byte, 1, 0) == 1 && access("/cordon-victim/borrowed", F_OK) != 0 ? 0 : 1);
  }
  int status = 0;
  (void)waitpid(child, &status, 0);
  struct stat stat;
  return WEXITSTATUS(status) == 0 && pread(mine, &byte, 1, 0) == 1 && fstat(mine, &stat) == 0 ? 0
                                                                                              : 1;
}

// A forked child's descriptor has got another name meanwhile.
static int forked(void) {
  warm();
  char byte;
  const int fd = make("before");
  for (int i = 0; i < kOften; ++i)
    (void)!pread(fd, &byte, 1, 0);
  (void)rename("before", "after");
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < kOften; ++i)
      (void)getppid();
    _exit(pread(fd, &byte, 1, 0) == 1 && getsid(0) >= 0 ? 0 : 1);  // 0: begun outside of here
  }
  int status = 0;
  (void)waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

// A program that is executed begins anew.
static int executed(void) {
  warm();
  const pid_t child = fork();
  if (child == 0) {
    warm();
    (void)execl("/proc/self/exe", "stubs", "again", ".", (char*)NULL);
    _exit(9);
  }
  int status = 0;
  (void)waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

static int again(void) {
  warm();
  return access("/cordon-victim/again", F_OK) != 0 ? 0 : 1;
}

static volatile int g_stop;

static pid_t g_parent;

static int call_all(void) {
  char byte = 1;
  return getppid() != g_parent || read(g_zero, &byte, 1) != 1 || byte != 0 ||
         lseek(g_zero, 0, SEEK_SET) != 0;
}

// Signals all the time, in the middle of everything.
static int storm(void) {
  find_code();
  warm();
  g_parent = getppid();
  return storm_of(call_all) ? 1 : g_strange ? 2 : 0;
}

static int g_pipe[2];

static void put(int signal, siginfo_t* info, void* context) {
  look(signal, info, context);
  (void)!write(g_pipe[1], "x", 1);
}

static void alarm_soon(void) {
  const struct itimerval soon = {{0, 0}, {0, 30000}};
  setitimer(ITIMER_REAL, &soon, NULL);
}

// A call that a stub makes goes on after a signal, or does not, as the program asked for.
static int interrupted(void) {
  find_code();
  warm();
  char byte;
  if (pipe(g_pipe) != 0)
    return 1;
  for (int i = 0; i < kOften; ++i) {
    (void)!write(g_pipe[1], "x", 1);
    (void)!read(g_pipe[0], &byte, 1);
  }
  handle(SIGALRM, put, SA_RESTART);
  alarm_soon();
  if (read(g_pipe[0], &byte, 1) != 1)
    return 2;
  handle(SIGALRM, look, 0);
  alarm_soon();
  if (read(g_pipe[0], &byte, 1) != -1 || errno != EINTR)
    return 3;
  return g_strange ? 4 : 0;
}

// A sleep that a stop interrupts is gone on with by the kernel, by a call of its own.
static int stopped(void) {
  for (int i = 0; i < kOften; ++i)
    (void)poll(NULL, 0, 0);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    const struct timespec wait = {0, 200000000};
    nanosleep(&wait, NULL);
    kill(parent, SIGSTOP);
    nanosleep(&wait, NULL);
    kill(parent, SIGCONT);
    _exit(0);
  }
  const int slept = poll(NULL, 0, 1000);
  int status = 0;
  (void)waitpid(child, &status, 0);
  return slept == 0 ? 0 : 1;
}

static sigjmp_buf g_back;

static void jump(int signal, siginfo_t* info, void* context) {
  look(signal, info, context);
  siglongjmp(g_back, 1);
}

// A handler that does not come back.
static int left(void) {
  find_code();
  warm();
  handle(SIGALRM, jump, 0);
  for (volatile int i = 0; i < 20; ++i) {
    if (sigsetjmp(g_back, 1) == 0) {
      const struct itimerval soon = {{0, 0}, {0, 2000}};
      setitimer(ITIMER_REAL, &soon, NULL);
      for (;;)
        (void)getppid();
    }
  }
  warm();
  return g_strange;
}

static volatile int g_cleaned;

// Waits without futex(2), which glibc calls or not by chance.
static void* join(pthread_t thread) {
  void* result = NULL;
  while (pthread_tryjoin_np(thread, &result) == EBUSY)
    (void)sched_yield();
  return result;
}

static void clean(void* unused) {
  (void)unused;
  g_cleaned = 1;
}

static void* read_forever(void* unused) {
  char byte;
  pthread_cleanup_push(clean, NULL);
  for (int i = 0; i < kOften; ++i) {
    (void)!write(g_pipe[1], "x", 1);
    (void)!read(g_pipe[0], &byte, 1);
  }
  g_stop = 1;
  (void)!read(g_pipe[0], &byte, 1);  // there is nothing more
  pthread_cleanup_pop(0);
  return unused;
}

// A thread that is cancelled in a call that a stub makes cleans up.
static int cancelled(void) {
  warm();
  if (pipe(g_pipe) != 0)
    return 1;
  char byte;
  for (int i = 0; i < kOften; ++i) {
    (void)!write(g_pipe[1], "x", 1);
    (void)!read(g_pipe[0], &byte, 1);
  }
  pthread_t thread;
  if (pthread_create(&thread, NULL, read_forever, NULL) != 0)
    return 2;
  while (!g_stop)
    (void)sched_yield();
  const struct timespec wait = {0, 50000000};
  nanosleep(&wait, NULL);
  (void)pthread_cancel(thread);
  return join(thread) == PTHREAD_CANCELED && g_cleaned ? 0 : 3;
}

static void* call_often(void* wrong) {
  const pid_t parent = getppid();
  char byte = 1;
  for (int i = 0; i < 5000; ++i) {
    if (getppid() != parent || read(g_zero, &byte, 1) != 1 || lseek(g_zero, 0, SEEK_SET) != 0)
      *(volatile int*)wrong = 1;
  }
  return NULL;
}

// Threads on the same code, from before it had stubs and after.
static int threads(void) {
  pthread_t made[4];
  int wrong = 0;
  for (int i = 0; i < 4; ++i)
    (void)pthread_create(&made[i], NULL, call_often, &wrong);
  for (int i = 0; i < 4; ++i)
    (void)join(made[i]);
  warm();
  (void)getsid(0);
  return wrong;
}

static void refused(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)context;
#if defined(__x86_64__)
  const uint64_t at = (uint64_t)info->si_call_addr;
  if (at >= 0x200000000000 && at < 0x400000000000)
    g_strange = 1;
#endif
  g_handled = 1;
}

static int filter(uint32_t nr, uint32_t action) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof code / sizeof code[0], code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                 prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0
             ? 0
             : 1;
}

// A filter of its own, for a call that has a stub.
static int filtered(void) {
  warm();
  if (filter(SYS_getppid, SECCOMP_RET_ERRNO | 99) != 0)
    return 1;
  if (syscall(SYS_getppid) != -1 || errno != 99)
    return 2;
  errno = 0;
  const long answer = getppid();
  warm();
  return answer < 0 ? 0 : 3;
}

static int trapped(void) {
  warm();
  handle(SIGSYS, refused, 0);
  if (filter(SYS_getppid, SECCOMP_RET_TRAP) != 0)
    return 1;
  (void)getppid();
  return !g_handled ? 2 : g_strange ? 3 : 0;
}

static int in_child(int (*act)(void)) {
  const pid_t child = fork();
  if (child == 0)
    _exit(act());
  int status = 0;
  (void)waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

static volatile int g_looked_up;

static void* look_for_names(void* number) {
  char name[64];
  struct stat status;
  for (int i = 0; i < kOften; ++i) {
    (void)sprintf(name, "missing-%d-%d", *(int*)number, i);
    if (stat(name, &status) != -1 || errno != ENOENT)
      g_strange = 1;
    __atomic_add_fetch(&g_looked_up, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

static int filter_threads(void) {
  static int numbers[] = {0, 1, 2, 3};
  pthread_t made[4];
  for (int i = 0; i < 4; ++i)
    (void)pthread_create(&made[i], NULL, look_for_names, &numbers[i]);
  while (g_looked_up < kOften)
    (void)sched_yield();
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 600, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof code / sizeof code[0], code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
    return 1;
  for (int i = 0; i < 4; ++i)
    (void)join(made[i]);
  return g_strange;
}

// A filter that comes over threads in the middle of calls, and kills who makes one that there is
// none of. In a child: what its threads do is heard of before what it does itself.
static int synced(void) {
  warm();
  return in_child(filter_threads);
}

// Serves as a process whose memory its tracer may not write to any more, without privilege.
static int serve(void) {
  const int ends = socket(AF_INET, SOCK_STREAM, 0);
  if (ends < 0 || listen(ends, 1) != 0)
    return 1;
  for (int i = 0; i < 100; ++i)
    (void)getppid();
  return getsid(0) >= 0 ? 0 : 2;
}

// As nginx does in its workers: nothing is taken from a tracer by that.
static int dumpable(void) {
  warm();
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
    return 3;
  warm();
  warm();
  return serve();
}

static int undumpable(void) {
  warm();
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ? 3 : serve();
}

static int demoted(void) {
  warm();
  return setresuid(65534, 65534, 65534) != 0 ? 77 : serve();
}

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

// Calls of libc's own code reach the kernel (prctl(2), since Linux 5.11); others are SIGSYS.
static int dispatched(void) {
  static char selector;
  find_code();
  handle(SIGSYS, look, 0);
  warm();
  const uintptr_t here = (uintptr_t)&getppid;
  for (int i = 0; i < g_ranges; ++i) {
    if (here < g_code[i].begin || here >= g_code[i].end)
      continue;
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, g_code[i].begin, g_code[i].end - g_code[i].begin,
              &selector) != 0)
      return 77;
    selector = 1;
    warm();
    selector = 0;
    return g_handled ? 1 : 0;
  }
  return 2;
}

// A descriptor from before there were stubs keeps the name that it was opened by.
static int arrived(void) {
  (void)close(make("other"));
  const int fd = open("before", O_CREAT | O_WRONLY, 0600);
  if (write(fd, "x", 1) != 1 || rename("before", "after") != 0)
    return 1;
  for (int i = 0; i < kOften; ++i)
    if (close(open("other", O_RDONLY)) != 0)
      return 2;
  return write(fd, "x", 1) == 1 ? 0 : 3;
}

// There is no room for stubs.
static int cramped(void) {
  const struct rlimit none = {1 << 20, 1 << 20};
  (void)setrlimit(RLIMIT_AS, &none);
  warm();
  return 0;
}

// Stubs for open, close, access, stat and lstat, readlink, of files that are there and of one that
// is not.
static int warm_names(void) {
  struct stat status;
  char text[64];
  int wrong = 0;
  for (int i = 0; i < kOften; ++i) {
    const int fd = open("file", O_RDONLY);
    wrong |= fd < 0 || fstat(fd, &status) != 0 || close(fd) != 0;
    wrong |= access("file", R_OK) != 0 || access("missing", R_OK) != -1 || errno != ENOENT;
    wrong |=
        stat("link", &status) != 0 || lstat("link", &status) != 0 || stat("missing", &status) != -1;
    wrong |= readlink("link", text, sizeof text) != 4;
  }
  return wrong;
}

static int create_missing(void) {
  return open("missing", O_CREAT | O_WRONLY, 0600) < 0;
}

static int retarget(void) {
  return symlink("other", "new link") != 0 || rename("new link", "link") != 0;
}

static int replace(void) {
  return unlink("file") != 0 || mkdir("file", 0700) != 0;
}

// Another process changes what the names mean.
static int names(void) {
  struct stat status;
  (void)close(make("file"));
  (void)close(make("other"));
  if (symlink("file", "link") != 0 || warm_names() != 0)
    return 1;
  if (in_child(create_missing) != 0 || stat("missing", &status) != 0 ||
      access("missing", R_OK) != 0)
    return 2;
  (void)unlink("missing");
  if (in_child(retarget) != 0 || stat("link", &status) != 0 || warm_names() == 0)
    return 3;
  const int fd = open("link", O_RDONLY);
  if (fd < 0 || in_child(replace) != 0 || stat("file", &status) != 0 || !S_ISDIR(status.st_mode))
    return 4;
  return 0;
}

// A folder comes to be in the middle of a path whose last part is missing still.
static int middle(void) {
  struct stat status;
  for (int i = 0; i < kOften; ++i)
    if (stat("folder/missing/file", &status) != -1 || errno != ENOENT)
      return 1;
  return mkdir("folder", 0700) == 0 && stat("folder/missing/file", &status) == -1 ? 0 : 2;
}

// The same text begins elsewhere.
static int places(void) {
  struct stat status;
  (void)close(make("file"));
  if (symlink("file", "link") != 0 || warm_names() != 0 || mkdir("a", 0700) != 0 ||
      mkdir("b", 0700) != 0)
    return 1;
  if (chdir("a") != 0)
    return 2;
  (void)close(make("file"));
  if (stat("file", &status) != 0 || open("link", O_RDONLY) != -1)
    return 3;
  const int a = open(".", O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < kOften; ++i)
    (void)faccessat(a, "file", R_OK, 0);
  if (chdir("../b") != 0)
    return 4;
  (void)close(make("file"));
  const int b = open(".", O_RDONLY | O_DIRECTORY);
  if (dup2(b, a) != a || faccessat(a, "file", R_OK, 0) != 0)
    return 5;
  return fchdir(a) == 0 && access("file", W_OK) == 0 ? 0 : 6;
}

// Numbers that are given to other files without a stop.
static int numbers(void) {
  struct stat status;
  char byte;
  (void)close(make("first"));
  (void)close(make("second"));
  int wrong = 0;
  for (int i = 0; i < kOften; ++i) {
    const int fd = open("first", O_RDONLY);
    wrong |= fstat(fd, &status) != 0 || pread(fd, &byte, 1, 0) != 1 || close(fd) != 0;
    wrong |= open("second", O_RDONLY) != fd || pread(fd, &byte, 1, 0) != 1 || close(fd) != 0;
    wrong |= pread(fd, &byte, 1, 0) != -1;
  }
  const int last = open("second", O_RDONLY);
  wrong |= fstat(last, &status) != 0 || flock(last, LOCK_SH) != 0 || close(last) != 0;
  const int written = open("second", O_WRONLY | O_APPEND);
  wrong |= write(written, "x", 1) != 1;
  return wrong;
}

// What is no path: the kernel says EFAULT, and nobody else says anything.
static int nonsense(void) {
  (void)close(make("file"));
  if (symlink("file", "link") != 0 || warm_names() != 0)
    return 1;
  handle(SIGSEGV, look, 0);
  handle(SIGBUS, look, 0);
  char* const end =
      (char*)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 4096;
  (void)mprotect(end, 4096, PROT_NONE);
  memcpy(end - 4, "file", 4);
  char text[8];
  const char* const kBad[] = {NULL, (const char*)1, (const char*)0x7fffffff0000, end - 4, end};
  for (int again = 0; again < 3; ++again)
    for (size_t i = 0; i < sizeof kBad / sizeof kBad[0]; ++i) {
      if (open(kBad[i], O_RDONLY) != -1 || errno != EFAULT || access(kBad[i], R_OK) != -1 ||
          errno != EFAULT || readlink(kBad[i], text, sizeof text) != -1 || errno != EFAULT)
        return 2;
    }
  memcpy(end - 5, "file", 5);
  return access(end - 5, R_OK) == 0 && !g_handled ? 0 : 3;
}

static int use_names(void) {
  struct stat status;
  const int fd = open("file", O_RDONLY);
  return fd < 0 || close(fd) != 0 || access("missing", R_OK) != -1 || errno != ENOENT ||
         lstat("link", &status) != 0;
}

// Signals while names are looked up.
static int name_storm(void) {
  find_code();
  (void)close(make("file"));
  if (symlink("file", "link") != 0 || warm_names() != 0)
    return 1;
  return storm_of(use_names) ? 2 : g_strange ? 3 : 0;
}

static void* open_often(void* name) {
  char byte = 0;
  struct stat status;
  for (int i = 0; i < 1500; ++i) {
    const int fd = open(name, O_RDONLY);
    if (fd < 0 || pread(fd, &byte, 1, 0) != 1 || byte != *(char*)name || fstat(fd, &status) != 0 ||
        close(fd) != 0)
      g_strange = 1;
  }
  return NULL;
}

// Threads that take each other's numbers.
static int name_threads(void) {
  static char kNames[4][8] = {"a", "b", "c", "d"};
  pthread_t made[4];
  for (int i = 0; i < 4; ++i) {
    const int fd = open(kNames[i], O_CREAT | O_WRONLY, 0600);
    (void)!write(fd, kNames[i], 1);
    (void)close(fd);
  }
  for (int i = 0; i < 4; ++i)
    (void)pthread_create(&made[i], NULL, open_often, kNames[i]);
  for (int i = 0; i < 4; ++i)
    (void)join(made[i]);
  return g_strange;
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    int (*run)(void);
  } kScenarios[] = {
      {"arguments", arguments}, {"descriptors", descriptors}, {"borrowed", borrowed},
      {"forked", forked},       {"executed", executed},       {"again", again},
      {"storm", storm},         {"interrupted", interrupted}, {"stopped", stopped},
      {"left", left},           {"cancelled", cancelled},     {"threads", threads},
      {"filtered", filtered},   {"trapped", trapped},         {"cramped", cramped},
      {"names", names},         {"places", places},           {"numbers", numbers},
      {"nonsense", nonsense},   {"name_storm", name_storm},   {"name_threads", name_threads},
      {"synced", synced},       {"dumpable", dumpable},       {"undumpable", undumpable},
      {"demoted", demoted},     {"dispatched", dispatched},   {"middle", middle},
      {"arrived", arrived}};

  if (argc != 3 || chdir(argv[2]) != 0)
    return 99;
  g_zero = open("/dev/zero", O_RDONLY);
  for (size_t i = 0; i < sizeof kScenarios / sizeof kScenarios[0]; ++i)
    if (strcmp(argv[1], kScenarios[i].name) == 0)
      return kScenarios[i].run();
  return 98;
}
