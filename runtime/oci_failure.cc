#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "common/text.h"
#include "runtime/capability_names.h"
#include "runtime/oci_create.h"

namespace cordon {
namespace {

std::string NameOf(const OciContainerPlan& plan, const SetupMessage& message) {
  const std::size_t index = message.index;
  switch (message.step) {
    case LaunchStep::kMountSource:
    case LaunchStep::kMountTarget:
    case LaunchStep::kMountFileSystem:
    case LaunchStep::kMountAttributes:
    case LaunchStep::kMountAttach:
    case LaunchStep::kCopyUp:
    case LaunchStep::kPropagation:
      return index < plan.mounts.size() ? Quote(plan.mounts[index].destination) : "the root";
    case LaunchStep::kMaskPath:
      return index < plan.masked_paths.size() ? Quote(plan.masked_paths[index]) : "";
    case LaunchStep::kReadonlyPath:
      return index < plan.readonly_paths.size() ? Quote(plan.readonly_paths[index]) : "";
    case LaunchStep::kDevice:
      return index < plan.devices.size() ? Quote(plan.devices[index].device.path) : "";
    case LaunchStep::kSetting:
      return index < plan.settings.size() ? Quote(plan.settings[index].path) : "";
    case LaunchStep::kHook:
      return fmt::format("{} of those that run inside", index + 1);
    case LaunchStep::kHostname:
      return Quote(plan.hostname);
    default:
      return {};
  }
}

Error Named(LaunchStep step, int sys_errno, const std::string& name) {
  std::string what(Describe(step));
  if (!name.empty()) {
    what += " " + name;
  }
  return SystemError(sys_errno, std::move(what));
}

}  // namespace

Error DescribeOciProcessFailure(const OciProcessPlan& plan, const StepResult& result) {
  const std::string command = plan.arguments.empty() ? std::string() : plan.arguments.front();
  switch (result.step) {
    // Engines know these by their words: they make 127 and 126 of them.
    case LaunchStep::kFindCommand:
      if (result.sys_errno == ENOENT && command.find('/') == std::string::npos) {
        return MakeError(
            ErrorCode::kNotFound,
            fmt::format("exec: \"{}\": executable file not found in $PATH", ToUtf8(command)));
      }
      [[fallthrough]];
    case LaunchStep::kExecute: {
      Error error = SystemError(result.sys_errno, "");
      error.message = fmt::format("exec: \"{}\": {}", ToUtf8(command),
                                  result.sys_errno == ENOENT   ? "no such file or directory"
                                  : result.sys_errno == EACCES ? "permission denied"
                                                               : std::strerror(result.sys_errno));
      return error;
    }
    case LaunchStep::kWorkingDirectory:
      return Named(result.step, result.sys_errno, Quote(plan.working_directory));
    case LaunchStep::kBoundingSet:
      return Named(result.step, result.sys_errno, CapabilityName(result.index));
    case LaunchStep::kUser:
      return Named(result.step, result.sys_errno, std::to_string(plan.uid));
    case LaunchStep::kRlimit:
      return Named(result.step, result.sys_errno,
                   result.index < plan.rlimits.size() ? plan.rlimits[result.index].name : "");
    case LaunchStep::kLandlockRule:
      return Named(result.step, result.sys_errno,
                   result.index < plan.landlock.rules.size()
                       ? Quote(plan.landlock.rules[result.index].path)
                       : "");
    case LaunchStep::kLoadLabel:
      return Named(result.step, result.sys_errno, Quote(plan.security_label));
    default:
      return Named(result.step, result.sys_errno, {});
  }
}

Error DescribeOciFailure(const OciContainerPlan& plan, const SetupMessage& message) {
  if (message.step == LaunchStep::kHook) {
    const std::string name = NameOf(plan, message);
    return message.value == ECHILD ? MakeError(ErrorCode::kSystem, "hook " + name + " failed")
                                   : SystemError(message.value, "hook " + name);
  }
  if (const std::string name = NameOf(plan, message); !name.empty()) {
    return Named(message.step, message.value, name);
  }
  return DescribeOciProcessFailure(plan.process, {message.step, message.value, message.index});
}

}  // namespace cordon
