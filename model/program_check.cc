#include "model/program_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "model/bpf_interpreter.h"
#include "model/seccomp_compiler.h"

namespace cordon {
namespace {

/// Register values on both sides of what `condition` tells apart, with and without bits in the high
/// word.
std::set<std::uint64_t> Borders(const ArgumentCondition& condition) {
  constexpr std::uint64_t kHighGarbage = 0xdeadbeef00000000;
  const std::uint64_t v = condition.value;
  std::set<std::uint64_t> values = {v, v - 1, v + 1, v | kHighGarbage,
                                    v ^ (std::uint64_t{1} << 32)};
  if (condition.comparison == Comparison::kMaskedEqual) {
    const std::uint64_t lowest_bit = condition.mask & (~condition.mask + 1);
    values.insert({condition.mask, v | ~condition.mask, v ^ lowest_bit, v ^ condition.mask});
  }
  return values;
}

constexpr std::size_t kMaxProbesPerCall = 1500;

/// Calls of `call`, named `name`, on every side of the conditions that `policy` has for it, at most
/// kMaxProbesPerCall. Each argument that has a condition gets the borders of all of them:
/// libseccomp 2.5.4 has been seen to compare one argument with what belongs to another.
std::vector<SyscallInvocation> Probes(const SeccompPolicy& policy, Syscall call,
                                      std::string_view name) {
  std::set<std::size_t> indexes;
  std::set<std::uint64_t> borders = {0, ~std::uint64_t{0}};
  for (const SeccompRule& rule : policy.rules) {
    for (const std::string& rule_name : rule.names) {
      const std::optional<MultiplexedWay> way = FindMultiplexedWay(call.arch, rule_name);
      const bool multiplexed = way && way->multiplexer == name;
      if (multiplexed) {
        indexes.insert(0);
        borders.insert(way->code);
      }
      for (const ArgumentCondition& condition : rule.conditions) {
        if (multiplexed || rule_name == name) {
          indexes.insert(condition.index);
          borders.merge(Borders(condition));
        }
      }
    }
  }
  std::vector<SyscallInvocation> probes = {{call, {}}};
  const std::vector<std::uint64_t> values(borders.begin(), borders.end());
  double combinations = 1;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    combinations *= static_cast<double>(values.size());
  }
  const bool all = combinations <= static_cast<double>(kMaxProbesPerCall);
  const std::size_t count = indexes.empty() ? 0
                            : all           ? static_cast<std::size_t>(combinations)
                                            : kMaxProbesPerCall;
  std::minstd_rand random;  // the same numbers each time
  for (std::size_t n = 0; n < count; ++n) {
    SyscallInvocation probe{call, {}};
    std::size_t rest = n;
    for (const std::size_t index : indexes) {
      probe.arguments.at(index) = values[(all ? rest : random()) % values.size()];
      rest /= values.size();
    }
    probes.push_back(probe);
  }
  return probes;
}

}  // namespace

Status CheckProgram(const SeccompPolicy& policy, const std::vector<sock_filter>& program) {
  ASSIGN_OR_RETURN(const BpfInterpreter interpreter, BpfInterpreter::Create(program));
  for (const Architecture arch : policy.architectures) {
    for (const auto& [number, name] : SyscallsOf(arch)) {
      const CallRules rules(policy, {arch, number});
      for (const SyscallInvocation& probe : Probes(policy, {arch, number}, name)) {
        if (interpreter.Run(probe) != WordOfAction(rules.Answer(probe.arguments))) {
          return Fail(
              MakeError(ErrorCode::kUnsupported,
                        fmt::format("{} compiles the rules for {} on {} to something else than "
                                    "they say (arguments {:#x} {:#x} {:#x})",
                                    SeccompCompilerVersion(), name, Name(arch), probe.arguments[0],
                                    probe.arguments[1], probe.arguments[2])));
        }
      }
    }
  }
  return {};
}

}  // namespace cordon
