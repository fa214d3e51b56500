/* call_probe [NUMBER[,ARGUMENT]…]…: makes each call with these registers and prints
   "NUMBER[,ARGUMENT]… ERRNO", 0 where it succeeded; registers that are not given are all ones,
   which no call takes for a valid pointer, descriptor or size. It has no C library: all that it
   needs besides is write and exit_group, so it runs under any policy that lets a program say
   anything. Linux x86-64. */

#include <asm/unistd.h>

enum { kRegisters = 6, kLargestErrno = 4095, kClone3 = 435 };

static long Call(long number, const unsigned long* registers) {
  long result;
  register unsigned long r10 __asm__("r10") = registers[3];
  register unsigned long r8 __asm__("r8") = registers[4];
  register unsigned long r9 __asm__("r9") = registers[5];
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(registers[0]), "S"(registers[1]), "d"(registers[2]), "r"(r10),
                     "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  if (result == 0 &&
      (number == __NR_fork || number == __NR_vfork || number == __NR_clone || number == kClone3)) {
    /* The child, of a vfork perhaps: it must not return from here. */
    for (;;) {
      __asm__ volatile("syscall" : : "a"(__NR_exit_group), "D"(0) : "rcx", "r11", "memory");
    }
  }
  return result;
}

static long Write(const char* text, unsigned long length) {
  const unsigned long registers[kRegisters] = {1, (unsigned long)text, length, 0, 0, 0};
  return Call(__NR_write, registers);
}

static const char* Number(const char* text, unsigned long* value) {
  *value = 0;
  while (*text >= '0' && *text <= '9') {
    *value = *value * 10 + (unsigned long)(*text++ - '0');
  }
  return text;
}

static int Probe(const char* spec) {
  unsigned long number;
  unsigned long registers[kRegisters];
  for (int i = 0; i < kRegisters; i++) {
    registers[i] = ~0UL;
  }
  const char* end = Number(spec, &number);
  for (int i = 0; *end == ',' && i < kRegisters; i++) {
    end = Number(end + 1, &registers[i]);
  }
  if (*end != '\0' || end == spec) {
    return 2;
  }
  const long result = Call((long)number, registers);
  unsigned long error = result < 0 && result >= -kLargestErrno ? (unsigned long)-result : 0;
  char line[16];
  unsigned long start = sizeof line;
  line[--start] = '\n';
  do {
    line[--start] = (char)('0' + error % 10);
    error /= 10;
  } while (error != 0);
  line[--start] = ' ';
  return Write(spec, (unsigned long)(end - spec)) < 0 ||
                 Write(line + start, sizeof line - start) < 0
             ? 1
             : 0;
}

/* The kernel enters here with the argument count and the arguments on the stack. */
__attribute__((used)) static void Main(const unsigned long* stack) {
  int status = 0;
  const char* const* arguments = (const char* const*)(stack + 1);
  for (unsigned long i = 1; i < *stack && status == 0; i++) {
    status = Probe(arguments[i]);
  }
  const unsigned long registers[kRegisters] = {(unsigned long)status, 0, 0, 0, 0, 0};
  (void)Call(__NR_exit_group, registers);
}

__asm__(
    ".globl _start\n"
    "_start:\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call Main\n"
    "  hlt\n");
