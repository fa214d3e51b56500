// sockets SCENARIO DIR: uses sockets in one way; exits 0 when the calls came out as they should.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_in loopback(in_port_t port) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Listens on any port of 127.0.0.1, connects to it, accepts.
static int inet(void) {
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(server, (struct sockaddr*)&address, size) != 0 || listen(server, 1) != 0)
    return 1;
  if (getsockname(server, (struct sockaddr*)&address, &size) != 0)
    return 2;
  int client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  if (connect(client, (struct sockaddr*)&address, size) != 0)
    return 3;
  return accept(server, NULL, NULL) >= 0 ? 0 : 4;
}

// Sends to the discard port of 127.0.0.1.
static int datagram(void) {
  struct sockaddr_in address = loopback(9);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (sendto(fd, "x", 1, 0, (struct sockaddr*)&address, sizeof address) != 1)
    return 1;
  struct iovec part = {(void*)"y", 1};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  (void)sendmsg(fd, &message, 0);  // may fail with ECONNREFUSED of the first
  return 0;
}

// Three messages by one call, to two ports of 127.0.0.1.
static int several(void) {
  struct sockaddr_in addresses[3] = {loopback(9), loopback(9), loopback(10)};
  struct iovec part = {(void*)"x", 1};
  struct mmsghdr messages[3];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < 3; ++i) {
    messages[i].msg_hdr.msg_name = &addresses[i];
    messages[i].msg_hdr.msg_namelen = sizeof addresses[i];
    messages[i].msg_hdr.msg_iov = &part;
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  return sendmmsg(fd, messages, 3, 0) == 3 ? 0 : 1;
}

// Binds DIR/socket and connects to it; connects to DIR/missing.
static int unix_path(const char* folder) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
  int server = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(server, (struct sockaddr*)&address, sizeof address) != 0 || listen(server, 1) != 0)
    return 1;
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(client, (struct sockaddr*)&address, sizeof address) != 0)
    return 2;
  snprintf(address.sun_path, sizeof address.sun_path, "%s/missing", folder);
  return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr*)&address, sizeof address) < 0 &&
                 errno == ENOENT
             ? 0
             : 3;
}

// Binds the abstract name "cordon-victim"; makes a netlink socket and a pair.
static int others(void) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  const char name[] = "cordon-victim";
  memcpy(address.sun_path + 1, name, sizeof name - 1);
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof name);
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (bind(fd, (struct sockaddr*)&address, size) != 0)
    return 1;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
    return 2;
  return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) >= 0 ? 0 : 3;
}

int main(int argc, char** argv) {
  if (argc < 3)
    return 98;
  const char* scenario = argv[1];
  if (!strcmp(scenario, "inet"))
    return inet();
  if (!strcmp(scenario, "datagram"))
    return datagram();
  if (!strcmp(scenario, "several"))
    return several();
  if (!strcmp(scenario, "unix_path"))
    return unix_path(argv[2]);
  if (!strcmp(scenario, "others"))
    return others();
  return 99;
}
