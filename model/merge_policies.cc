#include "model/merge_policies.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace cordon {
namespace {

constexpr std::size_t kMaxRulesPerCall = 512;
constexpr std::string_view kCommentSeparator = "; ";
constexpr std::array<std::string_view, 2> kMultiplexers = {"ipc", "socketcall"};

using Node = AnswerDiagrams::Node;
using Rules = std::vector<AnswerDiagrams::Rule>;

bool IsMultiplexer(std::string_view name) {
  return std::ranges::find(kMultiplexers, name) != kMultiplexers.end();
}

bool Is32Bit(const SeccompPolicy& policy, Architecture arch) {
  return CallRules(policy, {arch, 0}).comparable_bits() >> 32U == 0;
}

std::vector<Architecture> AllArchitectures() {
  std::vector<Architecture> all;
  all.reserve(kArchitectureCount);
  for (std::size_t i = 0; i < kArchitectureCount; ++i) {
    all.push_back(static_cast<Architecture>(i));
  }
  return all;
}

class Merge {
 public:
  Merge(const std::vector<SeccompPolicy>& policies, AnswerPreference preference)
      : policies_(policies), preference_(preference), everywhere_(policies) {
    for (SeccompPolicy& policy : everywhere_) {
      policy.architectures = AllArchitectures();
    }
  }

  Expected<MergedPolicy> Run();

 private:
  Status ListArchitectures();
  Status AddCall(const std::string& name);
  Status AddMultiplexer(const std::string& name);
  /// What all of `from` together answer to `call`.
  Expected<Node> Wanted(AnswerDiagrams& diagrams, const std::vector<SeccompPolicy>& from,
                        Syscall call) const;
  /// The rules for `name` of each policy, and those of all together.
  std::vector<Rules> Words(const std::string& name) const;
  /// What to try for `name`, the most readable first: the words of one policy, those of all, words
  /// made of the function.
  std::vector<Rules> Candidates(AnswerDiagrams& diagrams, const std::string& name,
                                const std::map<Architecture, Node>& wanted) const;
  /// Do `rules` say exactly what is wanted?
  Expected<bool> Fit(AnswerDiagrams& diagrams, const Rules& rules, const std::string& name,
                     const std::map<Architecture, Node>& wanted) const;
  /// Is the multiplexer `name` answered as it is wanted, and alike by every consumer?
  Expected<bool> MultiplexerFits(AnswerDiagrams& diagrams, const std::string& name,
                                 const std::map<Architecture, Node>& wanted) const;
  Expected<Rules> Approximation(AnswerDiagrams& diagrams,
                                const std::map<Architecture, Node>& wanted) const;
  void Keep(const std::string& name, const Rules& rules);
  std::string Comment(const std::string& name, const SeccompAction& action) const;
  void WriteRules();
  Status CheckAnswers();

  const std::vector<SeccompPolicy>& policies_;
  AnswerPreference preference_;
  std::vector<SeccompPolicy> everywhere_;  ///< policies_, as if they listed every architecture
  MergedPolicy out_;
  /// The rules to write, by action, conditions and comment -> names.
  std::map<std::pair<AnswerDiagrams::Rule, std::string>, std::set<std::string>> kept_;
};

Status Merge::ListArchitectures() {
  std::map<Architecture, std::size_t> listed;
  for (const SeccompPolicy& policy : policies_) {
    for (const Architecture arch : policy.architectures) {
      ++listed[arch];
    }
  }
  for (const auto& [arch, times] : listed) {
    if (preference_ == AnswerPreference::kMorePermissive || times == policies_.size()) {
      out_.policy.architectures.push_back(arch);
    }
  }
  if (out_.policy.architectures.empty()) {
    return Fail(InvalidInput("the policies have no architecture in common"));
  }
  return {};
}

Expected<Node> Merge::Wanted(AnswerDiagrams& diagrams, const std::vector<SeccompPolicy>& from,
                             Syscall call) const {
  std::optional<Node> wanted;
  for (const SeccompPolicy& policy : from) {
    ASSIGN_OR_RETURN(Node one, diagrams.Of(CallRules(policy, call)));
    if (wanted) {
      ASSIGN_OR_RETURN(one, diagrams.Combine(*wanted, one, preference_));
    }
    wanted = one;
  }
  return wanted.value_or(0);
}

std::vector<Rules> Merge::Words(const std::string& name) const {
  std::set<std::pair<std::size_t, Rules>> words;
  Rules all;
  for (const SeccompPolicy& policy : policies_) {
    Rules own;
    for (const SeccompRule& rule : policy.rules) {
      if (rule.action != out_.policy.default_action &&
          std::ranges::find(rule.names, name) != rule.names.end()) {
        own.emplace_back(rule.action, rule.conditions);
      }
    }
    all.insert(all.end(), own.begin(), own.end());
    std::ranges::sort(own);
    words.emplace(own.size(), std::move(own));
  }
  std::vector<Rules> candidates;
  candidates.reserve(words.size() + 1);
  for (const auto& [size, rules] : words) {
    candidates.push_back(rules);
  }
  std::ranges::sort(all);
  const auto repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  candidates.push_back(std::move(all));
  return candidates;
}

std::vector<Rules> Merge::Candidates(AnswerDiagrams& diagrams, const std::string& name,
                                     const std::map<Architecture, Node>& wanted) const {
  std::vector<Rules> candidates = Words(name);
  const bool only_32_bits =
      std::ranges::all_of(wanted, [&](const auto& one) { return Is32Bit(out_.policy, one.first); });
  for (const auto& [arch, function] : wanted) {
    if (Expected<Rules> made = diagrams.Rules(function, out_.policy.default_action,
                                              only_32_bits ? 32 : 64, kMaxRulesPerCall)) {
      candidates.push_back(*std::move(made));
    }
  }
  return candidates;
}

Expected<bool> Merge::Fit(AnswerDiagrams& diagrams, const Rules& rules, const std::string& name,
                          const std::map<Architecture, Node>& wanted) const {
  SeccompPolicy policy{out_.policy.default_action, {}, {}, {}};
  for (const auto& [action, conditions] : rules) {
    policy.rules.push_back({{name}, action, conditions, ""});
  }
  for (const auto& [arch, function] : wanted) {
    policy.architectures = {arch};
    ASSIGN_OR_RETURN(const Node said, diagrams.Of(CallRules(
                                          policy, {arch, SyscallNumber(arch, name).value_or(-1)})));
    const std::optional<RuleConflict> conflict = FindRuleConflict(policy);
    if (said != function || (conflict && SyscallName(conflict->call).value_or("") == name)) {
      return false;
    }
  }
  return true;
}

Expected<Rules> Merge::Approximation(AnswerDiagrams& diagrams,
                                     const std::map<Architecture, Node>& wanted) const {
  const bool any_32_bit =
      std::ranges::any_of(wanted, [&](const auto& one) { return Is32Bit(out_.policy, one.first); });
  std::optional<Node> bound;
  for (const auto& [arch, function] : wanted) {
    Node one = function;
    if (any_32_bit) {
      ASSIGN_OR_RETURN(one, diagrams.WithoutHighHalves(one, preference_));
    }
    if (bound) {
      ASSIGN_OR_RETURN(one, diagrams.Combine(*bound, one, preference_));
    }
    bound = one;
  }
  return diagrams.Rules(bound.value_or(0), out_.policy.default_action, 64, kMaxRulesPerCall);
}

/// Of the comments that the policies have on such rules each is kept once.
std::string Merge::Comment(const std::string& name, const SeccompAction& action) const {
  std::set<std::string> comments;
  for (const SeccompPolicy& policy : policies_) {
    for (const SeccompRule& rule : policy.rules) {
      if (rule.action != action || std::ranges::find(rule.names, name) == rule.names.end()) {
        continue;
      }
      std::size_t begin = 0;
      while (begin < rule.comment.size()) {
        const std::size_t end =
            std::min(rule.comment.find(kCommentSeparator, begin), rule.comment.size());
        comments.insert(rule.comment.substr(begin, end - begin));
        begin = end + kCommentSeparator.size();
      }
    }
  }
  std::string joined;
  for (const std::string& comment : comments) {
    joined += joined.empty() ? "" : kCommentSeparator;
    joined += comment;
  }
  return joined;
}

void Merge::Keep(const std::string& name, const Rules& rules) {
  for (const AnswerDiagrams::Rule& rule : rules) {
    kept_[{rule, Comment(name, rule.first)}].insert(name);
  }
}

Status Merge::AddCall(const std::string& name) {
  AnswerDiagrams diagrams;
  std::map<Architecture, Node> wanted;
  for (const Architecture arch : out_.policy.architectures) {
    if (const auto number = SyscallNumber(arch, name)) {
      ASSIGN_OR_RETURN(wanted[arch], Wanted(diagrams, policies_, {arch, *number}));
    }
  }
  // A portable policy names calls that only other architectures have.
  if (wanted.empty()) {
    for (const Architecture arch : AllArchitectures()) {
      if (const auto number = SyscallNumber(arch, name)) {
        ASSIGN_OR_RETURN(wanted[arch], Wanted(diagrams, everywhere_, {arch, *number}));
      }
    }
  }
  for (const Rules& rules : Candidates(diagrams, name, wanted)) {
    ASSIGN_OR_RETURN(const bool fit, Fit(diagrams, rules, name, wanted));
    if (fit) {
      Keep(name, rules);
      return {};
    }
  }
  ASSIGN_OR_RETURN(const Rules rules, Approximation(diagrams, wanted));
  Keep(name, rules);
  return {};
}

Expected<bool> Merge::MultiplexerFits(AnswerDiagrams& diagrams, const std::string& name,
                                      const std::map<Architecture, Node>& wanted) const {
  const std::optional<RuleConflict> conflict = FindRuleConflict(out_.policy);
  if (conflict && SyscallName(conflict->call).value_or("") == name) {
    return false;
  }
  for (const auto& [arch, function] : wanted) {
    const Syscall call{arch, SyscallNumber(arch, name).value_or(-1)};
    ASSIGN_OR_RETURN(const Node said, diagrams.Of(CallRules(out_.policy, call)));
    if (said != function) {
      return false;
    }
  }
  return true;
}

/// After all other calls: their rules open the multiplexers, too.
Status Merge::AddMultiplexer(const std::string& name) {
  AnswerDiagrams diagrams;
  std::map<Architecture, Node> wanted;
  std::optional<SeccompAction> bound;
  for (const Architecture arch : out_.policy.architectures) {
    if (const auto number = SyscallNumber(arch, name)) {
      ASSIGN_OR_RETURN(wanted[arch], Wanted(diagrams, policies_, {arch, *number}));
      for (const SeccompAction& answer : diagrams.Answers(wanted[arch])) {
        bound = Prefer(bound.value_or(answer), answer, preference_);
      }
    }
  }
  SeccompAction action = bound.value_or(out_.policy.default_action);
  if (action == out_.policy.default_action && action.kind == SeccompActionKind::kErrno) {
    // Consumers would skip the rule, and libseccomp open the multiplexer for the single calls.
    action.data = action.data == EACCES ? EPERM : EACCES;
  }
  std::vector<Rules> candidates = Words(name);
  candidates.insert(candidates.begin(), Rules{});
  candidates.push_back({{action, {}}});
  const std::vector<SeccompRule> others = out_.policy.rules;
  for (const Rules& rules : candidates) {
    out_.policy.rules.clear();
    for (const auto& [answer, conditions] : rules) {
      out_.policy.rules.push_back({{name}, answer, conditions, Comment(name, answer)});
    }
    // The multiplexers stand before all others (CheckConsistent()).
    out_.policy.rules.insert(out_.policy.rules.end(), others.begin(), others.end());
    ASSIGN_OR_RETURN(const bool fits, MultiplexerFits(diagrams, name, wanted));
    if (fits) {
      break;
    }
  }
  // Where nothing fits, the last stays: it errs to the right side.
  return {};
}

void Merge::WriteRules() {
  for (const auto& [rule, names] : kept_) {
    const auto& [answer, comment] = rule;
    out_.policy.rules.push_back(
        {{names.begin(), names.end()}, answer.first, answer.second, comment});
  }
}

/// Is the result what it should be? What it is not, but errs to the right side, is noted.
Status Merge::CheckAnswers() {
  RETURN_IF_ERROR(CheckConsistent(out_.policy));
  std::set<Architecture> architectures;
  for (const SeccompPolicy& policy : policies_) {
    architectures.insert(policy.architectures.begin(), policy.architectures.end());
  }
  const bool is_union = preference_ == AnswerPreference::kMorePermissive;
  for (const Architecture arch : architectures) {
    for (const auto& [number, name] : SyscallsOf(arch)) {
      const Syscall call{arch, number};
      AnswerDiagrams diagrams;
      ASSIGN_OR_RETURN(const Node wanted, Wanted(diagrams, policies_, call));
      ASSIGN_OR_RETURN(const Node said, diagrams.Of(CallRules(out_.policy, call)));
      const auto wrong =
          diagrams.Find(said, wanted, [&](const SeccompAction& left, const SeccompAction& right) {
            const int by = Restrictiveness(left.kind) - Restrictiveness(right.kind);
            return is_union ? by > 0 : by < 0;
          });
      if (wrong) {
        return Fail(MakeError(
            ErrorCode::kUnsupported,
            fmt::format("no profile has words for what {} on {} is answered by the policies "
                        "together: they list different architectures",
                        name, Name(arch))));
      }
      if (said != wanted) {
        out_.notes.push_back(
            fmt::format("{} on {}: a profile has no words for the exact answer, since its rules "
                        "are for all its "
                        "architectures at once; this one errs towards {} it",
                        name, Name(arch), is_union ? "permitting" : "refusing"));
      }
    }
  }
  return {};
}

Expected<MergedPolicy> Merge::Run() {
  RETURN_IF_ERROR(ListArchitectures());
  std::set<std::string> names;
  for (const SeccompPolicy& policy : policies_) {
    for (const SeccompRule& rule : policy.rules) {
      names.insert(rule.names.begin(), rule.names.end());
    }
  }
  SeccompPolicy& merged = out_.policy;
  merged.default_action = policies_.front().default_action;
  merged.flags = policies_.front().flags;
  for (const SeccompPolicy& policy : policies_) {
    merged.default_action = Prefer(merged.default_action, policy.default_action, preference_);
    if (preference_ == AnswerPreference::kMorePermissive) {
      merged.flags.insert(policy.flags.begin(), policy.flags.end());
    } else {
      std::erase_if(merged.flags,
                    [&](const std::string& flag) { return !policy.flags.contains(flag); });
    }
  }
  // A call that no rule names gets everybody's default action, and so the merged one.
  for (const std::string& name : names) {
    if (!IsMultiplexer(name)) {
      if (const Status added = AddCall(name); !added) {
        return Fail(added.error().WithContext(name));
      }
    }
  }
  WriteRules();
  for (const std::string_view name : kMultiplexers) {
    if (const Status added = AddMultiplexer(std::string(name)); !added) {
      return Fail(added.error().WithContext(std::string(name)));
    }
  }
  RETURN_IF_ERROR(CheckAnswers());
  return std::move(out_);
}

}  // namespace

Expected<MergedPolicy> MergePolicies(const std::vector<SeccompPolicy>& policies,
                                     AnswerPreference preference) {
  return Merge(policies, preference).Run();
}

}  // namespace cordon
