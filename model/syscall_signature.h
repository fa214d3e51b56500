#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/syscall.h"

namespace cordon {

/// How the values of a recorded scalar relate, and so how a filter may generalise them.
enum class ScalarKind : std::uint8_t {
  kValue,  ///< an enumeration: distinct values mean distinct things (socket family, ioctl request)
  kFlags,  ///< independent bits: a set of them is safe where each bit is (clone flags, mmap prot)
};

/// One scalar that a recording keeps of a call.
struct ScalarArgument {
  std::uint8_t index = 0;  ///< 0..5, the register argument
  ScalarKind kind = ScalarKind::kValue;
  std::uint8_t width_bits =
      32;  ///< what the kernel looks at of the register: 32 or 64; a filter must mask the rest
  /// Empty: the register itself, which a seccomp filter can see. Otherwise the member of the struct
  /// that the register points to
  /// ("flags" of clone3's clone_args), which it can not.
  std::string_view member;
};

/// The scalars recorded of a call named `name` on `arch`, in the order in which argument tuples
/// list them; empty for most calls. Stays valid for the life of the program. Source: the man page
/// of each call.
std::span<const ScalarArgument> RecordedScalars(Architecture arch, std::string_view name);

}  // namespace cordon
