#include "generator/call_extent.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "model/answer_diagrams.h"
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

}  // namespace

Expected<SeccompPolicy> DockersDefault(Architecture arch) {
  constexpr std::string_view kSource = "policies/docker_default.json";
  Expected<ResolvedProfile> profile = ReadContainerProfile(
      policies::kDockerDefault, kSource, {EngineOf(arch), DefaultContainerCapabilities(), kKernel});
  if (!profile) {
    return Fail(MakeError(ErrorCode::kInternal, profile.error().message));
  }
  return std::move(profile->policy);
}

Expected<CallExtent> AdmittedExtent(const SeccompPolicy& policy, Syscall call) {
  AnswerDiagrams diagrams;
  ASSIGN_OR_RETURN(const AnswerDiagrams::Node function, diagrams.Of(CallRules(policy, call)));
  const std::vector<SeccompAction> answers = diagrams.Answers(function);
  if (std::ranges::none_of(answers, Admits)) {
    return CallExtent::kNever;
  }
  return std::ranges::all_of(answers, Admits) ? CallExtent::kAlways : CallExtent::kSometimes;
}

}  // namespace cordon
