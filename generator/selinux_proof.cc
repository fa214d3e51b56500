#include "generator/selinux_proof.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "common/text.h"
#include "generator/file_labels.h"

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

class Prover {
 public:
  Prover(const SelinuxRules& rules, const SelinuxTarget& target, const FileLabels& labels)
      : rules_(rules), target_(target), recorded_(rules, labels) {}

  Expected<SelinuxProof> Run(const std::string& policy);

 private:
  const SelinuxRules& rules_;
  const SelinuxTarget& target_;
  RecordedQuestions recorded_;
  SelinuxProof proof_;
};

Expected<SelinuxProof> Prover::Run(const std::string& policy) {
  std::vector<SelinuxQuestion> questions = recorded_.questions();
  const std::size_t recorded = questions.size();
  const auto launchers = rules_.policy.attributes.find(rules_.policy.name + "_launcher");
  const std::set<std::string> domains =
      launchers == rules_.policy.attributes.end() ? std::set<std::string>() : launchers->second;
  for (const std::string& launcher : domains) {
    questions.push_back(MakeQuestion(launcher, rules_.policy.domain, "process", {"transition"}));
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
      questions.push_back(MakeQuestion(rules_.policy.domain, std::string(access.target),
                                       std::string(access.object_class),
                                       {std::string(access.permission)}));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<SelinuxAnswer> answers, AskSelinux(policy, questions));
  proof_.asked = recorded_.asked();
  proof_.denied = recorded_.Denied(std::span(answers).first(recorded));
  std::size_t at = recorded;
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
                         [](const DeniedAccess& access) { return ToUtf8(access.Describe()); });

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
