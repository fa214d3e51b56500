#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "common/text.h"
#include "generator/call_extent.h"
#include "generator/report/report_views.h"
#include "model/recording_names.h"
#include "model/seccomp_names.h"
#include "model/socket_names.h"
#include "model/syscall_signature.h"

namespace cordon::report {
namespace {

constexpr std::size_t kMaxReasonsShown = 40;
constexpr std::size_t kMaxArgumentsShown = 2000;
constexpr int kNotPermitted = 1;     // EPERM
constexpr int kNotImplemented = 38;  // ENOSYS

/// How a policy answers a call: the classes that cordon's policies have, and anything else that
/// refuses.
enum class CallClass : std::uint8_t { kAllowed, kSome, kEperm, kEnosys, kOther };

constexpr std::size_t kCallClasses = 5;

std::string_view ClassWord(CallClass call_class) {
  constexpr std::array<std::string_view, kCallClasses> kWords = {"allowed", "some arguments",
                                                                 "EPERM", "ENOSYS", "refused"};
  return kWords.at(static_cast<std::size_t>(call_class));
}

std::string_view ClassName(CallClass call_class) {
  constexpr std::array<std::string_view, kCallClasses> kNames = {"allowed", "some", "eperm",
                                                                 "enosys", "other"};
  return kNames.at(static_cast<std::size_t>(call_class));
}

Expected<CallClass> ClassOf(const SeccompPolicy& policy, Syscall call) {
  ASSIGN_OR_RETURN(const CallExtent extent, AdmittedExtent(policy, call));
  if (extent != CallExtent::kNever) {
    return extent == CallExtent::kAlways ? CallClass::kAllowed : CallClass::kSome;
  }
  const SeccompAction answer = CallRules(policy, call).Answer({});
  if (answer == SeccompAction::Errno(kNotPermitted)) {
    return CallClass::kEperm;
  }
  return answer == SeccompAction::Errno(kNotImplemented) ? CallClass::kEnosys : CallClass::kOther;
}

/// Why a policy answers a call as it does: what its rules say, or that none does.
std::vector<std::string> ReasonsOf(const ReportPolicy& policy, Syscall call) {
  const CallRules rules(policy.seccomp, call);
  const std::string name = SyscallLabel(call);
  std::vector<std::string> lines;
  std::set<std::string> said;
  for (const CallRules::Rule& rule : rules.rules()) {
    const SeccompRule& source = policy.seccomp.rules[rule.index];
    std::string where;
    for (const ArgumentCondition& condition : rule.conditions) {
      where += (where.empty() ? "where " : " and ") + Describe(condition);
    }
    const auto found = policy.reasons.find(fmt::format("/syscalls/{}", rule.index));
    const std::vector<std::string> reasons = found == policy.reasons.end()
                                                 ? std::vector<std::string>{source.comment}
                                                 : ReasonsFor(name, source.names, found->second);
    for (const std::string& reason : reasons) {
      std::string line = VisibleText(reason);
      if (line.starts_with(name + ": ")) {
        line.erase(0, name.size() + 2);
      }
      if (!where.empty()) {
        line = fmt::format("{} ({} {})", line, Describe(rule.action), where);
      }
      if (said.insert(line).second) {
        lines.push_back(std::move(line));
      }
    }
  }
  if (lines.empty()) {
    lines.emplace_back("no rule names it: the default action");
  }
  return lines;
}

Json Bar(std::string_view name, const std::array<std::uint64_t, kCallClasses>& counts, double row) {
  constexpr double kLeft = 150;
  constexpr double kWidth = 558;
  constexpr double kRowHeight = 34;
  std::uint64_t all = 0;
  for (const std::uint64_t count : counts) {
    all += count;
  }
  Json bar;
  bar["BAR_NAME"] = name;
  bar["BAR_TOP"] = fmt::format("{:.1f}", 4 + row * kRowHeight);
  bar["BAR_TEXT_TOP"] = fmt::format("{:.1f}", 4 + row * kRowHeight + 16);
  bar["SEGMENT"] = Json::array();
  double x = kLeft;
  for (std::size_t i = 0; i < kCallClasses; ++i) {
    if (counts.at(i) == 0) {
      continue;
    }
    const double width = kWidth * static_cast<double>(counts.at(i)) /
                         static_cast<double>(std::max<std::uint64_t>(all, 1));
    constexpr double kWideEnough = 28;
    bar["SEGMENT"].push_back(
        {{"SEGMENT_CLASS", ClassName(static_cast<CallClass>(i))},
         {"SEGMENT_X", fmt::format("{:.1f}", x)},
         {"SEGMENT_WIDTH", fmt::format("{:.1f}", std::max(width - 1, 0.5))},
         {"SEGMENT_MIDDLE", fmt::format("{:.1f}", x + width / 2)},
         {"SEGMENT_TITLE",
          fmt::format("{}: {}", ClassWord(static_cast<CallClass>(i)), counts.at(i))},
         {"SEGMENT_TEXT", width > kWideEnough ? std::to_string(counts.at(i)) : std::string()}});
    x += width;
  }
  return bar;
}

/// What was recorded of a call.
void AddRecorded(const Recording* recording, Syscall call, Json& row) {
  const auto found = recording == nullptr ? std::map<Syscall, SyscallObservation>::const_iterator()
                                          : recording->syscalls.find(call);
  if (recording == nullptr || found == recording->syscalls.end()) {
    return;
  }
  const SyscallObservation& item = found->second;
  row["SEEN"] = true;
  row["CALL_COUNT"] = Grouped(item.seen.count);
  row["CALL_RESULTS"] = item.results.empty() ? "no result" : ResultsText(item.results);
  row["CALL_PHASES"] = PhasesText(item.seen.phases);
  row["CALL_PROGRAM"] = Json::array();
  for (const std::string& executable : item.seen.executables) {
    if (row["CALL_PROGRAM"].size() == kMaxReasonsShown) {
      row["CALL_PROGRAM"].push_back(
          fmt::format("and {} more", item.seen.executables.size() - kMaxReasonsShown));
      break;
    }
    row["CALL_PROGRAM"].push_back(VisibleText(executable));
  }
}

void AddReasons(const std::vector<std::string>& reasons, Json& row) {
  row["CALL_WHY"] = reasons.front();
  if (reasons.size() == 1) {
    return;
  }
  Json more;
  more["WHY_COUNT"] = reasons.size() - 1;
  more["WHY_LINE"] = Json::array();
  for (std::size_t i = 1; i < reasons.size() && i <= kMaxReasonsShown; ++i) {
    more["WHY_LINE"].push_back(reasons[i]);
  }
  if (reasons.size() > kMaxReasonsShown + 1) {
    more["WHY_LINE"].push_back(
        fmt::format("and {} more, in why.json", reasons.size() - kMaxReasonsShown - 1));
  }
  row["MORE_WHY"] = std::move(more);
}

std::set<Architecture> ArchitecturesOf(const Subject& subject) {
  std::set<Architecture> architectures;
  if (subject.policy != nullptr) {
    architectures.insert(subject.policy->seccomp.architectures.begin(),
                         subject.policy->seccomp.architectures.end());
  }
  if (subject.recording != nullptr) {
    for (const auto& [call, item] : subject.recording->syscalls) {
      architectures.insert(call.arch);
    }
  }
  return architectures;
}

/// The calls of `arch` that have a row: with a policy all that are known, else those that were
/// seen.
std::vector<Syscall> RowsOf(const Subject& subject, Architecture arch) {
  std::set<Syscall> calls;
  if (subject.policy != nullptr) {
    for (const auto& [number, name] : SyscallsOf(arch)) {
      calls.insert({arch, number});
    }
  }
  if (subject.recording != nullptr) {
    for (const auto& [call, item] : subject.recording->syscalls) {
      if (call.arch == arch) {
        calls.insert(call);
      }
    }
  }
  std::vector<Syscall> rows(calls.begin(), calls.end());
  std::ranges::stable_sort(rows, {}, SyscallLabel);
  return rows;
}

Expected<Json> ArchitectureView(const Subject& subject, Architecture arch) {
  ASSIGN_OR_RETURN(const SeccompPolicy dockers, DockersDefault(arch));
  std::array<std::uint64_t, kCallClasses> ours{};
  std::array<std::uint64_t, kCallClasses> serving{};
  std::array<std::uint64_t, kCallClasses> theirs{};
  const ReportPolicy* const policy = subject.policy;
  Json view;
  view["ARCHITECTURE"] = Name(arch);
  view["CALL"] = Json::array();
  for (const Syscall call : RowsOf(subject, arch)) {
    Json row;
    row["CALL_NAME"] = SyscallLabel(call);
    ASSIGN_OR_RETURN(const CallClass docker, ClassOf(dockers, call));
    ++theirs.at(static_cast<std::size_t>(docker));
    row["DOCKER_CLASS"] = ClassName(docker);
    row["DOCKER_WORD"] = ClassWord(docker);
    if (policy != nullptr) {
      ASSIGN_OR_RETURN(const CallClass call_class, ClassOf(policy->seccomp, call));
      ++ours.at(static_cast<std::size_t>(call_class));
      row["ANSWER"] = {{"CALL_CLASS", ClassName(call_class)}, {"CALL_WORD", ClassWord(call_class)}};
      if (policy->serving) {
        ASSIGN_OR_RETURN(const CallClass later, ClassOf(*policy->serving, call));
        ++serving.at(static_cast<std::size_t>(later));
        if (later != call_class) {
          row["LATER"] = {{"LATER_CLASS", ClassName(later)}, {"LATER_WORD", ClassWord(later)}};
        }
      }
      AddReasons(ReasonsOf(*policy, call), row);
    }
    AddRecorded(subject.recording, call, row);
    // A section that is shown from further out would not see the values of this row.
    row["HAS_ANSWERS"] = policy != nullptr;
    row["HAS_RECORDED"] = subject.recording != nullptr;
    row["ROW_CLASS"] = policy == nullptr ? Json("seen") : row["ANSWER"]["CALL_CLASS"];
    view["CALL"].push_back(std::move(row));
  }
  view["CALL_ROWS"] = Grouped(view["CALL"].size());
  view["BAR"] = Json::array();
  if (policy != nullptr) {
    double row = 0;
    view["BAR"].push_back(Bar(policy->serving ? "this policy, start" : "this policy", ours, row++));
    if (policy->serving) {
      view["BAR"].push_back(Bar("once it serves", serving, row++));
    }
    view["BAR"].push_back(Bar("Docker's default", theirs, row++));
    view["BARS"] = {{"BARS_HEIGHT", fmt::format("{:.0f}", 34 * row)}};
    view["BARS"]["BAR"] = std::move(view["BAR"]);
  }
  view.erase("BAR");
  view["HAS_ANSWERS"] = policy != nullptr;
  view["HAS_RECORDED"] = subject.recording != nullptr;
  return view;
}

/// "inet, stream, 0x0" of a socket(2), else the numbers.
std::string TupleText(Syscall call, const ArgumentTuple& tuple) {
  const auto scalars = RecordedScalars(call.arch, SyscallLabel(call));
  const bool makes_socket = SyscallLabel(call) == "socket" || SyscallLabel(call) == "socketpair";
  std::vector<std::string> words;
  for (std::size_t i = 0; i < tuple.size(); ++i) {
    std::string word = fmt::format("{:#x}", tuple[i]);
    if (makes_socket && i == 0) {
      word = SocketFamilyName(static_cast<int>(tuple[i])).value_or(word);
    } else if (makes_socket && i == 1) {
      constexpr std::uint64_t kTypeBits = 0xf;
      const auto name = SocketTypeName(static_cast<int>(tuple[i] & kTypeBits));
      word = name ? fmt::format("{} ({})", *name, word) : word;
    }
    words.push_back(i < scalars.size() ? fmt::format("{} = {}", RecordingKey(scalars[i]), word)
                                       : word);
  }
  return Join(words, ", ");
}

}  // namespace

Expected<Json> CallsView(const Subject& subject) {
  Json view;
  view["CALLS_OF"] = Json::array();
  for (const Architecture arch : ArchitecturesOf(subject)) {
    ASSIGN_OR_RETURN(Json of, ArchitectureView(subject, arch));
    view["CALLS_OF"].push_back(std::move(of));
  }
  return view;
}

Json ArgumentsView(const Recording& recording) {
  Json rows = Json::array();
  std::size_t left_out = 0;
  const auto add = [&](Json row) {
    if (rows.size() < kMaxArgumentsShown) {
      rows.push_back(std::move(row));
    } else {
      ++left_out;
    }
  };
  for (const auto& [call, item] : recording.syscalls) {
    for (const auto& [tuple, seen] : item.tuples) {
      add({{"ARGUMENT_CALL", SyscallLabel(call)},
           {"ARGUMENT_ARCH", Name(call.arch)},
           {"ARGUMENT_TEXT", TupleText(call, tuple)},
           {"ARGUMENT_COUNT", Grouped(seen.count)},
           {"ARGUMENT_RESULTS", ResultsText(seen.results)},
           {"ARGUMENT_PHASES", PhasesText(seen.phases)}});
    }
    if (item.overflow) {
      const auto scalars = RecordedScalars(call.arch, SyscallLabel(call));
      std::vector<std::string> words;
      for (std::size_t i = 0; i < item.overflow->size(); ++i) {
        const ScalarRange& range = (*item.overflow)[i];
        words.push_back(fmt::format("{} from {:#x} to {:#x}, bits {:#x}",
                                    i < scalars.size() ? RecordingKey(scalars[i]) : "?",
                                    range.minimum, range.maximum, range.bits_or));
      }
      add({{"ARGUMENT_CALL", SyscallLabel(call)},
           {"ARGUMENT_ARCH", Name(call.arch)},
           {"ARGUMENT_TEXT",
            fmt::format("more than {} sets: {}", kMaxArgumentTuples, Join(words, "; "))},
           {"ARGUMENT_COUNT", Grouped(item.seen.count)},
           {"ARGUMENT_RESULTS", ResultsText(item.results)},
           {"ARGUMENT_PHASES", PhasesText(item.seen.phases)}});
    }
  }
  Json view;
  view["ARGUMENT_ROWS"] = Counted(rows.size() + left_out, "set of arguments", "sets of arguments");
  view["ARGUMENT"] = std::move(rows);
  if (left_out > 0) {
    view["MORE_ARGUMENTS"] = {{"MORE_COUNT", Grouped(left_out)}};
  }
  return view;
}

}  // namespace cordon::report
