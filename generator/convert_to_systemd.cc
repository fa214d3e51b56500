#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "common/text.h"
#include "generator/convert_policy.h"
#include "generator/syscall_data.h"
#include "model/errno_name.h"
#include "model/socket_names.h"

namespace cordon {
namespace {

/// systemd.exec(5), SystemCallArchitectures=.
std::string_view SystemdName(Architecture arch) {
  static const std::map<Architecture, std::string_view> names = {
      {Architecture::kX86_64, "x86-64"},
      {Architecture::kX86, "x86"},
      {Architecture::kX32, "x32"},
      {Architecture::kAarch64, "arm64"},
      {Architecture::kArm, "arm"},
      {Architecture::kRiscv64, "riscv64"},
      {Architecture::kS390x, "s390x"},
      {Architecture::kPpc64le, "ppc64-le"},
      {Architecture::kLoongarch64, "loongarch64"}};
  return names.at(arch);
}

/// What one name gets, on all architectures of the policy together. What none of them has is left
/// out: SystemCallArchitectures= closes the others.
struct Answers {
  bool allowed = false;  ///< for some arguments
  bool refused = false;  ///< for some arguments
  std::set<SeccompAction> refusals;
};

std::map<std::string, Answers> AnswersByName(const SeccompPolicy& policy) {
  std::map<std::string, Answers> by_name;
  const auto add = [&](const std::string& name, const SeccompAction& action) {
    if (std::ranges::none_of(policy.architectures, [&](Architecture arch) {
          return SyscallNumber(arch, name).has_value();
        })) {
      return;
    }
    Answers& answers = by_name[name];
    if (action.kind == SeccompActionKind::kAllow || action.kind == SeccompActionKind::kLog) {
      answers.allowed = true;
    } else {
      answers.refused = true;
      answers.refusals.insert(action);
    }
  };
  for (const SeccompRule& rule : policy.rules) {
    for (const std::string& name : rule.names) {
      add(name, rule.action);
    }
  }
  for (const Architecture arch : policy.architectures) {
    for (const auto& [number, name] : SyscallsOf(arch)) {
      if (!by_name.contains(std::string(name))) {
        add(std::string(name), policy.default_action);
      }
    }
  }
  return by_name;
}

/// The families that socket(2) may be called with; nothing where that cannot be told.
std::optional<std::set<int>> AllowedFamilies(const SeccompPolicy& policy) {
  constexpr int kFamilies = 256;  // no kernel has as many
  std::set<int> allowed;
  for (const Architecture arch : policy.architectures) {
    const std::optional<std::int32_t> number = SyscallNumber(arch, "socket");
    if (!number) {
      continue;
    }
    for (const SeccompRule& rule : policy.rules) {
      const bool about = std::ranges::find(rule.names, "socket") != rule.names.end() &&
                         rule.action.kind == SeccompActionKind::kAllow;
      if (!about) {
        continue;
      }
      const auto family = std::ranges::find(rule.conditions, 0U, &ArgumentCondition::index);
      const bool one_family = family != rule.conditions.end() && family->value < kFamilies &&
                              (family->comparison == Comparison::kEqual ||
                               (family->comparison == Comparison::kMaskedEqual &&
                                (family->mask & 0xffffffffU) == 0xffffffffU));
      if (!one_family) {
        return std::nullopt;
      }
      allowed.insert(static_cast<int>(family->value));
    }
  }
  return allowed;
}

/// "read write …", in lines of a readable length.
std::string Lines(std::string_view key, const std::vector<std::string>& names) {
  constexpr std::size_t kWidth = 100;
  std::string text;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) {
      text += fmt::format("{}={}\n", key, line);
      line.clear();
    }
  };
  for (const std::string& name : names) {
    if (!line.empty() && key.size() + line.size() + name.size() + 2 > kWidth) {
      flush();
    }
    line += (line.empty() ? "" : " ") + name;
  }
  flush();
  return text;
}

/// "mount, ptrace and 20 more"
std::string Some(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 6;
  const std::vector<std::string> shown(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, names.size())));
  return Join(shown, ", ") +
         (names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "");
}

/// The names of a policy, by what becomes of them.
struct Sorted {
  std::vector<std::string> allowed;
  std::vector<std::string>
      for_any_arguments;            ///< of them, those that the policy has conditions for
  std::vector<std::string> opened;  ///< refused, and allowed by systemd all the same
  std::map<std::string, std::vector<std::string>> other_answers;  ///< by what they should get
};

Sorted Sort(const SeccompPolicy& policy, const std::set<std::string>& added) {
  Sorted sorted;
  for (const auto& [name, answers] : AnswersByName(policy)) {
    if (answers.allowed) {
      sorted.allowed.push_back(name);
      if (answers.refused) {
        sorted.for_any_arguments.push_back(name);
      }
      continue;
    }
    if (added.contains(name)) {
      sorted.opened.push_back(name);
      continue;
    }
    for (const SeccompAction& refusal : answers.refusals) {
      if (refusal != policy.default_action) {
        const bool errno_answer = refusal.kind == SeccompActionKind::kErrno;
        sorted.other_answers[errno_answer ? std::string(ErrnoName(refusal.data)) : "another action"]
            .push_back(name);
      }
    }
  }
  return sorted;
}

/// RestrictAddressFamilies=, where families can be told; socket is then no call for any arguments.
void AddFamilies(const SeccompPolicy& policy, Sorted& sorted, ConvertedPolicy& converted) {
  const std::optional<std::set<int>> families = AllowedFamilies(policy);
  if (!families || std::ranges::find(sorted.allowed, "socket") == sorted.allowed.end()) {
    return;
  }
  std::vector<std::string> names;
  for (const int family : *families) {
    if (const auto name = SocketFamilyName(family)) {
      names.push_back("AF_" + std::string(*name));
      std::ranges::transform(names.back(), names.back().begin(),
                             [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    }
  }
  converted.document +=
      fmt::format("RestrictAddressFamilies={}\n", names.empty() ? "none" : Join(names, " "));
  converted.losses.emplace_back(
      "socket: systemd tells families apart and nothing else of it, and refuses others with "
      "EAFNOSUPPORT");
  std::erase(sorted.for_any_arguments, "socket");
}

void AddLosses(const SeccompPolicy& policy, const Sorted& sorted, std::string_view default_answer,
               std::vector<std::string>& losses) {
  for (const std::string& name : sorted.for_any_arguments) {
    losses.push_back(
        fmt::format("{}: systemd cannot look at arguments, so it is allowed with any", name));
  }
  for (const auto& [answer, names] : sorted.other_answers) {
    losses.push_back(fmt::format("{} calls get {} instead of {}, for systemd has one answer: {}",
                                 names.size(), default_answer, answer, Some(names)));
  }
  if (!sorted.opened.empty()) {
    losses.push_back(fmt::format(
        "{} calls that the policy refuses are allowed, for systemd always adds its group "
        "@default: {}",
        sorted.opened.size(), Join(sorted.opened, ", ")));
  }
  if (!policy.flags.empty()) {
    losses.push_back("systemd has no words for " +
                     Join({policy.flags.begin(), policy.flags.end()}, ", "));
  }
}

}  // namespace

Expected<ConvertedPolicy> ConvertToSystemd(const SeccompPolicy& policy) {
  const SeccompActionKind fallback = policy.default_action.kind;
  if (fallback == SeccompActionKind::kAllow || fallback == SeccompActionKind::kLog) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "the policy lets through what it does not name: only lists of what is "
                          "allowed are written for systemd"));
  }
  ASSIGN_OR_RETURN(const std::vector<ReasonedNames> always, LoadSystemdDefault());
  std::set<std::string> added;
  for (const ReasonedNames& group : always) {
    added.insert(group.names.begin(), group.names.end());
  }
  Sorted sorted = Sort(policy, added);

  ConvertedPolicy converted;
  std::vector<std::string> architectures;
  std::ranges::transform(policy.architectures, std::back_inserter(architectures),
                         [](Architecture arch) { return std::string(SystemdName(arch)); });
  converted.document =
      fmt::format("[Service]\nSystemCallArchitectures={}\n{}", Join(architectures, " "),
                  Lines("SystemCallFilter", sorted.allowed));
  std::string default_answer = "the process killed";
  if (fallback == SeccompActionKind::kErrno) {
    default_answer = ErrnoName(policy.default_action.data);
    converted.document += fmt::format("SystemCallErrorNumber={}\n", default_answer);
  } else if (fallback != SeccompActionKind::kKillProcess) {
    converted.losses.emplace_back("systemd's default is to kill the process: it has no other");
  }
  AddFamilies(policy, sorted, converted);
  AddLosses(policy, sorted, default_answer, converted.losses);
  return converted;
}

}  // namespace cordon
