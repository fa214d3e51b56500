#include "generator/selinux_proof.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "common/text.h"
#include "generator/file_labels.h"
#include "generator/selinux_container.h"

namespace cordon {
namespace {

std::string Described(const ForbiddenAccess& access) {
  return fmt::format("{} on {}:{}: {}", access.permission, access.type, access.object_class,
                     access.what);
}

class Prover {
 public:
  Prover(const SelinuxRules& rules, const SelinuxTarget& target, const FileLabels& labels)
      : rules_(rules), target_(target), recorded_(rules, labels) {}

  Expected<SelinuxProof> Run(const std::string& policy);

 private:
  void AskAboutNeighbours(std::vector<SelinuxQuestion>* questions) const;

  const SelinuxRules& rules_;
  const SelinuxTarget& target_;
  RecordedQuestions recorded_;
  SelinuxProof proof_;
};

/// Of two containers of this type, each with its pair of categories: one's own files, then the
/// other's.
void Prover::AskAboutNeighbours(std::vector<SelinuxQuestion>* questions) const {
  if (target_.surroundings != SelinuxSurroundings::kContainer ||
      target_.kind != SelinuxTargetKind::kModules) {
    return;
  }
  SelinuxQuestion own = MakeQuestion(rules_.policy.domain, std::string(kContainerFileType), "file",
                                     {"execute", "open", "read"});
  own.source_categories = own.target_categories = "c1,c2";
  SelinuxQuestion other = own;
  other.target_categories = "c1,c3";
  questions->push_back(std::move(own));
  questions->push_back(std::move(other));
}

Expected<SelinuxProof> Prover::Run(const std::string& policy) {
  std::vector<SelinuxQuestion> questions = recorded_.questions();
  const std::size_t recorded = questions.size();
  const auto launchers = rules_.policy.attributes.find(rules_.policy.name + "_launcher");
  const std::set<std::string> domains =
      launchers == rules_.policy.attributes.end() ? std::set<std::string>() : launchers->second;
  for (const std::string& launcher : domains) {
    questions.push_back(MakeQuestion(launcher, rules_.policy.domain, "process", {"transition"}));
  }
  // Controls, too: a proof in which everything is allowed, whatever is asked, cannot pass for one.
  const std::vector<ForbiddenAccess> controls = ForbiddenAccesses(target_.facts);
  for (const ForbiddenAccess& access : controls) {
    questions.push_back(
        MakeQuestion(rules_.policy.domain, access.type, access.object_class, {access.permission}));
  }
  AskAboutNeighbours(&questions);
  ASSIGN_OR_RETURN(const std::vector<SelinuxAnswer> answers, AskSelinux(policy, questions));
  proof_.asked = recorded_.asked();
  proof_.denied = recorded_.Denied(std::span(answers).first(recorded));
  std::size_t at = recorded;
  for (const std::string& launcher : domains) {
    if (answers[at++].missing.empty()) {
      proof_.launchable_from.push_back(launcher);
    }
  }
  for (const ForbiddenAccess& control : controls) {
    const auto rule =
        rules_.policy.allow.find({rules_.policy.domain, control.type, control.object_class});
    const bool wanted =
        rule != rules_.policy.allow.end() && rule->second.permissions.contains(control.permission);
    std::set<std::string>& group = !answers[at++].missing.empty() ? proof_.withheld
                                   : wanted                       ? proof_.wanted
                                                                  : proof_.surplus;
    group.insert(Described(control));
  }
  if (at < answers.size()) {
    proof_.kept_apart = answers[at].missing.empty() && !answers[at + 1].missing.empty();
  }
  proof_.reach = ReachOf(rules_, target_);
  return std::move(proof_);
}

nlohmann::ordered_json ReachJson(const std::vector<TypeReach>& reaches) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const TypeReach& reach : reaches) {
    nlohmann::ordered_json item;
    item["type"] = reach.type;
    item["class"] = reach.object_class;
    item["permissions"] = reach.permissions;
    item["recorded"] = reach.recorded;
    item["file_contexts"] = reach.file_contexts;
    item["single_paths"] = reach.single_paths;
    item["such_as"] = nlohmann::ordered_json::array();
    for (const std::string& regex : reach.such_as) {
      item["such_as"].push_back(ToUtf8(regex));
    }
    item["ports"] = reach.ports;
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace

Expected<SelinuxProof> ProveSelinux(const SelinuxRules& rules, const SelinuxTarget& target,
                                    const CompiledSelinux& compiled) {
  ASSIGN_OR_RETURN(const FileLabels labels, TargetLabels(target, compiled.file_contexts));
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
  json["target"]["modules"] = modules ? target.module_names.size() : 0;
  json["module"] = rules.policy.name;
  json["domain"] = rules.policy.domain;
  json["mode"] = rules.policy.mode == DomainMode::kPermissive ? "permissive" : "enforcing";
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
  json["must_stay_denied"] = {
      {"asked", proof.withheld.size() + proof.wanted.size() + proof.surplus.size()},
      {"denied", proof.withheld.size()},
      {"allowed_because_recorded", proof.wanted},
      {"allowed_to_every_domain", proof.surplus}};
  json["withheld"] = proof.withheld;
  if (proof.kept_apart.has_value()) {
    json["kept_apart_by_categories"] = *proof.kept_apart;
  }
  json["reach"] = ReachJson(proof.reach);
  json["dropped"] = rules.dropped;
  json["blind_spots"] = wordless;
  return json.dump(2) + "\n";
}

std::vector<std::string> SummarizeSelinuxProof(const SelinuxProof& proof, const SelinuxRules& rules,
                                               const SelinuxTarget& target) {
  constexpr std::size_t kWidest = 3;
  std::vector<std::string> lines{fmt::format(
      "SELinux domain {} for {}: {} of {} recorded accesses allowed; {} of {} things that "
      "must stay denied are",
      rules.policy.domain, Quote(target.name), proof.asked, proof.asked, proof.withheld.size(),
      proof.withheld.size() + proof.wanted.size() + proof.surplus.size())};
  for (const std::string& what : proof.wanted) {
    lines.push_back("allowed because it was recorded: " + what);
  }
  for (const std::string& what : proof.surplus) {
    lines.push_back("allowed, as to every domain of the target: " + what);
  }
  if (proof.kept_apart == false) {
    lines.emplace_back(
        "categories do not keep its containers apart: the target has no constraint for that");
  }
  std::set<std::string> named;
  for (const TypeReach& reach : proof.reach) {
    const bool writes = std::ranges::any_of(reach.permissions, [](const std::string& permission) {
      return permission == "write" || permission == "append" || permission == "create" ||
             permission == "unlink";
    });
    if (named.size() < kWidest && writes && reach.file_contexts > 0 && reach.recorded > 0 &&
        named.insert(reach.type).second) {
      lines.push_back(fmt::format(
          "{} may be changed, for {} recorded paths; {} file contexts of the target give that type",
          reach.type, reach.recorded, reach.file_contexts));
    }
  }
  return lines;
}

}  // namespace cordon
