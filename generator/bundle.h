#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/error.h"
#include "generator/seccomp_generator.h"
#include "generator/selinux_generator.h"
#include "generator/selinux_target.h"
#include "model/policy_proof.h"
#include "model/recording.h"
#include "model/seccomp_policy_json.h"
#include "model/selinux_policy.h"

namespace cordon {

struct BundleOptions {
  std::string name = {};
  SeccompOptions seccomp = {};
  SeccompProfileFormat seccomp_format = SeccompProfileFormat::kDocker;
  DomainMode selinux_mode = DomainMode::kEnforcing;
  std::string selinux_target = {};  ///< as SelinuxOptions::target
  SliceCache selinux_cache = SliceCache::kOff;
  NameOrigin name_origin = NameOrigin::kDefault;
};

struct GeneratedBundle {
  std::map<std::string, std::string> files;  ///< by name
  PolicyProof proof;                         ///< what proof.json says
  std::vector<std::string> selinux_summary;  ///< of the SELinux proof, a line each
  std::string one_phase_because;  ///< why a recording with a boundary made no policy of two phases
};

/// Everything that goes into NAME.policy/: seccomp.json, seccomp.bpf, why.json, config.json,
/// MODULE.cil, MODULE.te, MODULE.fc, proof.json, report.html; where every run had a serving
/// boundary (SliceServing()) and refused calls get an errno also seccomp-serve.json and
/// seccomp-serve.bpf. A policy that fails its own proof is an error, never a bundle. Deterministic:
/// equal recordings and options give equal bytes, for one SELinux target. Fails with kInvalidInput
/// for a name that IsBundleName() refuses, otherwise as the generators do. The caller must be
/// single-threaded (GenerateSelinux).
Expected<GeneratedBundle> GenerateBundle(const Recording& recording, const BundleOptions& options);

/// What a bundle for `recording` is called unless the user says otherwise: the program that its
/// earliest run started. Fails with kInvalidInput if no run names one.
Expected<std::string> DefaultBundleName(const Recording& recording);

}  // namespace cordon
