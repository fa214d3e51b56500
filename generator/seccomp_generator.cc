#include "generator/seccomp_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>
#include <ranges>
#include <set>
#include <utility>

#include "generator/allowed_arguments.h"
#include "generator/argument_rules.h"
#include "generator/syscall_data.h"
#include "generator/thread_needs.h"
#include "model/errno_name.h"
#include "model/holds.h"
#include "model/syscall_signature.h"

namespace cordon {
namespace {

constexpr SeccompAction kAbsent = SeccompAction::Errno(ENOSYS);

/// The errno of a refused multiplexer. Neither of the two errnos that a default action has:
/// consumers skip a rule that repeats the default, and libseccomp would then open the way in
/// (Evaluate()).
constexpr SeccompAction kMultiplexerRefused = SeccompAction::Errno(EACCES);

SeccompAction RefusalFor(OnViolation on_violation) {
  constexpr std::array kActions = {
      SeccompAction::Errno(EPERM), SeccompAction{SeccompActionKind::kLog, 0},
      SeccompAction{SeccompActionKind::kKillProcess, 0}, SeccompAction::Notify()};
  return kActions.at(static_cast<std::size_t>(on_violation));
}

/// As policies/base_sets.json has it; empty for kNone and kAny.
std::string_view RuntimeName(ContainerRuntime runtime) {
  constexpr std::array<std::string_view, 5> kNames = {"cordon", "runc", "crun", "", ""};
  return kNames.at(static_cast<std::size_t>(runtime));
}

std::string_view PrivilegesText(NoNewPrivileges mode) {
  constexpr std::array<std::string_view, 3> kTexts = {"", ", with no_new_privileges",
                                                      ", without no_new_privileges"};
  return kTexts.at(static_cast<std::size_t>(mode));
}

/// What all architectures together saw of one name.
struct Observed {
  std::uint64_t count = 0;
  ResultCounts results;
  std::set<std::string> executables;
  std::vector<std::pair<Architecture, const SyscallObservation*>> parts;
};

/// "openat: 12 times, ok 9, ENOENT 3, by /usr/sbin/nginx"
std::string Evidence(std::string_view name, const Observed& observed) {
  std::string text = fmt::format("{}: {} times", name, observed.count);
  for (const auto& [error, count] : observed.results) {
    text += fmt::format(", {} {}", error == 0 ? "ok" : ErrnoName(error), count);
  }
  constexpr std::size_t kShown = 4;
  std::size_t shown = 0;
  for (const std::string& executable : observed.executables) {
    if (shown == kShown) {
      text += fmt::format(" and {} more", observed.executables.size() - kShown);
      break;
    }
    text += (shown++ == 0 ? ", by " : ", ") + executable;
  }
  return text;
}

/// Puts a policy together rule by rule, each with its reasons.
class PolicyBuilder {
 public:
  PolicyBuilder(const Recording& recording, SeccompOptions options)
      : recording_(recording), options_(std::move(options)) {}

  Expected<GeneratedSeccomp> Build();

 private:
  Status Collect();
  void CollectArchitectures();
  void LeaveOutWhatAlwaysFailed();
  Status AllowBaseSets();
  std::map<std::string, std::vector<RuntimeCalls>> RuntimeBaseSets(const BaseSets& sets) const;
  /// Of `names`, those that are not allowed yet, with their reason.
  void AllowForReason(const std::string& reason, const std::vector<std::string>& names);
  Status AllowFamilies();
  Status AllowCompanions();
  void AllowThreads();
  void AddMultiplexerRules();
  void AddObservedRule();
  void AddWatchedRules();
  void AddAllowGroups();
  Status AddRefusals();
  void ListLeftOut();

  void Add(SeccompRule rule, std::vector<std::string> reasons);
  void Watch(WatchedCall call);

  bool IsAllowed(const std::string& name) const {
    return observed_allowed_.contains(name) || added_.contains(name);
  }

  bool IsWatched(const std::string& name) const { return watched_.contains(name); }

  bool MayBeNamed(const std::string& name) const;
  /// What a watched call has to be let through with; nothing if that cannot be told.
  std::optional<AllowedArguments> ArgumentsOf(const WatchedCall& call) const;

  const Recording& recording_;
  SeccompOptions options_;
  GeneratedSeccomp out_;
  std::map<std::string, Observed> observed_;
  std::set<std::string> observed_allowed_;
  std::map<std::string, int> left_out_;  ///< name -> the errno that it always failed with
  std::map<std::string, std::string>
      added_;  ///< allowed, not observed -> the group that brought it
  std::vector<std::pair<std::string, std::vector<std::string>>>
      groups_;  ///< the groups of added_, in order: reason, names
  std::map<std::string, std::pair<WatchedCall, AllowedArguments>>
      watched_;                    ///< allowed under conditions
  std::set<std::string> brought_;  ///< named by a base set or a family, observed or not
  std::map<std::string, std::vector<std::uint64_t>>
      brought_values_;           ///< by what brings it alone, with these arguments only
  std::set<std::string> ruled_;  ///< names that no class rule may name again
};

void PolicyBuilder::Add(SeccompRule rule, std::vector<std::string> reasons) {
  out_.reasons[out_.policy.rules.size()] = std::move(reasons);
  out_.policy.rules.push_back(std::move(rule));
}

void PolicyBuilder::CollectArchitectures() {
  std::set<Architecture> seen;
  for (const auto& [call, observation] : recording_.syscalls) {
    seen.insert(call.arch);
  }
  for (const auto& [id, run] : recording_.runs) {
    if (const std::optional<Architecture> host = ArchitectureFromName(run.host.architecture)) {
      seen.insert(*host);
    }
  }
  out_.policy.architectures.assign(seen.begin(), seen.end());
}

Status PolicyBuilder::Collect() {
  for (const auto& [call, observation] : recording_.syscalls) {
    const std::optional<std::string_view> name = SyscallName(call);
    if (!name) {
      // A profile is written in names. What the kernel does not have either is answered alike by
      // the default action.
      if (!Holds(observation.results, kAbsent)) {
        return Fail(MakeError(ErrorCode::kUnsupported,
                              fmt::format("call {} of {} did not always fail with ENOSYS and has "
                                          "no name: no profile can allow it",
                                          call.number, Name(call.arch))));
      }
      out_.left_out.push_back(fmt::format("{} on {}: always ENOSYS, and without a name",
                                          SyscallLabel(call), Name(call.arch)));
      continue;
    }
    Observed& observed = observed_[std::string(*name)];
    observed.count += observation.seen.count;
    observed.executables.insert(observation.seen.executables.begin(),
                                observation.seen.executables.end());
    for (const auto& [error, count] : observation.results) {
      observed.results[error] += count;
    }
    observed.parts.emplace_back(call.arch, &observation);
  }
  if (observed_.empty()) {
    return Fail(
        InvalidInput("the recording holds no system call, so there is nothing to generate from"));
  }
  return {};
}

void PolicyBuilder::LeaveOutWhatAlwaysFailed() {
  for (const auto& [name, observed] : observed_) {
    if (Holds(observed.results, kAbsent)) {
      left_out_[name] = ENOSYS;
    } else if (options_.on_violation == OnViolation::kErrno &&
               Holds(observed.results, SeccompAction::Errno(EPERM))) {
      left_out_[name] = EPERM;
    } else {
      observed_allowed_.insert(name);
    }
  }
}

void PolicyBuilder::AllowForReason(const std::string& reason,
                                   const std::vector<std::string>& names) {
  std::vector<std::string> added;
  for (const std::string& name : names) {
    if (!IsAllowed(name)) {
      added_[name] = reason;
      added.push_back(name);
    }
  }
  groups_.emplace_back(reason, std::move(added));
}

std::map<std::string, std::vector<RuntimeCalls>> PolicyBuilder::RuntimeBaseSets(
    const BaseSets& sets) const {
  if (!options_.measured.empty()) {
    const std::string_view name = RuntimeName(options_.runtime);
    return {{name.empty() ? "the runtime here" : std::string(name), options_.measured}};
  }
  std::map<std::string, std::vector<RuntimeCalls>> chosen;
  for (const auto& [name, calls] : sets.runtimes) {
    if (options_.runtime == ContainerRuntime::kAny || name == RuntimeName(options_.runtime)) {
      chosen[name] = CallsOf(calls, options_.version, options_.no_new_privileges);
    }
  }
  return chosen;
}

Status PolicyBuilder::AllowBaseSets() {
  ASSIGN_OR_RETURN(const BaseSets sets, LoadBaseSets());
  std::vector<std::pair<std::string, ReasonedNames>> groups;
  std::ranges::transform(sets.always, std::back_inserter(groups),
                         [](const ReasonedNames& group) { return std::pair(group.reason, group); });
  std::map<std::string, std::vector<RuntimeCalls>> runtimes;
  if (options_.part == WorkloadPart::kWhole) {
    runtimes = RuntimeBaseSets(sets);
  } else {
    for (auto& [reason, group] : groups) {
      std::erase(group.names, "execve");  // needed to start, and only then
    }
  }
  for (const auto& [runtime, base_set] : runtimes) {
    for (const RuntimeCalls& calls : base_set) {
      groups.emplace_back(fmt::format("base set of {} {}{}: {}", runtime, calls.versions,
                                      PrivilegesText(calls.no_new_privileges), calls.reason),
                          ReasonedNames{calls.reason, calls.names});
    }
  }
  for (const auto& [reason, group] : groups) {
    brought_.insert(group.names.begin(), group.names.end());
    AllowForReason(reason, group.names);
  }
  return {};
}

Status PolicyBuilder::AllowFamilies() {
  if (options_.portability == Portability::kExact) {
    return {};
  }
  ASSIGN_OR_RETURN(const SyscallFamilies families, LoadSyscallFamilies());
  for (const auto& [family, members] : families) {
    const auto is_seen = [&](const std::string& name) { return observed_allowed_.contains(name); };
    const auto seen = std::ranges::find_if(members, is_seen);
    if (seen == members.end()) {
      continue;
    }
    const std::string reason = fmt::format(
        "portability, family {}: another C library or architecture makes it where {} was seen",
        family, *seen);
    for (const std::string& name : members) {
      if (name != *seen || std::ranges::count_if(members, is_seen) > 1) {
        brought_.insert(name);
      }
    }
    AllowForReason(reason, members);
  }
  return {};
}

Status PolicyBuilder::AllowCompanions() {
  if (options_.portability == Portability::kExact) {
    return {};
  }
  ASSIGN_OR_RETURN(const std::vector<SyscallCompanions> companions, LoadSyscallCompanions());
  for (const SyscallCompanions& group : companions) {
    const auto seen = std::ranges::find_if(
        group.with, [&](const std::string& name) { return observed_allowed_.contains(name); });
    if (seen != group.with.end()) {
      for (const std::string& name : group.names) {
        if (!IsAllowed(name) && !group.values.empty()) {
          brought_values_[name] = group.values;
        }
        brought_.insert(name);
      }
      AllowForReason(fmt::format("portability, beside {}: {}", *seen, group.reason), group.names);
    }
  }
  return {};
}

/// glibc ends the process where futex(2) fails unexpectedly (futex_fatal_error() in
/// sysdeps/nptl/futex-internal.h), and two threads need not have met while they were watched.
void PolicyBuilder::AllowThreads() {
  if (options_.portability == Portability::kExact ||
      (options_.threads == Threads::kAsRecorded && !MakesThreads(recording_))) {
    return;
  }
  const std::vector<std::string> names{"futex", "futex_time64", "madvise", "munmap",
                                       "sched_getaffinity"};
  brought_.insert(names.begin(), names.end());
  AllowForReason("beside threads: what C libraries do when threads meet, end or give memory back",
                 names);
}

bool PolicyBuilder::MayBeNamed(const std::string& name) const {
  return options_.portability == Portability::kPortable ||
         std::ranges::any_of(out_.policy.architectures, [&](Architecture arch) {
           return SyscallNumber(arch, name).has_value();
         });
}

void PolicyBuilder::AddMultiplexerRules() {
  // A portable policy may meet any architecture, and there libseccomp would stop at rules in
  // another order.
  std::set<Architecture> architectures(out_.policy.architectures.begin(),
                                       out_.policy.architectures.end());
  if (options_.portability == Portability::kPortable) {
    architectures.insert({Architecture::kX86, Architecture::kS390x, Architecture::kPpc64le});
  }
  for (const std::string name : {"ipc", "socketcall"}) {
    const bool reachable = std::ranges::any_of(architectures, [&](Architecture arch) {
      const auto opens = [&](const std::string& call) {
        const std::optional<MultiplexedWay> way = FindMultiplexedWay(arch, call);
        return way && way->multiplexer == name;
      };
      return std::ranges::any_of(observed_allowed_, opens) ||
             std::ranges::any_of(added_ | std::views::keys, opens);
    });
    if (!reachable) {
      continue;
    }
    // First of all rules: libseccomp refuses to add two ways into one multiplexer that differ in
    // action, unless this one is there already.
    ruled_.insert(name);
    if (IsAllowed(name)) {
      Add({{name}, SeccompAction::Allow(), {}, "seen in the recording"},
          {Evidence(name, observed_.at(name))});
      out_.unrestricted.push_back(fmt::format(
          "{}: what it is called for is behind a pointer or in it, out of a filter's sight", name));
    } else {
      const SeccompAction refusal = options_.on_violation == OnViolation::kErrno
                                        ? kMultiplexerRefused
                                        : RefusalFor(options_.on_violation);
      const std::string reason = "only the single calls were seen, which this one would go round";
      Add({{name}, refusal, {}, reason}, {reason});
    }
  }
}

std::optional<AllowedArguments> PolicyBuilder::ArgumentsOf(const WatchedCall& call) const {
  const std::string name(call.name);
  AllowedArguments allowed;
  if (observed_allowed_.contains(name)) {
    const Observed& observed = observed_.at(name);
    allowed.reasons.push_back(Evidence(name, observed));
    SyscallObservation all;
    for (const auto& [arch, observation] : observed.parts) {
      if (!observation->overflow && observation->tuples.empty()) {
        return std::nullopt;
      }
      all.Merge(*observation);
    }
    if (all.overflow) {
      AddCovering(call, *all.overflow, allowed);
    }
    for (const auto& [tuple, seen] : all.tuples) {
      if (!Holds(seen.results, RefusalFor(options_.on_violation))) {
        AddArgument(call, ValuesOf(call, tuple), "was seen", allowed);
      }
    }
    if (options_.portability == Portability::kPortable) {
      AddArgumentFamilies(call, allowed);
    }
  } else {
    allowed.reasons.push_back(added_.at(name));
  }
  if (call.policy == ArgumentPolicy::kAllowSeen && brought_.contains(name)) {
    for (const std::uint64_t value : call.values) {
      AddArgument(call, {value}, "is what this call is made with where it was not seen", allowed);
    }
  }
  return allowed;
}

void PolicyBuilder::Watch(WatchedCall call) {
  const std::string name(call.name);
  if (const auto values = brought_values_.find(name); values != brought_values_.end()) {
    call.values = values->second;
  }
  std::optional<AllowedArguments> allowed = ArgumentsOf(call);
  if (!allowed) {
    return;
  }
  const ArgumentRules rules = MakeArgumentRules(call, allowed->blocks);
  if (rules.allow.empty() || rules.allow.front().empty()) {
    return;
  }
  if (!allowed->generalised.empty()) {
    out_.unrestricted.push_back(allowed->generalised);
  }
  watched_.emplace(name, std::pair(std::move(call), *std::move(allowed)));
}

void PolicyBuilder::AddWatchedRules() {
  for (const auto& [name, watched] : watched_) {
    const auto& [call, arguments] = watched;
    const ArgumentRules rules = MakeArgumentRules(call, arguments.blocks);
    const std::string allowed = fmt::format(
        "{}: {}", name,
        observed_allowed_.contains(name) ? "as seen in the recording" : added_.at(name));
    for (const std::vector<ArgumentCondition>& conditions : rules.allow) {
      Add({{name}, SeccompAction::Allow(), conditions, allowed}, arguments.reasons);
    }
    const std::string refused = fmt::format("{}: {} that were not seen", name, call.what);
    for (const std::vector<ArgumentCondition>& conditions : rules.refuse) {
      Add({{name}, RefusalFor(options_.on_violation), conditions, refused}, {refused});
    }
    ruled_.insert(name);
  }
}

void PolicyBuilder::AddObservedRule() {
  SeccompRule rule{{}, SeccompAction::Allow(), {}, "seen in the recording"};
  std::vector<std::string> reasons;
  for (const std::string& name : observed_allowed_) {
    if (!IsWatched(name) && !ruled_.contains(name)) {
      rule.names.push_back(name);
      reasons.push_back(Evidence(name, observed_.at(name)));
      ruled_.insert(name);
    }
  }
  if (!rule.names.empty()) {
    Add(std::move(rule), std::move(reasons));
  }
}

void PolicyBuilder::AddAllowGroups() {
  for (const auto& [reason, members] : groups_) {
    SeccompRule rule{{}, SeccompAction::Allow(), {}, reason};
    for (const std::string& name : members) {
      if (!IsWatched(name) && !ruled_.contains(name) && MayBeNamed(name)) {
        rule.names.push_back(name);
        ruled_.insert(name);
      }
    }
    if (!rule.names.empty()) {
      std::ranges::sort(rule.names);
      Add(std::move(rule), {reason});
    }
  }
}

Status PolicyBuilder::AddRefusals() {
  ASSIGN_OR_RETURN(const SyscallClasses classes, LoadSyscallClasses());
  for (const auto& [error, what] : {std::pair(EPERM, "EPERM"), std::pair(ENOSYS, "ENOSYS")}) {
    SeccompRule rule{{},
                     SeccompAction::Errno(static_cast<std::uint16_t>(error)),
                     {},
                     fmt::format("it always failed with {} while it was recorded", what)};
    std::vector<std::string> reasons;
    for (const auto& [name, always] : left_out_) {
      if (always == error && !ruled_.contains(name) && !IsAllowed(name)) {
        rule.names.push_back(name);
        reasons.push_back(Evidence(name, observed_.at(name)));
        ruled_.insert(name);
      }
    }
    if (!rule.names.empty()) {
      Add(std::move(rule), std::move(reasons));
    }
  }
  const auto add_class = [&](const std::vector<ReasonedNames>& groups, const SeccompAction& action,
                             std::string_view prefix) {
    for (const ReasonedNames& group : groups) {
      SeccompRule rule{{}, action, {}, fmt::format("{}: {}", prefix, group.reason)};
      for (const std::string& name : group.names) {
        if (!ruled_.contains(name) && MayBeNamed(name)) {
          rule.names.push_back(name);
        }
      }
      if (!rule.names.empty()) {
        std::ranges::sort(rule.names);
        Add(rule, {rule.comment});
      }
    }
  };
  add_class(classes.refused, RefusalFor(options_.on_violation), "not seen, refused");
  add_class(classes.absent, kAbsent, "not seen, absent");
  return {};
}

void PolicyBuilder::ListLeftOut() {
  for (const auto& [name, error] : left_out_) {
    if (!IsAllowed(name)) {
      out_.left_out.push_back(fmt::format("{}: always {}", name, ErrnoName(error)));
    }
  }
  std::ranges::sort(out_.left_out);
}

Expected<GeneratedSeccomp> PolicyBuilder::Build() {
  RETURN_IF_ERROR(Collect());
  CollectArchitectures();
  out_.policy.default_action = kAbsent;
  LeaveOutWhatAlwaysFailed();
  RETURN_IF_ERROR(AllowBaseSets());
  RETURN_IF_ERROR(AllowFamilies());
  RETURN_IF_ERROR(AllowCompanions());
  AllowThreads();
  for (const WatchedCall& row : WatchedCalls()) {
    const std::string name(row.name);
    if (!IsAllowed(name)) {
      continue;
    }
    if (std::optional<WatchedCall> call = WatchOn(row.name, out_.policy.architectures)) {
      Watch(*std::move(call));
    }
    if (!IsWatched(name)) {
      out_.unrestricted.push_back(fmt::format("{}: its {} are not told apart", name, row.what));
    }
  }
  if (IsAllowed("clone3")) {
    out_.unrestricted.emplace_back(
        "clone3: its flags are behind a pointer, out of a filter's sight");
  }
  AddMultiplexerRules();
  AddObservedRule();
  AddAllowGroups();
  AddWatchedRules();
  RETURN_IF_ERROR(AddRefusals());
  ListLeftOut();
  std::ranges::sort(out_.unrestricted);
  return std::move(out_);
}

}  // namespace

Expected<GeneratedSeccomp> GenerateSeccomp(const Recording& recording,
                                           const SeccompOptions& options) {
  return PolicyBuilder(recording, options).Build();
}

}  // namespace cordon
