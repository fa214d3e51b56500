#include "generator/policy_lint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "generator/dangerous_calls.h"
#include "generator/syscall_data.h"
#include "model/answer_diagrams.h"
#include "model/recorded_calls.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_names.h"
#include "model/syscall_signature.h"

namespace cordon {
namespace {

/// Can `policy` answer `call` so that it is made?
bool MayAdmit(const SeccompPolicy& policy, Syscall call) {
  const CallRules rules(policy, call);
  return std::ranges::any_of(rules.rules(),
                             [](const CallRules::Rule& rule) { return Admits(rule.action); }) ||
         Admits(rules.default_action());
}

/// "a, b, c and 12 more"
std::string List(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  if (names.size() <= kShown + 1) {
    return fmt::format("{}", fmt::join(names, ", "));
  }
  return fmt::format("{} and {} more", fmt::join(names.begin(), names.begin() + kShown, ", "),
                     names.size() - kShown);
}

class Lint {
 public:
  explicit Lint(const ResolvedProfile& profile) : profile_(profile), policy_(profile.policy) {}

  Expected<std::vector<LintFinding>> Run();

 private:
  void Add(LintSeverity severity, std::string_view id, std::string place, std::string text) {
    findings_.push_back({severity, id, std::move(place), std::move(text)});
  }

  void CheckNeededByAll();
  Status CheckBaseSets();
  Status CheckDangers();
  void CheckMultiplexers();
  Status CheckErrnos();
  void CheckErrnosOf(const ReasonedNames& group, Architecture arch);
  Status CheckWidths();
  Status CheckWidth(Syscall call);
  void CheckNotify();
  void CheckOwnListener();
  void CheckRules();
  void ReportNotes();

  const ResolvedProfile& profile_;
  const SeccompPolicy& policy_;
  std::vector<LintFinding> findings_;
};

void Lint::CheckNeededByAll() {
  for (const Architecture arch : policy_.architectures) {
    std::vector<std::string> refused;
    for (const char* name : {"execve", "exit", "exit_group", "rt_sigreturn"}) {
      const auto number = SyscallNumber(arch, name);
      if (number && !MayAdmit(policy_, {arch, *number})) {
        refused.emplace_back(name);
      }
    }
    if (!refused.empty()) {
      Add(LintSeverity::kError, "cannot-start-or-end", "",
          fmt::format("{} refused on {}: no program can start, end or return from a signal handler",
                      List(refused), Name(arch)));
    }
  }
}

Status Lint::CheckBaseSets() {
  ASSIGN_OR_RETURN(const BaseSets sets, LoadBaseSets());
  const Architecture arch = policy_.architectures.front();
  for (const auto& [runtime, groups] : sets.runtimes) {
    std::set<std::string> refused;
    for (const auto& group : groups) {
      for (const std::string& name : group.names) {
        const auto number = SyscallNumber(arch, name);
        if (number && !MayAdmit(policy_, {arch, *number})) {
          refused.insert(name);
        }
      }
    }
    if (!refused.empty()) {
      Add(LintSeverity::kWarning, "base-set", "",
          fmt::format("{} makes {} after it has loaded the filter, which the policy refuses: a "
                      "container may not start; generate --runtime any admits them",
                      runtime, List({refused.begin(), refused.end()})));
    }
  }
  return {};
}

Status Lint::CheckDangers() {
  ASSIGN_OR_RETURN(const std::vector<DangerousGroup> groups, LoadDangerousGroups());
  for (const DangerousGroup& group : groups) {
    ASSIGN_OR_RETURN(const std::vector<SyscallInvocation> open, FindOpenCalls(policy_, group));
    if (open.empty()) {
      continue;
    }
    std::vector<std::string> examples;
    std::ranges::transform(open, std::back_inserter(examples), DescribeInvocation);
    Add(LintSeverity::kWarning, "dangerous-open", "",
        fmt::format("{} is open, by {}: {}", group.group, List(examples), group.reason));
  }
  return {};
}

void Lint::CheckMultiplexers() {
  for (const Architecture arch : policy_.architectures) {
    for (const char* name : {"socketcall", "ipc"}) {
      const auto number = SyscallNumber(arch, name);
      if (!number || !FindMultiplexedWay(arch, *name == 's' ? "socket" : "semop")) {
        continue;
      }
      const CallRules rules(policy_, {arch, *number});
      const bool named = std::ranges::any_of(policy_.rules, [&](const SeccompRule& rule) {
        return std::ranges::find(rule.names, name) != rule.names.end();
      });
      if (!MayAdmit(policy_, {arch, *number})) {
        continue;
      }
      const bool unconditional = std::ranges::any_of(
          rules.rules(), [](const CallRules::Rule& rule) { return rule.conditions.empty(); });
      if (named && !unconditional && !Admits(rules.default_action())) {
        Add(LintSeverity::kError, "multiplexer-open", "",
            fmt::format("the rule that refuses {} on {} repeats the default action, so runtimes "
                        "skip it, and libseccomp opens {} for every single call that has a rule: "
                        "give it another errno",
                        name, Name(arch), name));
      } else {
        Add(LintSeverity::kWarning, "multiplexer-open", "",
            fmt::format("{} is admitted on {}: what it is called for is behind a pointer, so "
                        "conditions on the single calls (socket families) do not hold there",
                        name, Name(arch)));
      }
    }
  }
}

void Lint::CheckErrnosOf(const ReasonedNames& group, Architecture arch) {
  const SeccompPolicy under_docker = AsDocker2010Reads(policy_);
  std::vector<std::string> wrong;
  std::vector<std::string> dropped;
  for (const std::string& name : group.names) {
    const auto number = SyscallNumber(arch, name);
    if (!number) {
      continue;
    }
    const SeccompAction answer = CallRules(policy_, {arch, *number}).Answer({});
    if (answer.kind == SeccompActionKind::kErrno && answer.data != ENOSYS) {
      wrong.push_back(name);
    } else if (answer != CallRules(under_docker, {arch, *number}).Answer({})) {
      dropped.push_back(name);
    }
  }
  if (!wrong.empty()) {
    Add(LintSeverity::kWarning, "errno-not-enosys", "",
        fmt::format("{} on {} refused with another errno than ENOSYS: {}", List(wrong), Name(arch),
                    group.reason));
  }
  if (!dropped.empty()) {
    Add(LintSeverity::kNote, "default-errno-dropped", "/defaultErrnoRet",
        fmt::format("{} on {} get ENOSYS by default alone, and EPERM under Docker 20.10, which "
                    "drops defaultErrnoRet: {}",
                    List(dropped), Name(arch), group.reason));
  }
}

Status Lint::CheckErrnos() {
  ASSIGN_OR_RETURN(const SyscallClasses classes, LoadSyscallClasses());
  for (const Architecture arch : policy_.architectures) {
    for (const ReasonedNames& group : classes.absent) {
      CheckErrnosOf(group, arch);
    }
  }
  return {};
}

Status Lint::CheckWidth(Syscall call) {
  std::set<unsigned> ints;
  for (const ScalarArgument& scalar : RecordedScalars(call.arch, SyscallName(call).value_or(""))) {
    if (scalar.member.empty() && scalar.width_bits == 32) {
      ints.insert(scalar.index);
    }
  }
  if (ints.empty()) {
    return {};
  }
  AnswerDiagrams diagrams;
  ASSIGN_OR_RETURN(const AnswerDiagrams::Node answer, diagrams.Of(CallRules(policy_, call)));
  for (const unsigned index : ints) {
    ASSIGN_OR_RETURN(
        const AnswerDiagrams::Node widest,
        diagrams.WithoutHighHalves(answer, AnswerPreference::kMorePermissive, {index}));
    const auto example =
        diagrams.Find(answer, widest, [](const SeccompAction& one, const SeccompAction& best) {
          return !Admits(one) && Admits(best);
        });
    if (!example) {
      continue;
    }
    // Found in ascending order: a refused value without high bits comes first, if there is one.
    const bool bypass = example->registers.at(index) >> 32U == 0;
    const SyscallInvocation shown{call, example->registers};
    Add(bypass ? LintSeverity::kError : LintSeverity::kWarning,
        bypass ? "bypass-by-high-bits" : "reads-high-bits", "",
        bypass ? fmt::format("{} is refused, but admitted with other high bits in argument {}, "
                             "which the kernel ignores: compare with SCMP_CMP_MASKED_EQ and mask "
                             "0xffffffff (CVE-2019-10063)",
                             DescribeInvocation(shown), index)
               : fmt::format("{} is refused for the high bits of argument {}, which the kernel "
                             "ignores and callers may leave anything in: compare with "
                             "SCMP_CMP_MASKED_EQ and mask 0xffffffff",
                             DescribeInvocation(shown), index));
  }
  return {};
}

Status Lint::CheckWidths() {
  for (const Architecture arch : policy_.architectures) {
    for (const auto& [number, name] : SyscallsOf(arch)) {
      if (const Status checked = CheckWidth({arch, number}); !checked) {
        return Fail(checked.error().WithContext(SyscallLabel({arch, number})));
      }
    }
  }
  return {};
}

void Lint::CheckOwnListener() {
  constexpr std::uint64_t kSetModeFilter = 1;  // linux/seccomp.h
  constexpr std::uint64_t kNewListener = 8;
  for (const Architecture arch : policy_.architectures) {
    const auto number = SyscallNumber(arch, "seccomp");
    if (!number) {
      continue;
    }
    const CallRules rules(policy_, {arch, *number});
    const std::array<std::uint64_t, 6> arguments{kSetModeFilter, kNewListener};
    if (Admits(rules.Answer(arguments))) {
      const CallRules::Rule* const rule = rules.Find(arguments);
      Add(LintSeverity::kNote, "own-listener",
          rule == nullptr ? "/defaultAction" : profile_.places[rule->index],
          "a seccomp filter with a listener of the workload's own is admitted; under cordon run it "
          "fails with EBUSY, since there is one listener and cordon has it, unless with --report "
          "none");
      return;
    }
  }
}

void Lint::CheckNotify() {
  if (policy_.default_action.kind == SeccompActionKind::kNotify) {
    Add(LintSeverity::kError, "notify-refused-by-runc", "/defaultAction",
        "NOTIFY as the default action: runc refuses the profile");
  }
  for (std::size_t i = 0; i < policy_.rules.size(); ++i) {
    const SeccompRule& rule = policy_.rules[i];
    if (rule.action.kind == SeccompActionKind::kNotify &&
        std::ranges::find(rule.names, "write") != rule.names.end()) {
      Add(LintSeverity::kError, "notify-refused-by-runc", profile_.places[i],
          "NOTIFY for write: runc refuses the profile, since it could not start the listener");
    }
  }
}

void Lint::CheckRules() {
  std::vector<std::string> unnamed;
  for (std::size_t i = 0; i < policy_.rules.size(); ++i) {
    const SeccompRule& rule = policy_.rules[i];
    const bool survives_docker = rule.action == SeccompAction::Errno(ENOSYS);
    if (rule.action == policy_.default_action && !survives_docker) {
      Add(LintSeverity::kNote, "repeats-default", profile_.places[i],
          fmt::format("{} is the default action, so runtimes skip this rule",
                      Describe(rule.action)));
    }
    if (Admits(rule.action)) {
      std::ranges::copy_if(rule.names, std::back_inserter(unnamed),
                           [](const std::string& name) { return !LibseccompKnows(name); });
    }
  }
  if (!unnamed.empty()) {
    Add(LintSeverity::kNote, "unknown-to-libseccomp", "",
        fmt::format("{} has no name for {}: runc and crun built with it refuse them in spite of "
                    "their rules",
                    SeccompCompilerVersion(), List(unnamed)));
  }
}

void Lint::ReportNotes() {
  for (const ProfileNote& note : profile_.notes) {
    switch (note.kind) {
      case ProfileNote::Kind::kAlternatives:
        Add(LintSeverity::kError, "conditions-are-alternatives", note.place,
            "several conditions on one argument: every runtime takes them as alternatives, so that "
            "each alone is enough");
        break;
      case ProfileNote::Kind::kNoEffect:
        Add(LintSeverity::kWarning, "no-effect", note.place, note.what);
        break;
      case ProfileNote::Kind::kUnknown:
        Add(LintSeverity::kNote, "unknown", note.place, note.what);
        break;
      case ProfileNote::Kind::kConditional:
        break;
    }
  }
}

Expected<std::vector<LintFinding>> Lint::Run() {
  CheckNeededByAll();
  RETURN_IF_ERROR(CheckBaseSets());
  RETURN_IF_ERROR(CheckDangers());
  CheckMultiplexers();
  RETURN_IF_ERROR(CheckErrnos());
  RETURN_IF_ERROR(CheckWidths());
  CheckNotify();
  CheckOwnListener();
  CheckRules();
  ReportNotes();
  std::ranges::stable_sort(findings_, {}, &LintFinding::severity);
  return std::move(findings_);
}

}  // namespace

std::string_view Name(LintSeverity severity) {
  constexpr std::array<std::string_view, 3> kNames = {"error", "warning", "note"};
  return kNames.at(static_cast<std::size_t>(severity));
}

Expected<std::vector<LintFinding>> LintPolicy(const ResolvedProfile& profile) {
  return Lint(profile).Run();
}

}  // namespace cordon
