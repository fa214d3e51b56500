#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cordon {

/// The general registers of a stopped x86-64 task, as NT_PRSTATUS has them (struct user_regs_struct
/// in arch/x86/include/asm/user_64.h).
struct TaskRegisters {
  static constexpr std::size_t kCount = 27;
  std::array<std::uint64_t, kCount> values{};

  std::uint64_t& r10() { return values[7]; }

  std::uint64_t& r9() { return values[8]; }

  std::uint64_t& r8() { return values[9]; }

  std::uint64_t& rax() { return values[10]; }

  std::uint64_t& rdx() { return values[12]; }

  std::uint64_t& rsi() { return values[13]; }

  std::uint64_t& rdi() { return values[14]; }

  /// The number of the call that the task is in; -1 when it is in none.
  std::uint64_t& call_number() { return values[15]; }

  std::uint64_t& instruction_pointer() { return values[16]; }
};

}  // namespace cordon
