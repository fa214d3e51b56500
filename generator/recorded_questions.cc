#include "generator/recorded_questions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "generator/path_names.h"

namespace cordon {
namespace {

/// Classes whose objects are tasks or sockets of tasks: their contexts have a role.
constexpr auto kTaskClasses = std::to_array<std::string_view>(
    {"fd", "key", "process", "process2", "system", "unix_dgram_socket", "unix_stream_socket"});

}  // namespace

std::string DeniedAccess::Describe() const {
  std::string what;
  for (const std::string& permission : permissions) {
    what += (what.empty() ? "" : " ") + permission;
  }
  for (const std::uint16_t request : requests) {
    what += fmt::format("{}ioctl {:#06x}", what.empty() ? "" : " ", request);
  }
  return fmt::format("{}: {} on {}:{}: {}", place, what, type, object_class, reason);
}

SelinuxQuestion MakeQuestion(const std::string& source, const std::string& type,
                             const std::string& object_class, std::set<std::string> permissions) {
  const bool task = type == "self" || type == source ||
                    std::ranges::find(kTaskClasses, object_class) != kTaskClasses.end();
  return {.source = source,
          .source_role = "system_r",
          .target = type == "self" ? source : type,
          .target_role = task ? "system_r" : "object_r",
          .object_class = object_class,
          .permissions = std::move(permissions)};
}

RecordedQuestions::RecordedQuestions(const SelinuxRules& rules, const FileLabels& labels)
    : rules_(rules), labels_(labels) {
  for (const RecordedAccess& access : rules.accesses) {
    if (access.created) {
      created_.emplace(access.path, access.file_class);
    }
  }
  for (const RecordedAccess& access : rules.accesses) {
    for (const std::string& type : TypesOf(access)) {
      asked_ += access.permissions.size() + access.requests.size();
      questions_.push_back(
          MakeQuestion(rules.policy.domain, type, access.object_class, access.permissions));
      subjects_.emplace_back(&access, type);
    }
  }
}

std::string RecordedQuestions::DirectoryType(const std::string& path) const {
  if (created_.contains({path, FileClass::kDirectory}) &&
      !labels_.Names(path, FileClass::kDirectory)) {
    return CreatedType(path, FileClass::kDirectory);
  }
  return labels_.TypeOf(path, FileClass::kDirectory);
}

/// What the kernel calls a new object (security/selinux/hooks.c selinux_determine_inode_label): a
/// named transition, a transition, its directory.
std::string RecordedQuestions::CreatedType(const std::string& path, FileClass file_class) const {
  std::string parent = DirectoryType(ParentPath(path));
  const std::string object_class(SelinuxClassName(file_class).value_or("file"));
  for (const std::string& name : {BaseName(path), std::string()}) {
    const auto found =
        rules_.policy.transitions.find({rules_.policy.domain, parent, object_class, name});
    if (found != rules_.policy.transitions.end()) {
      return found->second.type;
    }
  }
  return parent;
}

/// Both the type that a new object gets and the one that restorecon(8) would give it later.
std::set<std::string> RecordedQuestions::TypesOf(const RecordedAccess& access) const {
  if (access.path.empty()) {
    return {access.target};
  }
  std::set<std::string> types;
  if (access.created) {
    types.insert(CreatedType(access.path, access.file_class));
  }
  if (!access.created ||
      (labels_.Names(access.path, access.file_class) && !IsTerminalPath(access.path))) {
    types.insert(labels_.TypeOf(access.path, access.file_class));
  }
  return types;
}

/// Where a policy has no rule for the numbers, `ioctl` alone allows all of them
/// (security/selinux/ss/services.c services_compute_xperms_decision).
std::set<std::uint16_t> RecordedQuestions::RefusedRequests(const RecordedAccess& access,
                                                           const std::string& type) const {
  const std::string target = type == rules_.policy.domain ? "self" : type;
  const auto rule =
      rules_.policy.allow_ioctl.find({rules_.policy.domain, target, access.object_class});
  std::set<std::uint16_t> refused;
  if (rule != rules_.policy.allow_ioctl.end()) {
    std::ranges::set_difference(access.requests, rule->second.requests,
                                std::inserter(refused, refused.end()));
  }
  return refused;
}

std::vector<DeniedAccess> RecordedQuestions::Denied(std::span<const SelinuxAnswer> answers) const {
  std::vector<DeniedAccess> denied;
  for (std::size_t i = 0; i < subjects_.size() && i < answers.size(); ++i) {
    const auto& [access, type] = subjects_[i];
    std::set<std::uint16_t> requests = RefusedRequests(*access, type);
    if (answers[i].missing.empty() && requests.empty()) {
      continue;
    }
    denied.push_back({.place = access->place,
                      .type = type == rules_.policy.domain ? "self" : type,
                      .object_class = access->object_class,
                      .permissions = answers[i].missing,
                      .requests = std::move(requests),
                      .reason = answers[i].missing.empty() ? "no allowxperm rule names the request"
                                                           : answers[i].reason,
                      .seen = access->seen});
  }
  return denied;
}

}  // namespace cordon
