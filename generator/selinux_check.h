#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "generator/selinux_target.h"

/// Compiling and asking SELinux policy with libsepol. Its state is global, it is not thread-safe,
/// and it ends the process when memory runs out (libsepol/cil/src/cil_mem.c): so each call does its
/// work in a forked child.
namespace cordon {

enum class NeverallowCheck : std::uint8_t { kOff, kOn };

struct CompiledSelinux {
  std::string policy;         ///< the binary policy
  std::string file_contexts;  ///< of all modules together, sorted as libsemanage sorts them
};

/// `modules` and `ours` as one policy. Fails with kInvalidInput and the compiler's own words, made
/// readable, when they do not fit together or break a neverallow rule.
Expected<CompiledSelinux> CompileSelinux(const std::vector<CilModule>& modules,
                                         const CilModule& ours, NeverallowCheck check);

/// May `source` do `permissions` to an object of `object_class` with the type `target`? Both at s0,
/// with `categories` ("c1", "c0,c5") where there are any.
struct SelinuxQuestion {
  std::string source;
  std::string source_role;  ///< "system_r"
  std::string target;
  std::string target_role;  ///< "object_r", or the role of a domain
  std::string object_class;
  std::set<std::string> permissions;
  std::string source_categories = {};
  std::string target_categories = {};
  auto operator<=>(const SelinuxQuestion&) const = default;
};

struct SelinuxAnswer {
  std::set<std::string> missing;  ///< of the permissions asked for; empty: allowed
  std::string reason;             ///< why, where something is missing: no rule, a constraint, …
};

/// The answers of `policy` (a binary policy), in the order of `questions`. A context, class or
/// permission that the policy does not have counts as missing.
Expected<std::vector<SelinuxAnswer>> AskSelinux(const std::string& policy,
                                                const std::vector<SelinuxQuestion>& questions);

/// `policy` (a binary policy) as CIL text, one statement a line, as libsepol writes it: what
/// modules said in optional blocks is decided, file contexts and neverallow rules are gone. Fails
/// with kInvalidInput when libsepol cannot read it.
Expected<std::string> PolicyAsCil(const std::string& policy);

}  // namespace cordon
