#pragma once

/* What the operations of *.inc are written with. Each runs in a child of its own, so that nothing
   it changes about itself reaches the next, and returns a number, or -1 with errno set. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/if_packet.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { kOrdinaryUser = 1000, kOtherUser = 1001, kPage = 4096 };

/* Where the operations work; not freed, each is used within one operation. */
static const char* g_base;

static const char* In(const char* name) {
  static char paths[8][256];
  static unsigned next;
  char* path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", g_base, name);
  return path;
}

/* Succeeded or not: for descriptors, addresses and identifiers, which differ from run to run. */
static long Done(long result) {
  return result < 0 ? -1 : 0;
}

static long Mapped(const void* memory) {
  return memory == MAP_FAILED ? -1 : 0;
}

static int Open(const char* name, int flags) {
  return open(In(name), flags, 0644);
}

/* Opened and closed again. */
static long CanOpen(const char* path, int flags) {
  int fd = open(path, flags, 0644);
  return fd < 0 ? -1 : close(fd);
}

/* One byte read from, or `text` written to what `path` names. */
static long ReadFrom(const char* path) {
  char byte = 0;
  int fd = open(path, O_RDONLY);
  return fd < 0 ? -1 : read(fd, &byte, 1);
}

static long WriteTo(const char* path, const char* text, size_t size) {
  int fd = open(path, O_WRONLY);
  return fd < 0 ? -1 : write(fd, text, size);
}

static void* Map(int fd, int protection, int flags) {
  return mmap(NULL, kPage, protection, flags, fd, 0);
}

static long Lock(const char* name, int flags, int command, short type) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
  return fcntl(Open(name, flags), command, &lock);
}

/* The errno that a child ended with; 128 and the signal that ended it. */
static long Ended(pid_t child) {
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    return -1;
  }
  if (WIFSIGNALED(status)) {
    return 128 + WTERMSIG(status);
  }
  errno = WEXITSTATUS(status);
  return errno == 0 ? 0 : -1;
}

/* For a child to end with: 0, or errno. */
static int Failure(long result) {
  return result < 0 ? errno : 0;
}

static pid_t Waiting(void) {
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  return child;
}

/* `result`, once the waiting `child` is gone. */
static long Finish(pid_t child, long result) {
  int saved = errno;
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  errno = saved;
  return result;
}

/* From now on an ordinary user. */
static void BecomeOrdinary(void) {
  if (setgroups(0, NULL) != 0 || setgid(kOrdinaryUser) != 0 || setuid(kOrdinaryUser) != 0) {
    _exit(255);
  }
}

static struct sockaddr_un Unix(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  return address;
}

/* A socket bound or connected to `name` in the folder. */
static int UnixSocket(int (*act)(int, const struct sockaddr*, socklen_t), const char* name,
                      int type) {
  struct sockaddr_un address = Unix(In(name));
  int fd = socket(AF_UNIX, type, 0);
  return act(fd, (struct sockaddr*)&address, sizeof address) < 0 ? -1 : fd;
}

static int BoundUnix(const char* name, int type) {
  unlink(In(name));
  int fd = UnixSocket(bind, name, type);
  if (fd >= 0 && type != SOCK_DGRAM && listen(fd, 5) < 0) {
    return -1;
  }
  return fd;
}

static struct sockaddr_in Loopback(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int InetBound(int type, int port) {
  struct sockaddr_in address = Loopback(port);
  int one = 1;
  int fd = socket(AF_INET, type, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  return bind(fd, (struct sockaddr*)&address, sizeof address) < 0 ? -1 : fd;
}

static int InetConnected(int type, int port) {
  struct sockaddr_in address = Loopback(port);
  int fd = socket(AF_INET, type, 0);
  return connect(fd, (struct sockaddr*)&address, sizeof address) < 0 ? -1 : fd;
}

/* Both ends of a connection to `port`: [0] made it, [1] accepted it. */
static long InetPair(int port, int ends[2]) {
  int listening = InetBound(SOCK_STREAM, port);
  if (listening < 0 || listen(listening, 5) < 0) {
    return -1;
  }
  ends[0] = InetConnected(SOCK_STREAM, port);
  ends[1] = ends[0] < 0 ? -1 : accept(listening, NULL, NULL);
  return Done(ends[1]);
}

static long Pair(int type, int ends[2]) {
  return socketpair(AF_UNIX, type, 0, ends);
}

static long InterfaceFlags(unsigned long request) {
  struct ifreq interface = {.ifr_flags = IFF_UP | IFF_RUNNING};
  strcpy(interface.ifr_name, "lo");
  return ioctl(socket(AF_INET, SOCK_STREAM, 0), request, &interface);
}

static int SendDescriptor(int socket, int fd) {
  char control[CMSG_SPACE(sizeof fd)] = {0};
  char byte = 'x';
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return (int)sendmsg(socket, &message, 0);
}

static int ReceiveDescriptor(int socket) {
  char control[CMSG_SPACE(sizeof(int))] = {0};
  char byte = 0;
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int fd = -1;
  if (recvmsg(socket, &message, 0) < 0 || CMSG_FIRSTHDR(&message) == NULL) {
    return -1;
  }
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

static int Netlink(int protocol) {
  return socket(AF_NETLINK, SOCK_RAW, protocol);
}

/* A message of `type` to the kernel's routing, with a body that says nothing. */
static long RouteMessage(int fd, uint16_t type, uint16_t flags) {
  struct {
    struct nlmsghdr header;
    struct rtgenmsg body;
  } request = {.header = {.nlmsg_len = sizeof request,
                          .nlmsg_type = type,
                          .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
               .body = {.rtgen_family = AF_UNSPEC}};

  return send(fd, &request, sizeof request, 0);
}

static int BpfMap(void) {
  union bpf_attr map = {
      .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map);
}

/* A pseudo-terminal: the master, and the slave's path. */
static int Terminal(char* slave, size_t size) {
  int number = 0;
  int unlock = 0;
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  if (master < 0 || ioctl(master, TIOCGPTN, &number) < 0 ||
      ioctl(master, TIOCSPTLCK, &unlock) < 0) {
    return -1;
  }
  snprintf(slave, size, "/dev/pts/%d", number);
  return master;
}

/* The label of this process or of `path`; its length. */
static ssize_t OwnLabel(char* label, size_t size) {
  int fd = open("/proc/self/attr/current", O_RDONLY);
  return fd < 0 ? -1 : read(fd, label, size);
}

static long Relabel(const char* path) {
  char label[256] = "";
  ssize_t length = getxattr(path, "security.selinux", label, sizeof label);
  return length < 0 ? -1 : setxattr(path, "security.selinux", label, (size_t)length, 0);
}

static long Chown(const char* name, uid_t user) {
  return chown(In(name), user, user);
}

struct Message {
  long type;
  char text[8];
};
