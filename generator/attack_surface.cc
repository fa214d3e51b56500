#include "generator/attack_surface.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "generator/dangerous_calls.h"
#include "model/answer_diagrams.h"
#include "model/recorded_calls.h"
#include "model/seccomp_policy_json.h"
#include "policies/embedded.h"

namespace cordon {
namespace {

constexpr KernelVersion kKernel = {6, 1};

/// On which architecture the engine runs that starts programs of `arch` beside its own.
Architecture EngineOf(Architecture arch) {
  switch (arch) {
    case Architecture::kX86:
    case Architecture::kX32:
      return Architecture::kX86_64;
    case Architecture::kArm:
      return Architecture::kAarch64;
    default:
      return arch;
  }
}

Expected<SeccompPolicy> DockersDefault(Architecture arch) {
  constexpr std::string_view kSource = "policies/docker_default.json";
  Expected<ResolvedProfile> profile = ReadContainerProfile(
      policies::kDockerDefault, kSource, {EngineOf(arch), DefaultContainerCapabilities(), kKernel});
  if (!profile) {
    return Fail(MakeError(ErrorCode::kInternal, profile.error().message));
  }
  return std::move(profile->policy);
}

enum class Extent : std::uint8_t { kNever, kSometimes, kAlways };

/// For which arguments `policy` admits `call`.
Expected<Extent> AdmittedExtent(const SeccompPolicy& policy, Syscall call) {
  AnswerDiagrams diagrams;
  ASSIGN_OR_RETURN(const AnswerDiagrams::Node function, diagrams.Of(CallRules(policy, call)));
  const std::vector<SeccompAction> answers = diagrams.Answers(function);
  if (std::ranges::none_of(answers, Admits)) {
    return Extent::kNever;
  }
  return std::ranges::all_of(answers, Admits) ? Extent::kAlways : Extent::kSometimes;
}

Expected<AdmittedCalls> Count(const SeccompPolicy& policy, const SeccompPolicy& dockers,
                              Architecture arch) {
  AdmittedCalls calls;
  for (const auto& [number, name] : SyscallsOf(arch)) {
    ASSIGN_OR_RETURN(const Extent ours, AdmittedExtent(policy, {arch, number}));
    ASSIGN_OR_RETURN(const Extent theirs, AdmittedExtent(dockers, {arch, number}));
    ++calls.known;
    calls.admitted += ours == Extent::kNever ? 0 : 1;
    calls.conditional += ours == Extent::kSometimes ? 1 : 0;
    calls.docker_default += theirs == Extent::kNever ? 0 : 1;
  }
  return calls;
}

}  // namespace

Expected<AttackSurface> MeasureAttackSurface(const SeccompPolicy& policy) {
  AttackSurface surface;
  ASSIGN_OR_RETURN(const SeccompPolicy native, DockersDefault(policy.architectures.front()));
  for (const Architecture arch : policy.architectures) {
    ASSIGN_OR_RETURN(const SeccompPolicy dockers, DockersDefault(arch));
    ASSIGN_OR_RETURN(surface.architectures[std::string(Name(arch))], Count(policy, dockers, arch));
    surface.policy_architectures.emplace_back(Name(arch));
  }
  for (const Architecture arch : native.architectures) {
    if (!surface.architectures.contains(std::string(Name(arch)))) {
      ASSIGN_OR_RETURN(surface.architectures[std::string(Name(arch))], Count(policy, native, arch));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<DangerousGroup> groups, LoadDangerousGroups());
  surface.known_groups = groups.size();
  for (const DangerousGroup& group : groups) {
    ASSIGN_OR_RETURN(const std::vector<SyscallInvocation> open, FindOpenCalls(policy, group));
    if (!open.empty()) {
      OpenGroup& found = surface.open_groups.emplace_back(group.group, group.reason);
      std::ranges::transform(open, std::back_inserter(found.calls), DescribeInvocation);
    }
    ASSIGN_OR_RETURN(const std::vector<SyscallInvocation> theirs, FindOpenCalls(native, group));
    if (!theirs.empty()) {
      surface.docker_default_open.push_back(group.group);
    }
  }
  return surface;
}

}  // namespace cordon
