#pragma once

#include <map>
#include <string>

#include "common/error.h"
#include "generator/seccomp_generator.h"
#include "model/recording.h"

namespace cordon {

struct BundleOptions {
  std::string name;
  SeccompOptions seccomp;
  std::string selinux_target;  ///< as SelinuxOptions::target
};

/// Everything that goes into NAME.policy/, by file name: seccomp.json, seccomp.bpf, config.json,
/// NAME.cil, NAME.te, NAME.fc, proof.json. A policy that fails its own proof is an error, never a
/// bundle. Deterministic: equal recordings and options give equal bytes.
Expected<std::map<std::string, std::string>> GenerateBundle(const Recording& recording,
                                                            const BundleOptions& options);

}  // namespace cordon
