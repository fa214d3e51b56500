#include "tracer/trace_filter.h"

#include <linux/seccomp.h>

#include <cstddef>

#include "model/architecture.h"
#include "model/syscall.h"

namespace cordon {

std::vector<sock_filter> TraceFilter() {
  return {sock_filter{
      .code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = SECCOMP_RET_TRACE | kTraceFilterTag}};
}

std::vector<sock_filter> TraceFilterOutside(const StubWindow& window) {
  constexpr std::uint32_t kPointer = offsetof(seccomp_data, instruction_pointer);
  constexpr unsigned kHalfBits = 32;
  const auto low = static_cast<std::uint32_t>(window.address);
  const auto high = static_cast<std::uint32_t>(window.address >> kHalfBits);
  const auto restart = static_cast<std::uint32_t>(
      SyscallNumber(Architecture::kX86_64, "restart_syscall").value_or(-1));
  // Little endian, as every architecture that has stubs. The window does not cross 4 GiB.
  return {
      {.code = BPF_LD | BPF_W | BPF_ABS, .jt = 0, .jf = 0, .k = kPointer + 4},
      {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 6, .k = high},
      {.code = BPF_LD | BPF_W | BPF_ABS, .jt = 0, .jf = 0, .k = kPointer},
      {.code = BPF_ALU | BPF_SUB | BPF_K, .jt = 0, .jf = 0, .k = low},
      {.code = BPF_JMP | BPF_JGE | BPF_K, .jt = 3, .jf = 0, .k = StubWindow::kCodeBytes},
      {.code = BPF_LD | BPF_W | BPF_ABS, .jt = 0, .jf = 0, .k = offsetof(seccomp_data, nr)},
      {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 1, .jf = 0, .k = restart},
      {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = SECCOMP_RET_ALLOW},
      {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = SECCOMP_RET_TRACE | kTraceFilterTag},
  };
}

}  // namespace cordon
