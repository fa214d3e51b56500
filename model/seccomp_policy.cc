#include "model/seccomp_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <utility>

namespace cordon {
namespace {

/// One rule as it applies to one call of one architecture.
struct AppliedRule {
  std::size_t index = 0;  ///< in SeccompPolicy::rules
  SeccompAction action;
  std::vector<ArgumentCondition> conditions;  ///< without those that always hold
  bool multiplexed = false;  ///< came from a rule for a call behind socketcall or ipc
};

struct Multiplexed {
  std::string_view name;
  MultiplexedWay way;
};

// libseccomp 2.5.4 src/syscalls.c; codes: linux/net.h SYS_*, linux/ipc.h.
constexpr std::array kMultiplexed = {
    Multiplexed{"socket", {"socketcall", 1}},
    Multiplexed{"bind", {"socketcall", 2}},
    Multiplexed{"connect", {"socketcall", 3}},
    Multiplexed{"listen", {"socketcall", 4}},
    Multiplexed{"accept", {"socketcall", 5}},
    Multiplexed{"getsockname", {"socketcall", 6}},
    Multiplexed{"getpeername", {"socketcall", 7}},
    Multiplexed{"socketpair", {"socketcall", 8}},
    Multiplexed{"send", {"socketcall", 9}},
    Multiplexed{"recv", {"socketcall", 10}},
    Multiplexed{"sendto", {"socketcall", 11}},
    Multiplexed{"recvfrom", {"socketcall", 12}},
    Multiplexed{"shutdown", {"socketcall", 13}},
    Multiplexed{"setsockopt", {"socketcall", 14}},
    Multiplexed{"getsockopt", {"socketcall", 15}},
    Multiplexed{"sendmsg", {"socketcall", 16}},
    Multiplexed{"recvmsg", {"socketcall", 17}},
    Multiplexed{"accept4", {"socketcall", 18}},
    Multiplexed{"recvmmsg", {"socketcall", 19}},
    Multiplexed{"sendmmsg", {"socketcall", 20}},
    Multiplexed{"semop", {"ipc", 1}},
    Multiplexed{"semget", {"ipc", 2}},
    Multiplexed{"semctl", {"ipc", 3}},
    Multiplexed{"semtimedop", {"ipc", 4}},
    Multiplexed{"msgsnd", {"ipc", 11}},
    Multiplexed{"msgrcv", {"ipc", 12}},
    Multiplexed{"msgget", {"ipc", 13}},
    Multiplexed{"msgctl", {"ipc", 14}},
    Multiplexed{"shmat", {"ipc", 21}},
    Multiplexed{"shmdt", {"ipc", 22}},
    Multiplexed{"shmget", {"ipc", 23}},
    Multiplexed{"shmctl", {"ipc", 24}},
};

/// libseccomp compares only the low word on these, also on x32, whose registers are 64 bits wide.
bool ComparesLowWordOnly(Architecture arch) {
  return arch == Architecture::kX86 || arch == Architecture::kX32 || arch == Architecture::kArm;
}

std::uint64_t ComparableBits(Architecture arch) {
  return ComparesLowWordOnly(arch) ? std::numeric_limits<std::uint32_t>::max()
                                   : std::numeric_limits<std::uint64_t>::max();
}

/// `condition` as it is compared on `arch`.
ArgumentCondition OnArchitecture(ArgumentCondition condition, Architecture arch) {
  condition.value &= ComparableBits(arch);
  condition.mask &= ComparableBits(arch);
  return condition;
}

bool AlwaysHolds(const ArgumentCondition& condition) {
  return condition.comparison == Comparison::kMaskedEqual && condition.mask == 0;
}

bool Holds(const ArgumentCondition& condition, std::uint64_t value) {
  switch (condition.comparison) {
    case Comparison::kEqual:
      return value == condition.value;
    case Comparison::kNotEqual:
      return value != condition.value;
    case Comparison::kLess:
      return value < condition.value;
    case Comparison::kLessOrEqual:
      return value <= condition.value;
    case Comparison::kGreater:
      return value > condition.value;
    case Comparison::kGreaterOrEqual:
      return value >= condition.value;
    case Comparison::kMaskedEqual:
      return (value & condition.mask) == condition.value;
  }
  return false;
}

/// The smallest and greatest value for which `condition` can hold; nothing if there is none. Bounds
/// only: not every value between holds.
struct Interval {
  std::uint64_t low = 0;
  std::uint64_t high = std::numeric_limits<std::uint64_t>::max();
};

std::optional<Interval> Bounds(const ArgumentCondition& condition) {
  constexpr std::uint64_t kMaximum = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t value = condition.value;
  switch (condition.comparison) {
    case Comparison::kEqual:
      return Interval{value, value};
    case Comparison::kNotEqual:
      return Interval{};
    case Comparison::kLess:
      return value == 0 ? std::nullopt : std::optional<Interval>({0, value - 1});
    case Comparison::kLessOrEqual:
      return Interval{0, value};
    case Comparison::kGreater:
      return value == kMaximum ? std::nullopt : std::optional<Interval>({value + 1, kMaximum});
    case Comparison::kGreaterOrEqual:
      return Interval{value, kMaximum};
    case Comparison::kMaskedEqual:
      if ((value & ~condition.mask) != 0) {
        return std::nullopt;
      }
      return Interval{value, value | ~condition.mask};
  }
  return std::nullopt;
}

bool ConditionsExclude(const AppliedRule& left, const AppliedRule& right) {
  return std::ranges::any_of(left.conditions, [&](const ArgumentCondition& a) {
    return std::ranges::any_of(right.conditions, [&](const ArgumentCondition& b) {
      return a.index == b.index && !CanBothHold(a, b);
    });
  });
}

/// One name of one rule that speaks for a call.
struct Mention {
  std::size_t rule = 0;
  std::string_view name;
};

/// What the `mentions` say of the call `name` on `arch`. They are in the order of the rules.
std::vector<AppliedRule> Apply(const SeccompPolicy& policy, Architecture arch,
                               std::string_view name, const std::vector<Mention>& mentions) {
  std::vector<AppliedRule> applied;
  for (const Mention& mention : mentions) {
    const SeccompRule& rule = policy.rules[mention.rule];
    if (rule.action == policy.default_action) {
      continue;
    }
    const std::optional<MultiplexedWay> way = FindMultiplexedWay(arch, mention.name);
    AppliedRule one{mention.rule, rule.action, {}, mention.name != name};
    if (one.multiplexed) {
      if (!way || way->multiplexer != name) {
        continue;
      }
      one.conditions.push_back({0, Comparison::kEqual, way->code, 0});
    }
    for (const ArgumentCondition& condition : rule.conditions) {
      const ArgumentCondition there = OnArchitecture(condition, arch);
      if (!AlwaysHolds(there) && !(one.multiplexed && there.index == 0)) {
        one.conditions.push_back(there);
      }
    }
    applied.push_back(std::move(one));
  }
  return applied;
}

/// Every mention in `policy` that may matter to the call `name`.
std::vector<Mention> MentionsOf(const SeccompPolicy& policy, std::string_view name) {
  const bool multiplexer = std::ranges::any_of(
      kMultiplexed, [&](const Multiplexed& one) { return one.way.multiplexer == name; });
  std::vector<Mention> mentions;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    for (const std::string& mentioned : policy.rules[i].names) {
      if (multiplexer || mentioned == name) {
        mentions.push_back({i, mentioned});
      }
    }
  }
  return mentions;
}

Status CheckConditions(const SeccompPolicy& policy) {
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    std::array<bool, 6> used{};
    for (const ArgumentCondition& condition : policy.rules[i].conditions) {
      if (condition.index >= used.size()) {
        return Fail(InvalidInput(
            fmt::format("rule {}: argument {} is not one of 0..5", i, condition.index)));
      }
      if (std::exchange(used.at(condition.index), true)) {
        return Fail(InvalidInput(fmt::format(
            "rule {}: two conditions on argument {} (container runtimes take them as alternatives)",
            i, condition.index)));
      }
      if (condition.comparison == Comparison::kMaskedEqual &&
          (condition.value & ~condition.mask) != 0) {
        return Fail(InvalidInput(
            fmt::format("rule {}: the masked comparison of argument {} can never hold: value {:#x} "
                        "has bits outside mask {:#x}",
                        i, condition.index, condition.value, condition.mask)));
      }
    }
    for (const std::string& name : policy.rules[i].names) {
      if (!IsSyscallName(name)) {
        return Fail(InvalidInput(fmt::format("rule {}: '{}' is no system call", i, name)));
      }
    }
  }
  return {};
}

/// The first pair that makes the rules for one call ambiguous, if any.
std::optional<std::pair<std::size_t, std::size_t>> FindConflict(
    const std::vector<AppliedRule>& rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    // libseccomp drops what comes after an unconditional rule for the multiplexer before it could
    // conflict.
    if (rules[i].conditions.empty() && std::ranges::all_of(rules, [&](const AppliedRule& other) {
          return other.multiplexed || other.action == rules[i].action;
        })) {
      return std::nullopt;
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (rules[i].action != rules[j].action && !ConditionsExclude(rules[i], rules[j])) {
        return std::pair(rules[j].index, rules[i].index);
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<MultiplexedWay> FindMultiplexedWay(Architecture arch, std::string_view name) {
  if (arch != Architecture::kX86 && arch != Architecture::kS390x &&
      arch != Architecture::kPpc64le) {
    return std::nullopt;
  }
  const auto* const found = std::ranges::find(kMultiplexed, name, &Multiplexed::name);
  return found == kMultiplexed.end() ? std::nullopt : std::optional(found->way);
}

bool CanBothHold(const ArgumentCondition& left, const ArgumentCondition& right) {
  const std::optional<Interval> a = Bounds(left);
  const std::optional<Interval> b = Bounds(right);
  if (!a || !b || a->low > b->high || b->low > a->high) {
    return false;
  }
  const auto fixed_bits = [](const ArgumentCondition& condition) {
    return condition.comparison == Comparison::kEqual         ? ~std::uint64_t{0}
           : condition.comparison == Comparison::kMaskedEqual ? condition.mask
                                                              : 0;
  };
  if (((left.value ^ right.value) & fixed_bits(left) & fixed_bits(right)) != 0) {
    return false;
  }
  if (left.comparison == Comparison::kEqual) {
    return Holds(right, left.value);
  }
  return right.comparison != Comparison::kEqual || Holds(left, right.value);
}

CallRules::CallRules(const SeccompPolicy& policy, Syscall call)
    : default_action_(policy.default_action), comparable_bits_(ComparableBits(call.arch)) {
  const std::optional<std::string_view> name = SyscallName(call);
  if (!name || std::ranges::find(policy.architectures, call.arch) == policy.architectures.end()) {
    return;
  }
  const std::vector<AppliedRule> applied =
      Apply(policy, call.arch, *name, MentionsOf(policy, *name));
  const bool unconditional =
      std::ranges::any_of(applied, [](const AppliedRule& rule) { return rule.conditions.empty(); });
  for (const AppliedRule& rule : applied) {
    if (!unconditional || !rule.multiplexed) {
      rules_.push_back({rule.action, rule.conditions, rule.index});
    }
  }
}

const CallRules::Rule* CallRules::Find(const std::array<std::uint64_t, 6>& arguments) const {
  const auto rank = [](const SeccompAction& action) {
    return std::pair(Restrictiveness(action.kind), action.data);
  };
  const Rule* found = nullptr;
  for (const Rule& rule : rules_) {
    const bool matches =
        std::ranges::all_of(rule.conditions, [&](const ArgumentCondition& condition) {
          return Holds(condition, arguments.at(condition.index) & comparable_bits_);
        });
    if (matches && (found == nullptr || rank(rule.action) > rank(found->action))) {
      found = &rule;
    }
  }
  return found;
}

SeccompAction CallRules::Answer(const std::array<std::uint64_t, 6>& arguments) const {
  const Rule* const rule = Find(arguments);
  return rule == nullptr ? default_action_ : rule->action;
}

bool CallRules::CanAnswer(SeccompActionKind kind) const {
  return std::ranges::any_of(rules_, [&](const Rule& rule) { return rule.action.kind == kind; });
}

SeccompAction Evaluate(const SeccompPolicy& policy, const SyscallInvocation& invocation) {
  return CallRules(policy, invocation.call).Answer(invocation.arguments);
}

std::optional<RuleConflict> FindRuleConflict(const SeccompPolicy& policy) {
  std::map<std::string_view, std::vector<Mention>> by_name;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    for (const std::string& name : policy.rules[i].names) {
      by_name[name].push_back({i, name});
    }
  }
  // Only what has rules can have rules that conflict; the multiplexers may have some under other
  // names.
  by_name["ipc"] = MentionsOf(policy, "ipc");
  by_name["socketcall"] = MentionsOf(policy, "socketcall");
  for (const Architecture arch : policy.architectures) {
    for (const auto& [name, mentions] : by_name) {
      const std::optional<std::int32_t> number = SyscallNumber(arch, name);
      if (!number) {
        continue;
      }
      if (const auto conflict = FindConflict(Apply(policy, arch, name, mentions))) {
        return RuleConflict{conflict->first, conflict->second, {arch, *number}};
      }
    }
  }
  return std::nullopt;
}

std::string Describe(const RuleConflict& conflict, std::string_view first,
                     std::string_view second) {
  return fmt::format(
      "rules {} and {} answer differently to the same {} on {}: which one holds would depend on "
      "the container runtime",
      first, second, SyscallLabel(conflict.call), Name(conflict.call.arch));
}

Status CheckConsistent(const SeccompPolicy& policy) {
  if (policy.architectures.empty()) {
    return Fail(InvalidInput("the policy lists no architecture"));
  }
  RETURN_IF_ERROR(CheckConditions(policy));
  if (const std::optional<RuleConflict> conflict = FindRuleConflict(policy)) {
    return Fail(InvalidInput(
        Describe(*conflict, std::to_string(conflict->first), std::to_string(conflict->second))));
  }
  return {};
}

bool Admits(const SeccompAction& action) {
  return action.kind == SeccompActionKind::kAllow || action.kind == SeccompActionKind::kLog;
}

int Restrictiveness(SeccompActionKind kind) {
  return static_cast<int>(kind);
}

}  // namespace cordon
