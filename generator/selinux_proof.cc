#include "generator/selinux_proof.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/text.h"
#include "generator/file_labels.h"
#include "generator/path_names.h"

namespace cordon {
namespace {

/// What nobody should be able to do by accident: asked of every module as a control, so that a
/// proof in which everything is allowed, whatever is asked, cannot pass for one.
struct SensitiveAccess {
  std::string_view target;
  std::string_view object_class;
  std::string_view permission;
};

constexpr auto kSensitive = std::to_array<SensitiveAccess>({
    {"fixed_disk_device_t", "blk_file", "read"},
    {"kernel_t", "system", "module_load"},
    {"memory_device_t", "chr_file", "read"},
    {"security_t", "security", "load_policy"},
    {"self", "capability", "sys_admin"},
    {"self", "capability", "sys_module"},
    {"self", "process", "execmem"},
    {"shadow_t", "file", "read"},
    {"shell_exec_t", "file", "execute_no_trans"},
    {"smtp_port_t", "tcp_socket", "name_connect"},
});

/// Classes whose objects are tasks or sockets of tasks: their contexts have a role.
constexpr auto kTaskClasses = std::to_array<std::string_view>(
    {"fd", "key", "process", "process2", "system", "unix_dgram_socket", "unix_stream_socket"});

class Prover {
 public:
  Prover(const SelinuxRules& rules, const SelinuxTarget& target, const FileLabels& labels)
      : rules_(rules), target_(target), labels_(labels) {
    for (const RecordedAccess& access : rules.accesses) {
      if (access.created) {
        created_.emplace(access.path, access.file_class);
      }
    }
  }

  Expected<SelinuxProof> Run(const std::string& policy);

 private:
  std::set<std::string> TypesOf(const RecordedAccess& access) const;
  std::string CreatedType(const std::string& path, FileClass file_class) const;
  std::string DirectoryType(const std::string& path) const;
  SelinuxQuestion Question(const std::string& type, const std::string& object_class,
                           std::set<std::string> permissions) const;
  void AskRecorded(std::vector<SelinuxQuestion>* questions);
  void CheckRequests(const RecordedAccess& access, const std::string& type);

  const SelinuxRules& rules_;
  const SelinuxTarget& target_;
  const FileLabels& labels_;
  std::set<std::pair<std::string, FileClass>> created_;
  std::vector<std::string> places_;  ///< of each question about a recorded access
  SelinuxProof proof_;
};

std::string Prover::DirectoryType(const std::string& path) const {
  if (created_.contains({path, FileClass::kDirectory}) &&
      !labels_.Names(path, FileClass::kDirectory)) {
    return CreatedType(path, FileClass::kDirectory);
  }
  return labels_.TypeOf(path, FileClass::kDirectory);
}

/// What the kernel calls a new object (security/selinux/hooks.c selinux_determine_inode_label): a
/// named transition, a transition, its directory.
std::string Prover::CreatedType(const std::string& path, FileClass file_class) const {
  const std::string parent = DirectoryType(ParentPath(path));
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
std::set<std::string> Prover::TypesOf(const RecordedAccess& access) const {
  if (access.path.empty()) {
    return {access.target};
  }
  std::set<std::string> types;
  if (access.created) {
    types.insert(CreatedType(access.path, access.file_class));
  }
  if (!access.created || labels_.Names(access.path, access.file_class)) {
    types.insert(labels_.TypeOf(access.path, access.file_class));
  }
  return types;
}

SelinuxQuestion Prover::Question(const std::string& type, const std::string& object_class,
                                 std::set<std::string> permissions) const {
  const bool task =
      type == "self" || std::ranges::find(kTaskClasses, object_class) != kTaskClasses.end();
  return {.source = rules_.policy.domain,
          .source_role = "system_r",
          .target = type == "self" ? rules_.policy.domain : type,
          .target_role = task ? "system_r" : "object_r",
          .object_class = object_class,
          .permissions = std::move(permissions)};
}

void Prover::CheckRequests(const RecordedAccess& access, const std::string& type) {
  if (access.requests.empty()) {
    return;
  }
  const auto rule =
      rules_.policy.allow_ioctl.find({rules_.policy.domain, type, access.object_class});
  for (const std::uint16_t request : access.requests) {
    ++proof_.asked;
    if (rule == rules_.policy.allow_ioctl.end() || !rule->second.requests.contains(request)) {
      proof_.denied.push_back(fmt::format("{}: ioctl {:#06x} on {}:{}", access.place, request, type,
                                          access.object_class));
    }
  }
}

void Prover::AskRecorded(std::vector<SelinuxQuestion>* questions) {
  for (const RecordedAccess& access : rules_.accesses) {
    for (const std::string& type : TypesOf(access)) {
      proof_.asked += access.permissions.size();
      questions->push_back(Question(type, access.object_class, access.permissions));
      places_.push_back(access.place);
      CheckRequests(access, type);
    }
  }
}

Expected<SelinuxProof> Prover::Run(const std::string& policy) {
  std::vector<SelinuxQuestion> questions;
  AskRecorded(&questions);
  const std::size_t recorded = questions.size();
  const auto launchers = rules_.policy.attributes.find(rules_.policy.name + "_launcher");
  const std::set<std::string> domains =
      launchers == rules_.policy.attributes.end() ? std::set<std::string>() : launchers->second;
  for (const std::string& launcher : domains) {
    SelinuxQuestion question = Question(rules_.policy.domain, "process", {"transition"});
    question.source = launcher;
    questions.push_back(std::move(question));
  }
  std::vector<SensitiveAccess> controls;
  for (const SensitiveAccess& access : kSensitive) {
    const auto rule = rules_.policy.allow.find(
        {rules_.policy.domain, std::string(access.target), std::string(access.object_class)});
    const bool wanted = rule != rules_.policy.allow.end() &&
                        rule->second.permissions.contains(std::string(access.permission));
    if (!wanted &&
        target_.facts.HasPermission(std::string(access.object_class),
                                    std::string(access.permission)) &&
        (access.target == "self" || target_.facts.types.contains(std::string(access.target)))) {
      controls.push_back(access);
      questions.push_back(Question(std::string(access.target), std::string(access.object_class),
                                   {std::string(access.permission)}));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<SelinuxAnswer> answers, AskSelinux(policy, questions));
  std::size_t at = 0;
  for (; at < recorded; ++at) {
    for (const std::string& permission : answers[at].missing) {
      proof_.denied.push_back(fmt::format("{}: {} on {}:{}: {}", places_[at], permission,
                                          questions[at].target, questions[at].object_class,
                                          answers[at].reason));
    }
  }
  for (const std::string& launcher : domains) {
    if (answers[at++].missing.empty()) {
      proof_.launchable_from.push_back(launcher);
    }
  }
  for (const SensitiveAccess& control : controls) {
    const std::string what =
        fmt::format("{} on {}:{}", control.permission, control.target, control.object_class);
    (answers[at++].missing.empty() ? proof_.surplus : proof_.withheld).insert(what);
  }
  return std::move(proof_);
}

}  // namespace

Expected<SelinuxProof> ProveSelinux(const SelinuxRules& rules, const SelinuxTarget& target,
                                    const CompiledSelinux& compiled) {
  ASSIGN_OR_RETURN(const FileLabels labels,
                   FileLabels::Create(compiled.file_contexts + target.home_contexts,
                                      target.substitutions, target.facts));
  return Prover(rules, target, labels).Run(compiled.policy);
}

std::string WriteSelinuxProof(const SelinuxProof& proof, const SelinuxRules& rules,
                              const SelinuxTarget& target, const std::string& workload) {
  const bool modules = target.kind == SelinuxTargetKind::kModules;
  std::set<std::string> blind = rules.blind_spots;
  for (const std::string& note : target.notes) {
    blind.insert(note);
  }
  if (!modules) {
    blind.insert(
        "rules, neverallow statements and constraints of the target: only its names are known "
        "here");
    blind.insert(
        "paths that the target labels by file contexts of its own beyond cordon's table of places");
  }
  blind.insert("whether the files on the host carry the labels that the file contexts say");
  std::vector<std::string> wordless(blind.size());
  std::ranges::transform(blind, wordless.begin(),
                         [](const std::string& text) { return ToUtf8(text); });
  std::vector<std::string> denied(proof.denied.size());
  std::ranges::transform(proof.denied, denied.begin(),
                         [](const std::string& text) { return ToUtf8(text); });

  nlohmann::ordered_json json;
  json["target"]["name"] = ToUtf8(target.name);
  json["target"]["version"] = target.version;
  json["target"]["policy"] = modules ? "modules" : "names";
  json["target"]["modules"] = modules ? target.modules.size() : 0;
  json["module"] = rules.policy.name;
  json["domain"] = rules.policy.domain;
  if (rules.policy.name != workload) {
    json["renamed"] =
        fmt::format("the target has a module or a type called {0}, or {0} is no name for a type",
                    ToUtf8(workload));
  }
  json["compiled"]["neverallow_checked"] = modules;
  json["compiled"]["allow_rules"] = rules.policy.allow.size();
  json["recorded_accesses"] = proof.asked;
  json["allowed"] = proof.asked - proof.denied.size();
  json["denied"] = denied;
  json["launchable_from"] = proof.launchable_from;
  json["withheld"] = proof.withheld;
  json["surplus"] = proof.surplus;
  json["dropped"] = rules.dropped;
  json["blind_spots"] = wordless;
  return json.dump(2) + "\n";
}

}  // namespace cordon
