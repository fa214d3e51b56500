#include "cli/load_input.h"

#include <filesystem>
#include <utility>

#include "cli/load_seccomp_policy.h"
#include "common/file.h"
#include "common/text.h"
#include "model/recording_json.h"

namespace cordon::cli {

Expected<PolicyOrRecording> LoadPolicyOrRecording(const std::string& path,
                                                  const ProfileContext& context) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxRecordingBytes));
    if (IsRecording(text)) {
      ASSIGN_OR_RETURN(Recording recording, ReadRecording(text, Quote(path)));
      return recording;
    }
  }
  ASSIGN_OR_RETURN(ResolvedProfile profile, LoadSeccompPolicy(path, context));
  return profile;
}

}  // namespace cordon::cli
