#pragma once

#include <string>
#include <variant>

#include "common/error.h"
#include "model/recording.h"
#include "model/seccomp_policy_json.h"

namespace cordon::cli {

/// What `path` is: a recording, or a seccomp policy as LoadSeccompPolicy() takes it. Told by the
/// content. Fails with kInvalidInput naming file and place.
using PolicyOrRecording = std::variant<ResolvedProfile, Recording>;
Expected<PolicyOrRecording> LoadPolicyOrRecording(const std::string& path,
                                                  const ProfileContext& context);

}  // namespace cordon::cli
