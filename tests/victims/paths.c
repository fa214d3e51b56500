// paths SCENARIO DIR: uses files in the empty folder DIR in one way; exits 0 when the calls came
// out as they should.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int make(const char* path) {
  int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
  if (fd < 0)
    return -1;
  (void)!write(fd, "0123456789", 10);
  close(fd);
  return 0;
}

static int relative(void) {
  if (mkdir("sub", 0700) != 0 || make("sub/file") != 0)
    return 1;
  return chdir("sub") == 0 && open("../sub/./file", O_RDONLY) >= 0 ? 0 : 2;
}

static int links(void) {
  if (make("real") != 0 || symlink("real", "one") != 0 || symlink("one", "two") != 0)
    return 1;
  if (open("two", O_RDONLY) < 0)
    return 2;
  return open("two", O_RDONLY | O_NOFOLLOW) < 0 && errno == ELOOP ? 0 : 3;
}

static int directory_fd(void) {
  if (mkdir("sub", 0700) != 0 || make("sub/file") != 0)
    return 1;
  int directory = open("sub", O_PATH | O_DIRECTORY);
  return openat(directory, "file", O_RDWR | O_APPEND) >= 0 ? 0 : 2;
}

static int empty_path(void) {
  struct stat status;
  if (make("file") != 0)
    return 1;
  int fd = open("file", O_PATH);
  return fstatat(fd, "", &status, AT_EMPTY_PATH) == 0 && fchmodat(AT_FDCWD, "file", 0640, 0) == 0
             ? 0
             : 2;
}

static int names(void) {
  if (make("first") != 0 || make("victim") != 0)
    return 1;
  if (rename("first", "second") != 0 || rename("second", "victim") != 0)
    return 2;
  if (link("victim", "hard") != 0 || truncate("hard", 3) != 0)
    return 3;
  if (unlink("hard") != 0 || unlink("victim") != 0)
    return 4;
  if (mkdir("empty", 0700) != 0 || rmdir("empty") != 0)
    return 5;
  return mkfifo("fifo", 0600) == 0 ? 0 : 6;
}

static int maps(void) {
  if (make("file") != 0)
    return 1;
  int fd = open("file", O_RDWR);
  void* shared = mmap(NULL, 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  void* code = mmap(NULL, 10, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  return shared != MAP_FAILED && code != MAP_FAILED ? 0 : 2;
}

static int deleted(void) {
  if (make("file") != 0)
    return 1;
  int fd = open("file", O_RDONLY);
  unlink("file");
  struct stat status;
  char name[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  return fstat(fd, &status) == 0 && open(name, O_RDONLY) >= 0 ? 0 : 2;
}

static int own_process(void) {
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/status", (int)getpid());
  return open(name, O_RDONLY) >= 0 && open("/proc/self/comm", O_RDONLY) >= 0 &&
                 access("/proc/thread-self/stat", R_OK) == 0
             ? 0
             : 1;
}

// Each asks for something else than its call does otherwise.
static int attributes(void) {
  if (make("touched") != 0 || make("dated") != 0 || make("one") != 0 || make("other") != 0)
    return 1;
  struct timespec times[2] = {{1, 0}, {1, 0}};
  if (utimensat(AT_FDCWD, "touched", NULL, 0) != 0 || utimensat(AT_FDCWD, "dated", times, 0) != 0)
    return 2;
  if (syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "other", 2 /* RENAME_EXCHANGE */) != 0)
    return 3;
  // Nobody reads from it.
  if (mkfifo("fifo", 0600) != 0 || open("fifo", O_WRONLY | O_NONBLOCK) >= 0 || errno != ENXIO)
    return 4;
  return 0;
}

// As root only.
static int new_root(void) {
  if (mkdir("jail", 0755) != 0 || mkdir("jail/etc", 0755) != 0 || make("jail/etc/inside") != 0)
    return 1;
  if (symlink("/etc/inside", "jail/etc/link") != 0)
    return 2;
  if (chroot("jail") != 0)
    return 77;
  if (chdir("/") != 0)
    return 3;
  return open("/etc/../../etc/link", O_RDONLY) >= 0 ? 0 : 4;
}

int main(int argc, char** argv) {
  if (argc < 3 || chdir(argv[2]) != 0)
    return 98;
  const char* scenario = argv[1];
  if (!strcmp(scenario, "relative"))
    return relative();
  if (!strcmp(scenario, "links"))
    return links();
  if (!strcmp(scenario, "directory_fd"))
    return directory_fd();
  if (!strcmp(scenario, "empty_path"))
    return empty_path();
  if (!strcmp(scenario, "names"))
    return names();
  if (!strcmp(scenario, "maps"))
    return maps();
  if (!strcmp(scenario, "deleted"))
    return deleted();
  if (!strcmp(scenario, "own_process"))
    return own_process();
  if (!strcmp(scenario, "attributes"))
    return attributes();
  if (!strcmp(scenario, "new_root"))
    return new_root();
  return 99;
}
