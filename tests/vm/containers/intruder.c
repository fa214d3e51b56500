/* intruder.so, to be preloaded in a container: in the program that CORDON_INTRUDE names it strikes
   before main, as one would who had taken the program over, and ends it. "NAME ok", or "NAME ERRNO"
   of a refusal, on standard output for each act. Elsewhere it does nothing. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../../victims/probes.h"

static int Opened(const char* path, int flags) {
  int fd = open(path, flags | O_CLOEXEC, 0600);
  return fd < 0 ? errno : close(fd);
}

static int CreateFile(const char* unused) {
  (void)unused;
  int result = Opened("/etc/made", O_WRONLY | O_CREAT | O_EXCL);
  (void)unlink("/etc/made");
  return result;
}

static int WriteConfiguration(const char* unused) {
  (void)unused;
  return Opened("/etc/app.conf", O_WRONLY | O_APPEND);
}

static int RenameFile(const char* unused) {
  (void)unused;
  if (rename("/etc/app.conf", "/etc/renamed") != 0) {
    return errno;
  }
  return rename("/etc/renamed", "/etc/app.conf") == 0 ? 0 : errno;
}

static int ChangeMode(const char* unused) {
  (void)unused;
  return chmod("/etc/app.conf", 0644) == 0 ? 0 : errno;
}

static int ReadHost(const char* unused) {
  (void)unused;
  return ProbeRead("/host/secret");
}

static int ReadNeighbour(const char* unused) {
  (void)unused;
  return ProbeRead("/neighbour/secret");
}

static int MakeDevice(const char* unused) {
  (void)unused;
  int result = mknod("/tmp/device", S_IFCHR | 0600, makedev(1, 3)) == 0 ? 0 : errno;
  (void)unlink("/tmp/device");
  return result;
}

static int WriteSetting(const char* unused) {
  (void)unused;
  return Opened("/proc/sys/kernel/domainname", O_WRONLY);
}

static int OnPort(int (*act)(int, const struct sockaddr*, socklen_t), int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return errno;
  }
  int result = act(fd, (struct sockaddr*)&address, sizeof address) == 0 ? 0 : errno;
  close(fd);
  return result == ECONNREFUSED ? 0 : result; /* nobody listens: it was let out */
}

static int BindPort(const char* unused) {
  (void)unused;
  return OnPort(bind, 5555);
}

static int ConnectOut(const char* unused) {
  (void)unused;
  return OnPort(connect, 25);
}

static int WritableCode(const char* unused) {
  (void)unused;
  void* memory =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? errno : munmap(memory, 4096);
}

static const struct Probe kActs[] = {
    {"create-file", CreateFile},       {"write-configuration", WriteConfiguration},
    {"rename-file", RenameFile},       {"change-mode", ChangeMode},
    {"execute-shell", ProbeShell},     {"read-host-volume", ReadHost},
    {"read-neighbour", ReadNeighbour}, {"make-device", MakeDevice},
    {"bind-port", BindPort},           {"connect-out", ConnectOut},
    {"raw-socket", ProbeRawSocket},    {"packet-socket", ProbePacketSocket},
    {"writable-code", WritableCode},   {"trace", ProbePtrace},
    {"write-setting", WriteSetting},
};

__attribute__((constructor)) static void Strike(void) {
  const char* program = getenv("CORDON_INTRUDE");
  if (program == NULL || strcmp(program, program_invocation_short_name) != 0) {
    return;
  }
  for (size_t i = 0; i < sizeof kActs / sizeof kActs[0]; i++) {
    int result = kActs[i].attempt(NULL);
    dprintf(STDOUT_FILENO, "%s %s\n", kActs[i].name, result == 0 ? "ok" : strerrorname_np(result));
  }
  _exit(0);
}
