#include "generator/attack_surface.h"

#include <algorithm>
#include <iterator>

#include "generator/call_extent.h"
#include "generator/dangerous_calls.h"
#include "model/recorded_calls.h"

namespace cordon {
namespace {

Expected<AdmittedCalls> Count(const SeccompPolicy& policy, const SeccompPolicy& dockers,
                              Architecture arch) {
  AdmittedCalls calls;
  for (const auto& [number, name] : SyscallsOf(arch)) {
    ASSIGN_OR_RETURN(const CallExtent ours, AdmittedExtent(policy, {arch, number}));
    ASSIGN_OR_RETURN(const CallExtent theirs, AdmittedExtent(dockers, {arch, number}));
    ++calls.known;
    calls.admitted += ours == CallExtent::kNever ? 0 : 1;
    calls.conditional += ours == CallExtent::kSometimes ? 1 : 0;
    calls.docker_default += theirs == CallExtent::kNever ? 0 : 1;
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
