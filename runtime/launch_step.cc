#include "runtime/launch_step.h"

#include <array>
#include <utility>

namespace cordon {
namespace {

constexpr std::array<std::pair<LaunchStep, std::string_view>, 64> kPhrases{{
    {LaunchStep::kNone, "starting"},
    {LaunchStep::kMapIds, "waiting for the maps of the user namespace"},
    {LaunchStep::kJoinCgroup, "joining the cgroup"},
    {LaunchStep::kCgroupNamespace, "making the cgroup namespace"},
    {LaunchStep::kEnterNamespace, "entering the sandbox's namespaces"},
    {LaunchStep::kTimeNamespace, "making the time namespace"},
    {LaunchStep::kTimeOffsets, "setting the offsets of the clocks"},
    {LaunchStep::kLoopback, "bringing the loopback interface up"},
    {LaunchStep::kHostname, "setting the host name"},
    {LaunchStep::kPrivateMounts, "making the mounts private"},
    {LaunchStep::kCloneRoot, "cloning the root's mounts"},
    {LaunchStep::kReadonlyRoot, "making the root read-only"},
    {LaunchStep::kAttachRoot, "attaching the root"},
    {LaunchStep::kMountSource, "opening the source of the mount on"},
    {LaunchStep::kMountTarget, "finding the place of the mount on"},
    {LaunchStep::kMountFileSystem, "making the file system mounted on"},
    {LaunchStep::kMountAttributes, "setting the attributes of the mount on"},
    {LaunchStep::kMountAttach, "mounting on"},
    {LaunchStep::kDeviceNode, "making the device node"},
    {LaunchStep::kDeviceLink, "making the device link"},
    {LaunchStep::kMaskPath, "masking"},
    {LaunchStep::kReadonlyPath, "making read-only"},
    {LaunchStep::kNullDevice, "checking that the host's /dev/null is device 1:3"},
    {LaunchStep::kPivotRoot, "changing the root"},
    {LaunchStep::kTerminal, "making the terminal"},
    {LaunchStep::kConsole, "showing the terminal at /dev/console"},
    {LaunchStep::kSession, "making the terminal's session"},
    {LaunchStep::kNotifySocket, "making the socket for the readiness notification"},
    {LaunchStep::kCloneWorkload, "making the workload's process"},
    {LaunchStep::kLandlockRuleset, "making the Landlock ruleset"},
    {LaunchStep::kLandlockRule, "adding the Landlock rule for"},
    {LaunchStep::kProcFd, "mounting a private /proc"},
    {LaunchStep::kRlimit, "setting the resource limit"},
    {LaunchStep::kSelinuxLabel, "setting the SELinux label of the workload"},
    {LaunchStep::kBoundingSet, "dropping capabilities from the bounding set"},
    {LaunchStep::kGroups, "setting the groups"},
    {LaunchStep::kUser, "setting the user"},
    {LaunchStep::kCapabilities, "setting the capabilities"},
    {LaunchStep::kNoNewPrivileges, "setting no_new_privs"},
    {LaunchStep::kWorkingDirectory, "changing to the working directory"},
    {LaunchStep::kCloseDescriptors, "closing file descriptors"},
    {LaunchStep::kLandlockRestrict, "applying the Landlock rules"},
    {LaunchStep::kBaseFilter, "loading the filter that every sandbox has"},
    {LaunchStep::kSeccomp, "loading the seccomp filter"},
    {LaunchStep::kHandover, "handing the seccomp listener over"},
    {LaunchStep::kExecute, "executing the command"},
    {LaunchStep::kClearGroups, "becoming root in the user namespace"},
    {LaunchStep::kDomainName, "setting the domain name"},
    {LaunchStep::kTreeRoot, "attaching the root of the container"},
    {LaunchStep::kCopyUp, "copying what is there to the tmpfs on"},
    {LaunchStep::kDevice, "making the device"},
    {LaunchStep::kSetting, "writing the kernel setting"},
    {LaunchStep::kPropagation, "setting the propagation of the mount on"},
    {LaunchStep::kHook, "running the hook"},
    {LaunchStep::kKeyring, "making the session keyring"},
    {LaunchStep::kStreams, "giving the standard streams to the user"},
    {LaunchStep::kScheduler, "setting the scheduler"},
    {LaunchStep::kIoPriority, "setting the I/O priority"},
    {LaunchStep::kPersonality, "setting the personality"},
    {LaunchStep::kOomScore, "setting the score for the OOM killer"},
    {LaunchStep::kUserRecord, "reading the container's /etc/passwd"},
    {LaunchStep::kFindCommand, "looking for the command"},
    {LaunchStep::kLoadLabel, "setting the security label of the command"},
    {LaunchStep::kWaitForStart, "waiting for the start"},
}};

}  // namespace

std::string_view Describe(LaunchStep step) {
  for (const auto& [candidate, phrase] : kPhrases) {
    if (candidate == step) {
      return phrase;
    }
  }
  return "an unknown step";
}

}  // namespace cordon
