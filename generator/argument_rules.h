#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "model/recording.h"
#include "model/seccomp_policy.h"

/// Which calls a policy tells apart by their arguments, and how. A condition is written only where
/// it is provably right: on registers, never on what they point to; masked to the bits that the
/// kernel looks at; at most one on an argument in a rule. What is not allowed gets rules of its own
/// that exclude every allowing rule by a masked comparison, so that the refusal does not hang on
/// the default action.
namespace cordon {

/// TCGETS2 of asm-generic/ioctls.h, whose macro needs a struct that collides with the C library's.
inline constexpr std::uint64_t kTcgets2 = 0x802c542a;

/// One register argument that a policy looks at.
struct WatchedArgument {
  std::uint8_t position = 0;  ///< in RecordedScalars() of the call
  std::uint64_t mask = 0;     ///< the bits that count
  std::uint8_t index = 0;     ///< 0..5, of the register; set by WatchOn()
};

/// Whether what was never seen is refused, or only what is named dangerous.
enum class ArgumentPolicy : std::uint8_t { kAllowSeen, kRefuseListed };

/// A call whose arguments a policy tells apart.
struct WatchedCall {
  std::string_view name;
  ArgumentPolicy policy = ArgumentPolicy::kAllowSeen;
  std::vector<WatchedArgument> arguments;
  /// Of the first argument. kAllowSeen: what is allowed when a base set or a family brings the
  /// call, which then has one argument. kRefuseListed: what is refused unless seen.
  std::vector<std::uint64_t> values;
  std::string_view what;  ///< for people: "family and type"
};

/// The calls that are watched, by name. Source of each: its man page.
std::span<const WatchedCall> WatchedCalls();

/// How `name` is watched by a policy for `architectures`. Nothing if it is not watched, or if its
/// arguments are not in the same registers on all of them (clone on s390x): a profile has no rules
/// for one architecture alone.
std::optional<WatchedCall> WatchOn(std::string_view name,
                                   std::span<const Architecture> architectures);

/// Masked register values, one per watched argument of a call.
using WatchedValues = std::vector<std::uint64_t>;

/// The watched values in `tuple`, which has RecordedScalars() of the call.
WatchedValues ValuesOf(const WatchedCall& call, const ArgumentTuple& tuple);

/// Every register for which (register & mask) == value.
struct ValueBlock {
  std::uint64_t mask = 0;
  std::uint64_t value = 0;
  auto operator<=>(const ValueBlock&) const = default;
};

/// One block per watched argument of a call.
using WatchedBlocks = std::vector<ValueBlock>;

/// The blocks that hold nothing but `values`, of which there is one per watched argument of `call`.
WatchedBlocks Exactly(const WatchedCall& call, const WatchedValues& values);

/// Disjoint blocks that together are every value outside `blocks`, as few as a binary tree over the
/// bits they look at has.
std::vector<ValueBlock> ComplementBlocks(const std::set<ValueBlock>& blocks);

/// The one block of all values that agree with `range` in the leading bits that its extremes share,
/// and have no bit that is in none of its values. With mask 0: nothing is known of them.
ValueBlock CommonBits(const ScalarRange& range, std::uint64_t mask);

/// The values minimum..maximum of `range` as aligned, disjoint blocks where that is less than
/// CommonBits() admits, and those otherwise.
std::vector<ValueBlock> CoveringBlocks(const ScalarRange& range, std::uint64_t mask);

/// Conditions under which the call is allowed, and under which it is refused; together they cover
/// every value, and no two exclude nothing.
struct ArgumentRules {
  std::vector<std::vector<ArgumentCondition>> allow;
  std::vector<std::vector<ArgumentCondition>> refuse;
};

/// The rules for a call that may be made with `seen`, in which two blocks for one argument are
/// equal or disjoint. An allowing rule without conditions means: always. Nothing for kAllowSeen and
/// nothing seen.
ArgumentRules MakeArgumentRules(const WatchedCall& call, const std::set<WatchedBlocks>& seen);

}  // namespace cordon
