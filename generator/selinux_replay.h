#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "generator/recorded_questions.h"
#include "generator/selinux_policy_file.h"
#include "model/recording.h"

namespace cordon {

/// What a recording and a SELinux policy say of each other.
struct SelinuxReplay {
  std::string policy;  ///< name of the target
  std::string domain;
  std::size_t asked = 0;  ///< recorded (object, permission) pairs, ioctl requests each counted
  std::vector<DeniedAccess> denied;
  /// Classes and permissions that the policy does not know, and types that it does not have: not
  /// asked.
  std::set<std::string> unknown;
  std::set<std::string> blind_spots;

  /// How many of `asked` are refused.
  std::size_t Refused() const;
};

/// Asks `file` about everything that `recording` says, done in `domain` (empty: the one that the
/// file was made for). Fails with kInvalidInput when the policy has no such domain.
Expected<SelinuxReplay> ReplayRecording(const SelinuxPolicyFile& file, const std::string& domain,
                                        const Recording& recording);

/// The rule that would allow `access` to `domain`, in the words of a .te file; empty where no rule
/// can, because a constraint forbids it.
std::string MissingRule(const DeniedAccess& access, const std::string& domain);

}  // namespace cordon
