// unseen SCENARIO FOLDER: makes calls so often that the fast tier gives them stubs, and then calls,
// and code, that nobody saw before. Exits 0 only if everything went as it does without a tracer.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "repeat.h"

// fcntl(2) gives out another descriptor of the same file, of whichever it is.
static int duplicated(void) {
  warm();
  char byte;
  struct stat status;
  const int first = make("first");
  const int second = make("second");
  for (int i = 0; i < kOften; ++i) {
    const int other = fcntl(first, i % 2 ? F_DUPFD : F_DUPFD_CLOEXEC, 100);
    if (other < 100 || pread(other, &byte, 1, 0) != 1 || fcntl(other, F_GETFD) < 0)
      return 1;
    (void)close(other);
  }
  const int other = fcntl(second, F_DUPFD, 100);
  if (pread(other, &byte, 1, 0) != 1 || fstat(other, &status) != 0 || flock(other, LOCK_SH) != 0)
    return 2;
  const struct rlimit few = {120, 120};
  (void)setrlimit(RLIMIT_NOFILE, &few);
  return fcntl(first, F_DUPFD, 120) == -1 && errno == EINVAL ? 0 : 3;
}

// Descriptors that a recording does not tell apart: whatever one of them does, that it may is
// known.
static int alike(void) {
  warm();
  char byte = 0;
  struct stat status;
  int ends[2];
  int broken[2];
  if (pipe(ends) != 0 || pipe(broken) != 0)
    return 1;
  for (int i = 0; i < kOften; ++i)
    if (write(ends[1], "x", 1) != 1 || read(ends[0], &byte, 1) != 1)
      return 2;
  (void)close(broken[0]);
  (void)signal(SIGPIPE, SIG_IGN);
  if (fstat(broken[1], &status) != 0 || write(broken[1], "x", 1) != -1 || errno != EPIPE)
    return 3;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  const int connected = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listening, (struct sockaddr*)&address, size) != 0 || listen(listening, 1) != 0 ||
      getsockname(listening, (struct sockaddr*)&address, &size) != 0 ||
      connect(connected, (struct sockaddr*)&address, size) != 0)
    return 4;
  int count = 0;
  for (int i = 0; i < kOften; ++i)
    if (ioctl(connected, FIONREAD, &count) != 0)
      return 5;
  return ioctl(listening, FIONBIO, &count) == 0 && ioctl(listening, FIONREAD, &count) == -1 ? 0 : 6;
}

// How a file is written to changes unseen, and shows with another descriptor of it.
static int appended(void) {
  warm();
  const int fd = open("file", O_CREAT | O_WRONLY, 0600);
  for (int i = 0; i < kOften; ++i)
    if (write(fd, "x", 1) != 1 || fcntl(fd, F_SETFL, 0) != 0 || close(fcntl(fd, F_DUPFD, 100)) != 0)
      return 1;
  (void)fcntl(fd, F_SETFL, O_APPEND);
  return write(fcntl(fd, F_DUPFD, 100), "x", 1) == 1 ? 0 : 2;
}

// Names that nobody saw before, one after the other.
static int unknown(void) {
  warm();
  char name[64];
  char target[64];
  struct stat status;
  for (int i = 0; i < kOften; ++i) {
    sprintf(name, "name%d", i);
    if (i % 3 == 0)
      (void)close(open(name, O_CREAT | O_WRONLY, 0600));
    if ((stat(name, &status) == 0) != (i % 3 == 0))
      return 1;
    const int fd = open(name, O_RDONLY);
    if ((fd >= 0) != (i % 3 == 0))
      return 2;
    if (fd >= 0 && (fstat(fd, &status) != 0 || close(fd) != 0))
      return 3;
    if (i % 3 == 1 && symlink(name, "link") == 0) {
      strcpy(name, "link");
      char* volatile same = name;  // the answer is written over the question
      if (readlink(same, name, sizeof name) < 5 || strncmp(name, "name", 4) != 0 ||
          readlink("link", target, sizeof target) < 5 || unlink("link") != 0)
        return 4;
    }
  }
  return 0;
}

static void note(int signal, siginfo_t* info, void* context) {
  (void)signal;
  (void)info;
  (void)context;
}

// open(2) of a FIFO sleeps: until a signal comes, with and without going on, and until the end.
static int slept(void) {
  warm();
  struct stat status;
  char name[64];
  for (int i = 0; i < kOften; ++i) {
    sprintf(name, "%d", i);
    if (stat(name, &status) == 0 || open(name, O_RDONLY) >= 0)
      return 1;
  }
  if (mkfifo("fifo", 0600) != 0 || mkfifo("other", 0600) != 0 || mkfifo("last", 0600) != 0)
    return 2;
  const struct itimerval soon = {{0, 20000}, {0, 20000}};
  const struct itimerval never = {{0, 0}, {0, 0}};
  handle(SIGALRM, note, 0);
  (void)setitimer(ITIMER_REAL, &soon, NULL);
  if (open("fifo", O_RDONLY) >= 0 || errno != EINTR)
    return 3;
  handle(SIGALRM, note, SA_RESTART);
  const pid_t writer = fork();
  if (writer == 0) {
    (void)setitimer(ITIMER_REAL, &never, NULL);
    (void)usleep(100000);
    _exit(open("other", O_WRONLY) >= 0 ? 0 : 1);
  }
  const int fd = open("other", O_RDONLY);
  (void)setitimer(ITIMER_REAL, &never, NULL);
  int status_of = 0;
  if (fd < 0 || waitpid(writer, &status_of, 0) != writer || status_of != 0)
    return 4;
  const pid_t killed = fork();
  if (killed == 0)
    _exit(open("last", O_RDONLY) >= 0 ? 0 : 1);
  (void)usleep(500000);
  (void)kill(killed, SIGKILL);
  return waitpid(killed, &status_of, 0) == killed && WIFSIGNALED(status_of) ? 0 : 5;
}

// Descriptors are shared, memory is not.
static int half_shared(void) {
  warm();
  char byte;
  const int mine = make("mine");
  const int other = make("other");
  for (int i = 0; i < kOften; ++i)
    (void)!pread(mine, &byte, 1, 0);
  int turns[2][2];
  if (pipe(turns[0]) != 0 || pipe(turns[1]) != 0)
    return 1;
  const long child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    for (int i = 0; i < kOften; ++i)
      (void)!pread(mine, &byte, 1, 0);
    (void)dup2(other, mine);
    (void)!write(turns[0][1], "x", 1);
    _exit(0);
  }
  struct stat status;
  (void)!read(turns[0][0], &byte, 1);
  if (pread(mine, &byte, 1, 0) != 1 || fstat(mine, &status) != 0)
    return 2;
  int ended = 0;
  return waitpid((pid_t)child, &ended, 0) == child && ended == 0 ? 0 : 3;
}

// mov $number, %eax; syscall; ret
static int write_code(unsigned char* code, int number) {
  static const unsigned char kCode[] = {0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3};
  memset(code, 0x90, 4096);
  memcpy(code + 64, kCode, sizeof kCode);
  code[65] = (unsigned char)number;
  return (int)sizeof kCode;
}

static int code_file(const char* name, int number) {
  unsigned char page[4096];
  (void)write_code(page, number);
  const int fd = open(name, O_CREAT | O_RDWR, 0700);
  (void)!write(fd, page, sizeof page);
  return fd;
}

static long run_code(const unsigned char* page) {
  long (*function)(void) = NULL;
  const unsigned char* entry = page + 64;
  memcpy(&function, &entry, sizeof function);
  return function();
}

// A library that goes, and another in its place.
static int unloaded(void) {
  warm();
  const int files[] = {code_file("parent", SYS_getppid), code_file("user", SYS_getuid),
                       code_file("group", SYS_getpgrp)};
  const long answers[] = {getppid(), (long)getuid(), getpgrp()};
  unsigned char* place = NULL;
  for (int round = 0; round < 9; ++round) {
    unsigned char* page = mmap(place, 4096, PROT_READ | PROT_EXEC,
                               MAP_PRIVATE | (place != NULL ? MAP_FIXED : 0), files[round % 3], 0);
    if (page == MAP_FAILED)
      return 77;
    for (int i = 0; i < kOften; ++i)
      if (run_code(page) != answers[round % 3])
        return 1;
    if (round % 2 != 0 && munmap(page, 4096) != 0)
      return 2;
    place = page;
  }
  return 0;
}

// Code of no file, also where there was some of one: it is left alone.
static int made_code(void) {
  warm();
  const int file = code_file("parent", SYS_getppid);
  unsigned char* page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  if (page == MAP_FAILED)
    return 77;
  for (int i = 0; i < kOften; ++i)
    (void)run_code(page);
  for (int round = 0; round < 2; ++round) {
    if (mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
        page)
      return 1;
    unsigned char expected[4096];
    (void)write_code(expected, SYS_getuid);
    memcpy(page, expected, sizeof expected);
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0)
      return 77;
    for (int i = 0; i < kOften; ++i)
      if (run_code(page) != (long)getuid())
        return 2;
    if (memcmp(page, expected, sizeof expected) != 0)
      return 3;
  }
  return 0;
}

#if defined(__x86_64__)

// As Go 1.19 compiles runtime/internal/syscall.Syscall6: the four moves, the call, and cmp.
static const unsigned char kMoves[] = {0x49, 0x89, 0xf2, 0x48, 0x89, 0xfa, 0x48,
                                       0x89, 0xce, 0x48, 0x89, 0xdf, 0x0f, 0x05,
                                       0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0xc3};

static long call_any(const unsigned char* code, long number, long a, long b, long c) {
  register long fourth __asm__("rsi") = 0;
  __asm__ volatile("call *%[code]"
                   : "+a"(number), "+b"(a), "+c"(b), "+D"(c), "+r"(fourth)
                   : [code] "r"(code)
                   : "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
  return number;
}

static const unsigned char* g_moves;

static int call_each(void) {
  char byte = 1;
  return call_any(g_moves, SYS_getpid, 0, 0, 0) != getpid() ||
         call_any(g_moves, SYS_read, g_zero, (long)&byte, 1) != 1 || byte != 0 ||
         call_any(g_moves, SYS_lseek, g_zero, 0, SEEK_SET) != 0;
}

// One site for all calls, as in Go, with signals all the time.
static int any_number(void) {
  warm();
  unsigned char page[4096];
  memset(page, 0x90, sizeof page);
  memcpy(page + 64, kMoves, sizeof kMoves);
  const int file = open("moves", O_CREAT | O_RDWR, 0700);
  (void)!write(file, page, sizeof page);
  g_moves = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  if (g_moves == MAP_FAILED)
    return 77;
  g_moves += 64;
  find_code();
  int wrong = 0;
  for (int i = 0; i < kOften; ++i)
    wrong |= call_each();
  return wrong || storm_of(call_each) ? 1 : g_strange ? 2 : 0;
}

#else

static int any_number(void) {
  return 77;
}

#endif

// What is mapped where, as programs read it that look for themselves.
static int mapped(void) {
  warm();
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[4096 + 100];
  uintptr_t last = 0;
  int own = 0;
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char rights[5] = "";
    if (sscanf(line, "%lx-%lx %4s", &begin, &end, rights) != 3 || begin < last || end <= begin)
      return 1;
    if (rights[1] == 'w' && rights[2] == 'x')
      return 2;
    own += begin <= (uintptr_t)&mapped && (uintptr_t)&mapped < end && rights[2] == 'x';
    last = end;
  }
  return own == 1 ? 0 : 3;
}

// What lies between fixed programs and all that the kernel places by itself: where the stubs are.
static char* const kMiddle = (char*)0x200000000000;
static const size_t kMiddleBytes = 0x200000000000;

static int take_middle(void) {
  return mmap(kMiddle, kMiddleBytes, PROT_NONE,
              MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == kMiddle;
}

// Memory of the program's own choice, over that of stubs.
static int overmapped(void) {
  warm();
  char* const page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < kOften; ++i)
    if (mmap(page, 4096, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
             0) != page)
      return 1;
  if (!take_middle())
    return 2;
  const int fd = make("after");
  warm();
  return close(fd) == 0 && munmap(kMiddle, kMiddleBytes) == 0 ? 0 : 3;
}

static int unmapped(void) {
  warm();
  for (int i = 0; i < kOften; ++i) {
    char* const page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (munmap(page, 4096) != 0)
      return 1;
  }
  if (munmap(kMiddle, kMiddleBytes) != 0)
    return 2;
  const int fd = make("after");
  warm();
  return close(fd);
}

// The gaps around the code of libraries, where detours are.
static int unmapped_gaps(void) {
  enum { kMost = 64, kBytes = 3 << 20 };

  static struct {
    uintptr_t begin;
    uintptr_t end;
  } gaps[kMost];

  int count = 0;
  char line[4096 + 100];
  uintptr_t last = 0;
  FILE* const maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && count < kMost && fgets(line, sizeof line, maps) != NULL) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char rights[5] = "";
    // Code of no file is none of the program's, and nothing is known of what is below the heap.
    if (sscanf(line, "%lx-%lx %4s", &begin, &end, rights) != 3 ||
        (rights[2] == 'x' && strchr(line, '/') == NULL) || begin > (uintptr_t)&line)
      continue;
    if (last > (uintptr_t)&unmapped && begin > last) {
      gaps[count].begin = begin - last > kBytes ? begin - kBytes : last;
      gaps[count++].end = begin;
    }
    last = end;
  }
  if (maps != NULL)
    (void)fclose(maps);
  warm();
  for (int i = 0; i < count; ++i)
    if (munmap((char*)gaps[i].begin, gaps[i].end - gaps[i].begin) != 0)
      return 1;
  warm();
  return count > 0 ? 0 : 2;
}

static void* wait_for_byte(void* from) {
  char byte;
  (void)!read(*(int*)from, &byte, 1);
  return NULL;
}

// With another thread that may be anywhere: refused or not, everything goes on.
static int overmapped_beside(void) {
  int ends[2];
  pthread_t thread;
  warm();
  if (pipe(ends) != 0 || pthread_create(&thread, NULL, wait_for_byte, &ends[0]) != 0)
    return 1;
  warm();
  if (!take_middle() && errno != ENOMEM)
    return 2;
  warm();
  (void)!write(ends[1], "x", 1);
  return pthread_join(thread, NULL);
}

// A program that dies of its own fault, in the midst of known calls, says so.
static int crashed(void) {
  const struct rlimit none = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  static const int kSignals[] = {SIGSEGV, SIGABRT, SIGILL};
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      warm();
      if (kSignals[i] == SIGSEGV)
        *(volatile int*)8 = 1;
      if (kSignals[i] == SIGILL)
        __builtin_trap();
      abort();
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
        WTERMSIG(status) != kSignals[i])
      return 1;
  }
  return 0;
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    int (*run)(void);
  } kScenarios[] = {{"duplicated", duplicated},
                    {"unknown", unknown},
                    {"slept", slept},
                    {"half_shared", half_shared},
                    {"unloaded", unloaded},
                    {"made_code", made_code},
                    {"mapped", mapped},
                    {"crashed", crashed},
                    {"any_number", any_number},
                    {"alike", alike},
                    {"appended", appended},
                    {"overmapped", overmapped},
                    {"unmapped", unmapped},
                    {"unmapped_gaps", unmapped_gaps},
                    {"overmapped_beside", overmapped_beside}};

  if (argc != 3 || chdir(argv[2]) != 0)
    return 99;
  g_zero = open("/dev/zero", O_RDONLY);
  for (size_t i = 0; i < sizeof kScenarios / sizeof kScenarios[0]; ++i)
    if (strcmp(argv[1], kScenarios[i].name) == 0)
      return kScenarios[i].run();
  return 98;
}
