#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "generator/selinux_target.h"
#include "model/recording.h"
#include "model/selinux_policy.h"

namespace cordon {

/// Did the user choose the name, or does it come from the recording?
enum class NameOrigin : std::uint8_t { kDefault, kGiven };

struct SelinuxOptions {
  std::string name;  ///< base of the type names: NAME_t, NAME_exec_t, …
  /// "host", "refpolicy-debian12", or a folder that holds a module store; empty: host if installed,
  /// else refpolicy-debian12
  std::string target;
  DomainMode mode = DomainMode::kEnforcing;
  SliceCache cache = SliceCache::kOff;
  NameOrigin name_origin = NameOrigin::kDefault;
};

/// The SELinux part of a bundle.
struct GeneratedSelinux {
  /// NAME, or cordon_NAME where the target already has a module or a type of that name, or the
  /// policy language a word: loading a module "redis" would replace Debian's own.
  std::string module_name;
  std::map<std::string, std::string>
      files;                 ///< MODULE.cil, .te, .fc and, where it can be made, .pp -> content
  std::string domain_label;  ///< "system_u:system_r:MODULE_t:s0", for process.selinuxLabel
  /// An object: target, what was compiled, N of N recorded accesses allowed, what could not be
  /// checked.
  std::string proof_json;
  std::vector<std::string> summary;  ///< of the proof, for people (SummarizeSelinuxProof())
  std::string reasons_json;          ///< an object: why each rule is there (WriteSelinuxReasons())
};

/// A domain and private file types for what `recording` saw, compiled with libsepol against the
/// target, and every recorded access asked of the result. Fails with kInternal when the module does
/// not pass its own proof, with kInvalidInput when the target refuses it (a neverallow rule), when
/// a given name is taken in the target, or when cordon_NAME is, too, with kNotFound when there is
/// no such target. Deterministic for one target. The caller must be single-threaded: libsepol is
/// run in forked children.
Expected<GeneratedSelinux> GenerateSelinux(const Recording& recording,
                                           const SelinuxOptions& options);

}  // namespace cordon
