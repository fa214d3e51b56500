#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cordon {

/// What the launch was doing when it failed: all that a child process between clone and exec can
/// say of itself, with an errno and an index.
enum class LaunchStep : std::uint32_t {
  kNone,
  kMapIds,      ///< waiting for its user namespace's maps
  kJoinCgroup,  ///< index: which cgroup
  kCgroupNamespace,
  kEnterNamespace,  ///< index: which namespace
  kTimeNamespace,
  kTimeOffsets,
  kLoopback,
  kHostname,
  kPrivateMounts,
  kCloneRoot,
  kReadonlyRoot,
  kAttachRoot,
  kMountSource,      ///< index: which mount
  kMountTarget,      ///< index: which mount
  kMountFileSystem,  ///< index: which mount
  kMountAttributes,  ///< index: which mount
  kMountAttach,      ///< index: which mount
  kDeviceNode,       ///< index: which node
  kDeviceLink,       ///< index: which link
  kMaskPath,         ///< index: which masked path
  kReadonlyPath,     ///< index: which read-only path
  kNullDevice,
  kPivotRoot,
  kTerminal,
  kConsole,
  kSession,
  kNotifySocket,
  kCloneWorkload,
  kLandlockRuleset,
  kLandlockRule,  ///< index: which rule
  kProcFd,
  kRlimit,  ///< index: which limit
  kSelinuxLabel,
  kBoundingSet,
  kGroups,
  kUser,
  kCapabilities,
  kNoNewPrivileges,
  kWorkingDirectory,
  kCloseDescriptors,
  kLandlockRestrict,
  kBaseFilter,
  kSeccomp,
  kHandover,
  kExecute,
  // Of containers of engines only (runtime/oci_*):
  kClearGroups,
  kDomainName,
  kTreeRoot,
  kCopyUp,       ///< index: which mount
  kDevice,       ///< index: which of the plan's devices
  kSetting,      ///< index: which kernel setting
  kPropagation,  ///< index: which mount
  kHook,         ///< index: which hook; an errno, or ECHILD for an exit status that is not 0
  kKeyring,
  kStreams,
  kScheduler,
  kIoPriority,
  kPersonality,
  kOomScore,
  kUserRecord,
  kFindCommand,
  kLoadLabel,
  kWaitForStart,
};

/// A phrase for a message: "mounting the root read-only".
std::string_view Describe(LaunchStep step);

/// Where a step in the child ended. `sys_errno` is 0 for success.
struct StepResult {
  LaunchStep step = LaunchStep::kNone;
  int sys_errno = 0;
  std::uint32_t index = 0;

  bool ok() const { return sys_errno == 0; }
};

inline constexpr StepResult kDone{};

/// That `step` failed just now: takes errno.
inline StepResult Failed(LaunchStep step, std::size_t index = 0) {
  return {step, errno, static_cast<std::uint32_t>(index)};
}

}  // namespace cordon
