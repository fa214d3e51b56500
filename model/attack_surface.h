#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/bpf_cost.h"

/// How much of the kernel a policy leaves within reach, in numbers.
namespace cordon {

/// Of the calls of one architecture that have a name. A call is admitted where some arguments get
/// it past the filter (ALLOW, LOG).
struct AdmittedCalls {
  std::uint64_t known = 0;  ///< what an unconfined program can make
  std::uint64_t admitted = 0;
  std::uint64_t conditional = 0;  ///< of the admitted, those that other arguments do not get past
  std::uint64_t docker_default = 0;  ///< admitted by Docker's default profile
};

/// A group of policies/dangerous_calls.json of which a policy admits something.
struct OpenGroup {
  std::string group;
  std::string reason;
  std::vector<std::string> calls;  ///< what is admitted, as DescribeInvocation() has it
};

struct AttackSurface {
  /// By name: those that the policy lists, and those that Docker's default profile opens beside.
  std::map<std::string, AdmittedCalls> architectures;
  std::vector<std::string> policy_architectures;  ///< those that the policy lists, in its order
  std::vector<OpenGroup> open_groups;
  std::vector<std::string> docker_default_open;  ///< groups, by name
  std::uint64_t known_groups = 0;
  std::optional<BpfCost> filter;  ///< nothing: the policy cannot be compiled here
};

/// An object; deterministic.
std::string AttackSurfaceJson(const AttackSurface& surface);

/// The same in short phrases for people: one for each architecture that the policy lists, one about
/// the groups, one about the filter.
std::vector<std::string> DescribeAttackSurface(const AttackSurface& surface);

}  // namespace cordon
