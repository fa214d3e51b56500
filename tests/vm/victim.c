/* victim: reads its configuration, appends to its log, writes a file of its state, binds a port:
 * what its policy is made from. victim probe: does one thing more of each kind, and says for each
 * what came of it: "NAME ok" or "NAME ERRNO". */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void say(const char* what, int result) {
  printf("%s %s\n", what, result >= 0 ? "ok" : strerrorname_np(errno));
  fflush(stdout);
}

static int bind_port(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  int one = 1;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  int result = bind(fd, (struct sockaddr*)&address, sizeof address);
  if (result == 0) {
    listen(fd, 1);
  }
  int saved = errno;
  close(fd);
  errno = saved;
  return result;
}

int main(int argc, char** argv) {
  char text[64] = "";
  int fd = open("/etc/victim/victim.conf", O_RDONLY);
  say("read-conf", fd < 0 ? fd : (int)read(fd, text, sizeof text - 1));
  fd = open("/var/log/victim.log", O_WRONLY | O_CREAT | O_APPEND, 0640);
  say("append-log", fd < 0 ? fd : (int)write(fd, "started\n", 8));
  fd = open("/var/lib/victim/state", O_WRONLY | O_CREAT, 0600);
  say("write-state", fd < 0 ? fd : (int)write(fd, text, strlen(text)));
  say("bind-7777", bind_port(7777));
  if (argc > 1 && strcmp(argv[1], "probe") == 0) {
    say("probe-shadow", open("/etc/shadow", O_RDONLY));
    say("probe-write-conf", open("/etc/victim/victim.conf", O_WRONLY));
    say("probe-truncate-log", open("/var/log/victim.log", O_WRONLY));
    say("probe-other-file", open("/etc/victim/other", O_RDONLY));
    say("probe-bind-2525", bind_port(2525));
    say("probe-raw-socket", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    execl("/bin/sh", "sh", "-c", "echo probe-shell ok", (char*)NULL);
    say("probe-shell", -1);
  }
  return 0;
}
