#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "model/attack_surface.h"

/// What a policy bundle states about itself, in proof.json.
namespace cordon {

/// Raised whenever a reader of the former version would misread a bundle.
inline constexpr int kBundleVersion = 1;

inline constexpr std::size_t kMaxProofBytes = std::size_t{16} << 20;

/// One program that was interpreted for every recorded call.
struct SeccompReading {
  std::string reader;  ///< "cordon", "runc 1.1", …
  BpfCost cost;
  std::uint64_t held = 0;
};

struct SeccompProof {
  std::uint64_t recorded = 0;            ///< recorded calls, counting each distinct argument tuple
  std::vector<SeccompReading> readings;  ///< every one holds all of `recorded`
  AttackSurface surface;                 ///< of cordon's own reading
  std::vector<std::string>
      left_out;  ///< recorded, not allowed: they always failed with the errno that the policy gives
  std::vector<std::string>
      unrestricted;  ///< what a filter cannot see or this policy does not tell apart
};

/// Of the policy for the serving phase.
struct ServingProof {
  std::set<std::string> when;            ///< what marked the boundary in the runs: "listen", …
  std::uint64_t recorded = 0;            ///< recorded calls of the serving phase
  std::vector<SeccompReading> readings;  ///< each holds all of the calls of its phase
  AttackSurface surface;                 ///< after the boundary
  std::vector<std::string> withheld;     ///< what only the start may do: "execve", "socket (some
                                         ///< arguments)"
};

/// proof.json.
struct PolicyProof {
  std::string name;                ///< the bundle's
  std::vector<std::string> runs;   ///< ids of the runs that the policy was learned from
  std::vector<std::string> files;  ///< all of the bundle but proof.json and report.html
  SeccompProof seccomp;
  std::optional<ServingProof> serving;  ///< nothing: the policy has one phase
  std::string selinux_json;  ///< an object, as the SELinux generator wrote it; empty: none
};

/// Deterministic; ends with a newline.
std::string WritePolicyProof(const PolicyProof& proof);

/// Reads what says which bundle it is: name, runs, files and ServingProof::when; the rest is for
/// people. Fails with kInvalidInput naming `source` and the place.
Expected<PolicyProof> ReadPolicyProof(std::string_view text, std::string_view source);

/// May a bundle be called `name`? 1..64 of A-Z a-z 0-9 . _ - beginning with a letter or digit.
bool IsBundleName(std::string_view name);

}  // namespace cordon
