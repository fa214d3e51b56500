#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generator/cil_module.h"

namespace cordon {

/// What a new module can have to do with in a policy: its modules without the rules between types
/// of their own, and without optional blocks that are off. A module that SpeaksFor() takes is
/// compiled with it in a fifth of the time, and then
///
/// - what the whole policy refuses, the slice refuses: a name that is not there or is there
/// already,
///   a broken neverallow rule, contradicting rules, ports or file contexts;
/// - every question in which a type of the module occurs has the same answer, with the same reason;
/// - the file contexts are the same, byte by byte, and so are the names that CilScanner finds.
///
/// docs/decisions/0005-slice-of-a-policy.md says why; it holds for policies that compile as a whole
/// with their neverallow rules on. The slice may refuse more (typebounds of the module, say): a
/// refusal has to be looked at with the whole policy.
struct PolicySlice {
  std::vector<CilModule> modules;
  /// Words of what was left out that are names of nothing in the policy, sorted, a blank between
  /// them: a module that declares one could turn on an optional block.
  std::string absent;

  bool operator==(const PolicySlice&) const = default;

  /// Does `module` only declare types and attributes of names that the policy does not have, and
  /// say how these and the rest of the policy go together?
  bool SpeaksFor(const CilModule& module) const;
};

/// The slice of a policy that consists of `modules`. Nothing where one of them is not CIL or has a
/// statement whose effect on others is not known here: typebounds, deny, blocks and macros.
std::optional<PolicySlice> SlicePolicy(const std::vector<CilModule>& modules);

/// `slice` as bytes, and back; nothing for bytes that are none.
std::string WriteSlice(const PolicySlice& slice);
std::optional<PolicySlice> ReadSlice(std::string_view bytes);

}  // namespace cordon
