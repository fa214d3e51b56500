/* operations BASE prepare        makes the files that the operations work on, anew
 * operations BASE list           "AREA NAME" of every operation
 * operations BASE NAME|AREA …    does these, one after the other, each in a child of its own, and
 *                                says what came of it: "NAME NUMBER" (of more than a page: "ok"),
 *                                "NAME ERRNO", "NAME exit STATUS", "NAME signal NUMBER"
 * operations                     nothing: for the operations that execute a program
 *
 * What SELinux asks for each of them was measured on Linux 6.1 by auditing every access check. */
#include "operations.h"

enum { kSeconds = 20, kLargest = 4096 };

/* A name outside of the folder that is this folder's alone. */
static const char* Named(const char* prefix) {
  static char name[256];
  snprintf(name, sizeof name, "%scordon-%s", prefix, strrchr(g_base, '/') + 1);
  return name;
}

static int OpenDisk(void) {
  int fd = open("/dev/nvme0n1", O_RDONLY);
  return fd >= 0 || errno != ENOENT ? fd : open("/dev/vda", O_RDONLY);
}

static long AddKey(void) {
  return syscall(SYS_add_key, "user", "cordon", "v", 1, KEY_SPEC_PROCESS_KEYRING);
}

#define OPERATION(name, ...) static long Do_##name(void) __VA_ARGS__
#include "descriptors.inc"
#include "files.inc"
#include "kernel.inc"
#include "memory.inc"
#include "paths.inc"
#include "processes.inc"
#include "sockets.inc"
#undef OPERATION

struct Operation {
  const char* area;
  const char* name;
  long (*run)(void);
};

static const struct Operation kOperations[] = {
#define OPERATION(name, ...) {AREA, #name, Do_##name},
#define AREA "files"
#include "files.inc"
#undef AREA
#define AREA "paths"
#include "paths.inc"
#undef AREA
#define AREA "memory"
#include "memory.inc"
#undef AREA
#define AREA "processes"
#include "processes.inc"
#undef AREA
#define AREA "descriptors"
#include "descriptors.inc"
#undef AREA
#define AREA "sockets"
#include "sockets.inc"
#undef AREA
#define AREA "kernel"
#include "kernel.inc"
#undef AREA
#undef OPERATION
};

struct Result {
  int finished;
  long value;
  int error;
};

static void Run(const struct Operation* operation, struct Result* result) {
  int status = 0;
  memset(result, 0, sizeof *result);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    (void)alarm(kSeconds);
    prctl(PR_SET_NAME, operation->name);
    result->value = operation->run();
    result->error = errno;
    result->finished = 1;
    _exit(0);
  }
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    printf("%s signal %d\n", operation->name, WTERMSIG(status));
  } else if (!result->finished) {
    printf("%s exit %d\n", operation->name, WEXITSTATUS(status));
  } else if (result->value < 0) {
    printf("%s %s\n", operation->name, strerrorname_np(result->error));
  } else if (result->value > kLargest) {
    printf("%s ok\n", operation->name);
  } else {
    printf("%s %ld\n", operation->name, result->value);
  }
}

/* A file of one page and `name`, of `owner`, with `mode`. */
static void MakeFile(const char* name, uid_t owner, mode_t mode) {
  char page[kPage];
  memset(page, 'a', sizeof page);
  int fd = Open(name, O_WRONLY | O_CREAT | O_EXCL);
  if (fd < 0 || write(fd, page, sizeof page) < 0 || fchown(fd, owner, owner) < 0 ||
      fchmod(fd, mode) < 0) {
    perror(name);
    exit(1);
  }
  close(fd);
}

static void Must(int result, const char* what) {
  if (result < 0) {
    perror(what);
    exit(1);
  }
}

static void MakeDirectory(const char* name, uid_t owner, mode_t mode) {
  Must(mkdir(In(name), 0755), name);
  Must(chown(In(name), owner, owner), name);
  Must(chmod(In(name), mode), name);
}

static void CopyProgram(const char* name) {
  int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  int to = Open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
  Must((int)sendfile(to, from, NULL, 1 << 24), name);
  Must(fchmod(to, 0755), name);
}

static void Prepare(void) {
  static const struct {
    const char* name;
    uid_t owner;
    mode_t mode;
  } kFiles[] = {
      {"f", 0, 0644},
      {"t", 0, 0644},
      {"given", 0, 0644},
      {"removed", 0, 0644},
      {"capable", 0, 0755},
      {"gone", 0, 0644},
      {"old1", 0, 0644},
      {"old2", 0, 0644},
      {"old3", 0, 0644},
      {"over", 0, 0644},
      {"one", 0, 0644},
      {"other", 0, 0644},
      {"rootonly", 0, 0600},
      {"u1000", kOrdinaryUser, 0644},
      {"setuid", 0, 04755},
      {"u1000only", kOrdinaryUser, 0600},
      {"sub/sub2/g", 0, 0644},
      {"u1000only2", kOrdinaryUser, 0644},
      {"sticky/of1001", kOtherUser, 0644},
  };

  static const char* const kDirectories[] = {"sub",
                                             "sub/sub2",
                                             "empty",
                                             "dir1",
                                             "dir2",
                                             "at-mount-tmpfs",
                                             "at-mount-remount",
                                             "at-mount-bind",
                                             "at-umount",
                                             "at-umount2",
                                             "at-mount-proc"};
  unlink(Named("/tmp/"));
  unlink(Named("/dev/shm/"));
  mq_unlink(Named("/"));
  for (size_t i = 0; i < sizeof kDirectories / sizeof *kDirectories; i++) {
    MakeDirectory(kDirectories[i], 0, 0755);
  }
  MakeDirectory("u1000dir", kOrdinaryUser, 0700);
  MakeDirectory("sticky", kOrdinaryUser, 01777);
  for (size_t i = 0; i < sizeof kFiles / sizeof *kFiles; i++) {
    MakeFile(kFiles[i].name, kFiles[i].owner, kFiles[i].mode);
  }
  Must(setxattr(In("f"), "user.kept", "1", 1, 0), "user.kept");
  Must(setxattr(In("removed"), "user.kept", "1", 1, 0), "user.kept");
  Must(symlink("f", In("sym")), "sym");
  Must(symlink("f", In("gone-sym")), "gone-sym");
  Must(mkfifo(In("fifo"), 0644), "fifo");
  Must(mkfifo(In("gone-fifo"), 0644), "gone-fifo");
  Must(mknod(In("gone-sock"), S_IFSOCK | 0600, 0), "gone-sock");
  CopyProgram("hello");
  static const char kScript[] = "#!/bin/sh\nexit 0\n";
  int fd = Open("script.sh", O_WRONLY | O_CREAT | O_EXCL);
  Must((int)write(fd, kScript, sizeof kScript - 1), "script.sh");
  Must(fchmod(fd, 0755), "script.sh");
  close(fd);
}

int main(int argc, char** argv) {
  const size_t count = sizeof kOperations / sizeof *kOperations;
  if (argc < 3) {
    return 0;
  }
  g_base = argv[1];
  if (strcmp(argv[2], "prepare") == 0) {
    Prepare();
    return 0;
  }
  if (strcmp(argv[2], "list") == 0) {
    for (size_t i = 0; i < count; i++) {
      printf("%s %s\n", kOperations[i].area, kOperations[i].name);
    }
    return 0;
  }
  signal(SIGPIPE, SIG_IGN);
  struct Result* result =
      mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int argument = 2; argument < argc; argument++) {
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
      if (strcmp(argv[argument], kOperations[i].name) == 0 ||
          strcmp(argv[argument], kOperations[i].area) == 0) {
        Run(&kOperations[i], result);
        done++;
      }
    }
    if (done == 0) {
      fprintf(stderr, "there is no operation %s\n", argv[argument]);
      return 2;
    }
  }
  return 0;
}
