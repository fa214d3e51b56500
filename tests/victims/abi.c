// abi SCENARIO: calls that are not of the program's own ABI, or of no ABI. Built for x86_64.
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// getppid of i386 (64) by int 0x80 from 64-bit code.
static int int80(void) {
  long result = 0;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(64L) : "memory", "r8", "r9", "r10", "r11");
  return result == getppid() ? 0 : result == -ENOSYS ? 77 : 1;
}

// getppid of x32: 0x40000000 + 110. ENOSYS on kernels without that ABI.
static int x32(void) {
  long result = syscall(0x40000000 + 110);
  return result == getppid() || errno == ENOSYS ? 0 : 1;
}

static int unknown(void) {
  return syscall(5000) == -1 && errno == ENOSYS ? 0 : 1;
}

static int minus_one(void) {
  return syscall(-1) == -1 && errno == ENOSYS ? 0 : 1;
}

int main(int argc, char** argv) {
  const char* scenario = argc > 1 ? argv[1] : "";
  if (!strcmp(scenario, "int80"))
    return int80();
  if (!strcmp(scenario, "x32"))
    return x32();
  if (!strcmp(scenario, "unknown"))
    return unknown();
  if (!strcmp(scenario, "minus_one"))
    return minus_one();
  return 99;
}
