/* intruder.so, to be preloaded: in the program that CORDON_INTRUDE names it strikes before main, as
   one would who had taken the program over, and ends it. "NAME ok", or "NAME ERRNO" of a refusal,
   on standard output for each act. Elsewhere it does nothing.

   CORDON_INTRUDE="PROGRAM CONFIGURATION OTHER": where, a file that the program only reads, and data
   of another. */
#include <sys/mman.h>

#include "../../victims/probes.h"

static char g_configuration[256];
static char g_other[256];

static int OpenToWrite(const char* path, int flags) {
  int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
  return fd < 0 ? errno : close(fd);
}

static int WriteConfiguration(const char* unused) {
  (void)unused;
  return OpenToWrite(g_configuration, O_APPEND);
}

static int ReadOther(const char* unused) {
  (void)unused;
  return ProbeRead(g_other);
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

static int TraceInit(const char* unused) {
  (void)unused;
  if (ptrace(PTRACE_SEIZE, 1, NULL, NULL) != 0) {
    return errno;
  }
  /* A tracee has to stop before it can be let go of. */
  (void)ptrace(PTRACE_INTERRUPT, 1, NULL, NULL);
  (void)waitpid(1, NULL, __WALL);
  return ptrace(PTRACE_DETACH, 1, NULL, NULL) == 0 ? 0 : errno;
}

static int LoadModule(const char* unused) {
  (void)unused;
  static const char kNone[64];
  /* What is no module is refused with ENOEXEC, once loading one has been allowed. */
  return syscall(SYS_init_module, kNone, sizeof kNone, "") == 0 || errno == ENOEXEC ? 0 : errno;
}

static int WriteUsers(const char* unused) {
  (void)unused;
  return OpenToWrite("/etc/passwd", O_APPEND);
}

static int WriteSetting(const char* unused) {
  (void)unused;
  return OpenToWrite("/proc/sys/kernel/core_pattern", 0);
}

static const struct Probe kActs[] = {
    {"read-shadow", ProbeRead},
    {"write-configuration", WriteConfiguration},
    {"bind-port", BindPort},
    {"connect-out", ConnectOut},
    {"execute-shell", ProbeShell},
    {"raw-socket", ProbeRawSocket},
    {"writable-code", WritableCode},
    {"read-other", ReadOther},
    {"trace-init", TraceInit},
    {"load-module", LoadModule},
    {"write-users", WriteUsers},
    {"write-setting", WriteSetting},
    {"packet-socket", ProbePacketSocket},
};

__attribute__((constructor)) static void Strike(void) {
  const char* plan = getenv("CORDON_INTRUDE");
  char program[64];
  if (plan == NULL || sscanf(plan, "%63s %255s %255s", program, g_configuration, g_other) != 3 ||
      strcmp(program, program_invocation_short_name) != 0) {
    return;
  }
  for (size_t i = 0; i < sizeof kActs / sizeof kActs[0]; i++) {
    int result = kActs[i].attempt(NULL);
    dprintf(STDOUT_FILENO, "%s %s\n", kActs[i].name, result == 0 ? "ok" : strerrorname_np(result));
  }
  _exit(0);
}
