// arguments SCENARIO DIR: makes calls whose meaning hangs on flags, structs or what comes with a
// message, in the empty folder DIR; exits 0 when they came out as they should, 77 when the kernel
// or the user lacks what is needed.
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int make(const char* path) {
  int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
  return fd < 0 || close(fd) != 0;
}

static int name_to_handle(const char* path, int flags) {
  union {
    struct file_handle handle;
    char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  } room;

  int mount_id;
  room.handle.handle_bytes = MAX_HANDLE_SZ;
  return name_to_handle_at(AT_FDCWD, path, &room.handle, &mount_id, flags);
}

/* name_to_handle_at(2) keeps a link unless it is told otherwise. */
static int handle(void) {
  if (make("file") != 0 || symlink("file", "kept") != 0 || symlink("file", "followed") != 0)
    return 1;
  if (name_to_handle("kept", 0) != 0 || name_to_handle("followed", AT_SYMLINK_FOLLOW) != 0)
    return errno == EOPNOTSUPP ? 77 : 2;
  return 0;
}

static int dont_follow(void) {
  int fd = inotify_init1(IN_CLOEXEC);
  if (make("file") != 0 || symlink("file", "link") != 0)
    return 1;
  return inotify_add_watch(fd, "link", IN_ATTRIB | IN_DONT_FOLLOW) >= 0 ? 0 : 2;
}

static int empty_link(void) {
  char text[64];
  if (symlink("nowhere", "link") != 0)
    return 1;
  int fd = open("link", O_PATH | O_NOFOLLOW);
  return readlinkat(fd, "", text, sizeof text) == 7 ? 0 : 2;
}

static int memory_file(void) {
  int fd = memfd_create("victim", MFD_CLOEXEC);
  if (write(fd, "x", 1) != 1)
    return 1;
  return mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED ? 0 : 2;
}

static int kinds(void) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int waiting;
  if (make("locked") != 0 || make("region") != 0 || make("asked") != 0 || make("listed") != 0)
    return 1;
  if (flock(open("locked", O_RDONLY), LOCK_EX) != 0)
    return 2;
  if (fcntl(open("region", O_RDWR | O_APPEND), F_SETLK, &lock) != 0)
    return 3;
  if (ioctl(open("asked", O_RDONLY), FIONREAD, &waiting) != 0)
    return 4;
  /* A file is no terminal, which it says after it was asked whether this may be asked of it. */
  struct winsize size;
  if (make("refused") != 0 || ioctl(open("refused", O_RDONLY), TIOCGWINSZ, &size) == 0)
    return 6;
  struct flock other = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int ready[2];
  int go[2];
  if (make("taken") != 0 || pipe(ready) != 0 || pipe(go) != 0)
    return 7;
  pid_t child = fork();
  if (child == 0) {
    char byte;
    int fd = open("taken", O_RDWR);
    (void)!write(ready[1], fcntl(fd, F_SETLK, &other) == 0 ? "y" : "n", 1);
    /* Ends by itself: a call that it is killed in would be recorded or not. */
    _exit(read(go[0], &byte, 1) == 1 ? 0 : 1);
  }
  char answer = 'n';
  if (read(ready[0], &answer, 1) != 1 || answer != 'y')
    return 8;
  int refused = fcntl(open("taken", O_RDWR), F_SETLK, &other) != 0 && errno == EAGAIN;
  (void)!write(go[1], "g", 1);
  waitpid(child, NULL, 0);
  if (!refused)
    return 9;
  return listxattr("listed", NULL, 0) >= 0 ? 0 : 5;
}

/* A new memory file is what the ancillary data of `message` bring. */
static void enclose_memory_file(struct msghdr* message) {
  int fd = memfd_create("passed", 0);
  struct cmsghdr* item = CMSG_FIRSTHDR(message);
  item->cmsg_level = SOL_SOCKET;
  item->cmsg_type = SCM_RIGHTS;
  item->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(item), &fd, sizeof fd);
}

/* A memory file that one process makes and another gets by message, neither using it. */
static int rights(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
    return 1;
  char byte = 'x';
  struct iovec part = {&byte, 1};

  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  pid_t child = fork();
  if (child == 0) {
    enclose_memory_file(&message);
    _exit(sendmsg(pair[1], &message, 0) == 1 ? 0 : 2);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0)
    return 3;
  if (recvmsg(pair[0], &message, 0) != 1 || message.msg_controllen == 0)
    return 4;
  return 0;
}

/* The second of two messages that one call receives brings a descriptor. */
static int several_rights(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
    return 1;
  pid_t child = fork();
  if (child == 0) {
    char byte = 'x';
    struct iovec part = {&byte, 1};

    union {
      struct cmsghdr header;
      char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (sendmsg(pair[1], &message, 0) != 1)
      _exit(2);
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    enclose_memory_file(&message);
    _exit(sendmsg(pair[1], &message, 0) == 1 ? 0 : 3);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0)
    return 4;
  char room[2];
  char control[2][CMSG_SPACE(sizeof(int))];
  struct iovec parts[2] = {{&room[0], 1}, {&room[1], 1}};
  struct mmsghdr messages[2];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < 2; ++i) {
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_control = control[i];
    messages[i].msg_hdr.msg_controllen = sizeof control[i];
  }
  if (recvmmsg(pair[0], messages, 2, 0, NULL) != 2)
    return 5;
  return messages[1].msg_hdr.msg_controllen > 0 ? 0 : 6;
}

/* Every call on extended attributes: what reads them asks, what writes them changes. */
static int attributes(void) {
  const char* const name = "user.victim";
  char value[8];
  if (make("asked") != 0 || make("changed") != 0 || make("by_fd") != 0 || symlink("asked", "link"))
    return 1;
  if (setxattr("changed", name, "v", 1, 0) != 0)
    return errno == EOPNOTSUPP ? 77 : 2;
  if (lsetxattr("changed", name, "w", 1, 0) != 0 || removexattr("changed", name) != 0)
    return 3;
  if (lremovexattr("changed", name) == 0 || errno != ENODATA)
    return 4;
  if (getxattr("asked", name, value, sizeof value) >= 0 || errno != ENODATA)
    return 5;
  if (listxattr("asked", NULL, 0) < 0 || lgetxattr("link", name, value, sizeof value) >= 0 ||
      llistxattr("link", NULL, 0) < 0)
    return 6;
  int fd = open("by_fd", O_RDONLY);
  if (fsetxattr(fd, name, "v", 1, 0) != 0 || fgetxattr(fd, name, value, sizeof value) != 1 ||
      flistxattr(fd, NULL, 0) <= 0 || fremovexattr(fd, name) != 0)
    return 7;
  return 0;
}

static int mounts(void) {
  struct {
    unsigned long long attr_set, attr_clr, propagation, userns_fd;
  } attributes = {MOUNT_ATTR_RDONLY, 0, 0, 0};

  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return 77;
  if (mkdir("source", 0700) != 0 || mkdir("bound", 0700) != 0 || mkdir("fresh", 0700) != 0)
    return 1;
  if (mount("source", "bound", NULL, MS_BIND, NULL) != 0)
    return 2;
  if (syscall(SYS_mount_setattr, AT_FDCWD, "bound", 0, &attributes, sizeof attributes) != 0)
    return 3;
  if (umount2("bound", UMOUNT_NOFOLLOW) != 0)
    return 4;
  int context = (int)syscall(SYS_fsopen, "tmpfs", 0);
  if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
    return 5;
  int fd = (int)syscall(SYS_fsmount, context, 0, 0);
  return syscall(SYS_move_mount, fd, "", AT_FDCWD, "fresh", MOVE_MOUNT_F_EMPTY_PATH) == 0 ? 0 : 6;
}

static int watch(void) {
  int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY);
  if (fd < 0)
    return 77;
  if (make("file") != 0)
    return 1;
  return fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "file") == 0 ? 0 : 2;
}

/* A device that is not there has no quota. */
static int quota(void) {
  const unsigned command = 0x800004u << 8; /* QCMD(Q_GETFMT, USRQUOTA) */
  if (syscall(SYS_quotactl, command, "/cordon-victim/quota", 0, NULL) == 0)
    return 1;
  return errno == ENOENT ? 0 : 77;
}

static int options(void) {
  return prctl(PR_SET_DUMPABLE, 1) == 0 && prctl(PR_SET_NAME, "renamed") == 0 ? 0 : 1;
}

static int map_type(void) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 4;
  attributes.max_entries = 1;
  return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes) >= 0 ? 0 : 77;
}

static int execute_empty(void) {
  char* const arguments[] = {"arguments", "nothing", ".", NULL};
  int fd = open("/proc/self/exe", O_PATH);
  (void)syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH);
  return 1;
}

static int nothing(void) {
  return access("/cordon-victim/executed-empty", F_OK) == 0;
}

static const struct {
  const char* name;
  int (*run)(void);
} scenarios[] = {
    {"handle", handle},
    {"dont_follow", dont_follow},
    {"empty_link", empty_link},
    {"memory_file", memory_file},
    {"kinds", kinds},
    {"rights", rights},
    {"several_rights", several_rights},
    {"attributes", attributes},
    {"mounts", mounts},
    {"watch", watch},
    {"quota", quota},
    {"options", options},
    {"map_type", map_type},
    {"execute_empty", execute_empty},
    {"nothing", nothing},
};

int main(int argc, char** argv) {
  if (argc < 3 || chdir(argv[2]) != 0)
    return 98;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; ++i)
    if (!strcmp(argv[1], scenarios[i].name))
      return scenarios[i].run();
  return 99;
}
