#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/error.h"
#include "model/recording.h"

namespace cordon {

struct SelinuxOptions {
  std::string name;    ///< base of the type names: NAME_t, NAME_exec_t, …
  std::string target;  ///< "host", "refpolicy-debian12", or a folder that holds a module store;
                       ///< empty: host if installed, else refpolicy-debian12
};

/// The SELinux part of a bundle.
struct GeneratedSelinux {
  std::map<std::string, std::string> files;  ///< NAME.cil, NAME.te, NAME.fc -> content
  std::string domain_label;  ///< "system_u:system_r:NAME_t:s0", for process.selinuxLabel
  std::string proof_json;    ///< an object: target, what was compiled, N of N recorded accesses
                             ///< allowed, what could not be checked
};

/// A domain and private file types for what `recording` saw, compiled with libsepol against the
/// target, and every recorded access asked of the result. Fails with kInternal when the module does
/// not pass its own proof, with kInvalidInput when `options.name` collides with a type of the
/// target. Deterministic for one target.
Expected<GeneratedSelinux> GenerateSelinux(const Recording& recording,
                                           const SelinuxOptions& options);

}  // namespace cordon
