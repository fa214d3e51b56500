#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"

namespace cordon {

/// One system call of one ABI. Numbers that have no name yet are kept; -1 (ptrace's "no call") is a
/// number too.
struct Syscall {
  Architecture arch = Architecture::kX86_64;
  std::int32_t number = -1;  ///< without the x32 bit

  auto operator<=>(const Syscall&) const = default;
};

/// What a seccomp filter sees of a call (struct seccomp_data without the instruction pointer).
struct SyscallInvocation {
  Syscall call;
  std::array<std::uint64_t, 6> arguments{};
};

/// The name of `call` in policies/syscalls.csv (Linux 7.1), or nothing. The view lives as long as
/// the program.
std::optional<std::string_view> SyscallName(Syscall call);

/// "openat", or "syscall_500" for a number without a name: what a person reads.
std::string SyscallLabel(Syscall call);

/// The number of `name` in `arch`, or nothing if that ABI has no such call.
std::optional<std::int32_t> SyscallNumber(Architecture arch, std::string_view name);

/// Is `name` a call of any ABI?
bool IsSyscallName(std::string_view name);

/// Every (number, name) of `arch`, by number.
const std::vector<std::pair<std::int32_t, std::string_view>>& SyscallsOf(Architecture arch);

}  // namespace cordon
