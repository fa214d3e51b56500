#include <fmt/format.h>

#include <map>
#include <tuple>

#include "common/text.h"
#include "generator/report/report_views.h"

namespace cordon::report {
namespace {

constexpr std::size_t kMaxRulesShown = 600;
constexpr std::size_t kMaxPlacesShown = 12;
constexpr std::size_t kMaxContextsShown = 200;

/// How far the rule on (type, class) reaches, as the proof has it.
using Reach = std::map<std::pair<std::string, std::string>, Json>;

Reach ReachOf(const Json& selinux) {
  Reach reach;
  for (const Json& item : ListOf(Member(selinux, "reach"))) {
    reach.emplace(std::pair(TextOf(Member(item, "type")), TextOf(Member(item, "class"))), item);
  }
  return reach;
}

/// The widest of a bar of ten.
constexpr std::uint64_t kWidestReach = 10;

Json ReachView(const Json& reach) {
  const std::uint64_t contexts = NumberOf(Member(reach, "file_contexts"));
  const std::uint64_t single = NumberOf(Member(reach, "single_paths"));
  const std::uint64_t ports = NumberOf(Member(reach, "ports"));
  const std::uint64_t trees = contexts - std::min(single, contexts);
  std::vector<std::string> words;
  if (contexts > 0) {
    words.push_back(fmt::format("{}, {} of them more than one path",
                                Counted(contexts, "file context", "file contexts"),
                                Grouped(trees)));
  }
  if (ports > 0) {
    words.push_back(Counted(ports, "port", "ports"));
  }
  if (words.empty()) {
    words.emplace_back("kernel objects only");
  }
  Json view;
  view["REACH_TEXT"] = Join(words, "; ");
  view["REACH_SUCH_AS"] = Join(TextsOf(Member(reach, "such_as")), "  ");
  std::uint64_t level = 0;
  for (std::uint64_t rest = trees + ports; rest > 0 && level < kWidestReach; rest /= 2) {
    ++level;
  }
  view["REACH_LEVEL"] = level;
  return view;
}

Json RuleView(const Json& rule, const Reach& reach) {
  Json view;
  view["RULE_SOURCE"] = TextOf(Member(rule, "source"));
  view["RULE_TARGET"] = TextOf(Member(rule, "target"));
  view["RULE_CLASS"] = TextOf(Member(rule, "class"));
  view["RULE_PERMISSIONS"] = Join(TextsOf(Member(rule, "permissions")), " ");
  std::vector<std::string> requests;
  for (const Json& request : ListOf(Member(rule, "requests"))) {
    requests.push_back(fmt::format("{:#x}", NumberOf(request)));
  }
  view["RULE_REQUESTS"] = Join(requests, " ");
  view["HAS_REQUESTS"] = !requests.empty();
  Json why = Json::array();
  const std::uint64_t needed = NumberOf(Member(rule, "needed"));
  for (const Json& need : ListOf(Member(rule, "by"))) {
    if (why.size() == kMaxPlacesShown) {
      break;
    }
    why.push_back(fmt::format("{} ({}, {})", TextOf(Member(need, "place")),
                              Join(TextsOf(Member(need, "permissions")), " "),
                              Counted(NumberOf(Member(need, "count")), "time", "times")));
  }
  if (needed > why.size()) {
    why.push_back(fmt::format("and {} more", Grouped(needed - why.size())));
  }
  std::size_t follows = 0;
  for (const std::string& text : TextsOf(Member(rule, "follows_from"))) {
    if (++follows > kMaxPlacesShown) {
      break;
    }
    why.push_back("follows from: " + text);
  }
  view["RULE_WHY"] = why.empty() ? std::string() : why.front().get<std::string>();
  if (why.size() > 1) {
    Json more;
    more["WHY_COUNT"] = why.size() - 1;
    more["WHY_LINE"] = Json::array();
    for (std::size_t i = 1; i < why.size(); ++i) {
      more["WHY_LINE"].push_back(why[i]);
    }
    view["MORE_WHY"] = std::move(more);
  }
  const auto found = reach.find({TextOf(Member(rule, "target")), TextOf(Member(rule, "class"))});
  if (found != reach.end()) {
    view["REACH"] = ReachView(found->second);
  } else {
    view["OWN"] = true;
  }
  return view;
}

void AddTypes(const Json& selinux, Json& view) {
  view["OWN_TYPE"] = Json::array();
  for (const Json& type : ListOf(Member(selinux, "types"))) {
    std::vector<std::string> such_as = TextsOf(Member(type, "such_as"));
    const std::size_t all = such_as.size();
    such_as.resize(std::min(all, kMaxPlacesShown));
    view["OWN_TYPE"].push_back(
        {{"TYPE_NAME", TextOf(Member(type, "type"))},
         {"TYPE_USED", Grouped(NumberOf(Member(type, "used_for")))},
         {"TYPE_SUCH_AS", such_as},
         {"TYPE_ATTRIBUTES", Join(TextsOf(Member(type, "attributes")), " ")}});
  }
  view["CONTEXT"] = Json::array();
  const Json& contexts = ListOf(Member(selinux, "file_contexts"));
  for (const Json& context : contexts) {
    if (view["CONTEXT"].size() == kMaxContextsShown) {
      view["MORE_CONTEXTS"] = {{"MORE_COUNT", Grouped(contexts.size() - kMaxContextsShown)}};
      break;
    }
    view["CONTEXT"].push_back({{"CONTEXT_REGEX", TextOf(Member(context, "regex"))},
                               {"CONTEXT_CLASS", TextOf(Member(context, "class"))},
                               {"CONTEXT_TYPE", TextOf(Member(context, "type"))}});
  }
  view["PORT_LABEL"] = Json::array();
  for (const Json& port : ListOf(Member(selinux, "ports"))) {
    view["PORT_LABEL"].push_back(
        {{"PORT_NUMBER",
          fmt::format("{} {}", TextOf(Member(port, "protocol")), NumberOf(Member(port, "port")))},
         {"PORT_TYPE", TextOf(Member(port, "type"))}});
  }
}

}  // namespace

Json SelinuxView(const ReportPolicy& policy) {
  const Json& proof = Member(policy.proof, "selinux");
  Json view;
  view["SELINUX_DOMAIN"] = TextOf(Member(proof, "domain"));
  view["SELINUX_MODULE"] = TextOf(Member(proof, "module"));
  view["SELINUX_MODE"] = TextOf(Member(proof, "mode"));
  const Json& target = Member(proof, "target");
  view["SELINUX_TARGET"] =
      fmt::format("{} {}", TextOf(Member(target, "name")), TextOf(Member(target, "version")));
  view["SELINUX_FROM"] = Join(TextsOf(Member(proof, "launchable_from")), ", ");
  AddTypes(policy.selinux, view);
  const Reach reach = ReachOf(proof);
  const Json& rules = ListOf(Member(policy.selinux, "rules"));
  view["RULE_COUNT"] = Counted(rules.size(), "rule", "rules");
  view["RULE"] = Json::array();
  for (const Json& rule : rules) {
    if (view["RULE"].size() == kMaxRulesShown) {
      view["MORE_RULES"] = {{"MORE_COUNT", Grouped(rules.size() - kMaxRulesShown)}};
      break;
    }
    view["RULE"].push_back(RuleView(rule, reach));
  }
  view["WITHHELD"] = TextsOf(Member(proof, "withheld"));
  view["WITHHELD_COUNT"] = Counted(view["WITHHELD"].size(), "thing", "things");
  return view;
}

Json ProofView(const ReportPolicy& policy) {
  Json view;
  view["READING"] = Json::array();
  const Json& seccomp = Member(policy.proof, "seccomp");
  const auto add = [&](const Json& of, const Json& asked) {
    for (const Json& reading : ListOf(Member(of, "readings"))) {
      view["READING"].push_back(
          {{"READER", TextOf(Member(reading, "reader"))},
           {"READER_HELD", Grouped(NumberOf(Member(reading, "hold")))},
           {"READER_ASKED", Grouped(NumberOf(asked))},
           {"READER_SIZE", Grouped(NumberOf(Member(reading, "instructions")))},
           {"READER_WORST", Grouped(NumberOf(Member(reading, "worst_case_instructions")))}});
    }
  };
  add(seccomp, Member(seccomp, "recorded_calls"));
  const Json& serving = Member(policy.proof, "serving");
  if (serving.is_object()) {
    for (const Json& reading : ListOf(Member(serving, "readings"))) {
      view["READING"].push_back(
          {{"READER", TextOf(Member(reading, "reader"))},
           {"READER_HELD", Grouped(NumberOf(Member(reading, "hold")))},
           {"READER_ASKED", Grouped(NumberOf(Member(reading, "hold")))},
           {"READER_SIZE", Grouped(NumberOf(Member(reading, "instructions")))},
           {"READER_WORST", Grouped(NumberOf(Member(reading, "worst_case_instructions")))}});
    }
    view["SERVING_STATEMENT"] = {
        {"STATEMENT", TextOf(Member(serving, "statement"))},
        {"WITHHELD_CALLS", Join(TextsOf(Member(serving, "withheld")), " ")}};
  }
  const Json& groups = Member(Member(seccomp, "attack_surface"), "dangerous_groups");
  view["GROUPS_OPEN"] = ListOf(Member(groups, "open")).size();
  view["GROUPS_KNOWN"] = NumberOf(Member(groups, "known"));
  view["GROUPS_DOCKER"] = Join(TextsOf(Member(groups, "docker_default_open")), ", ");
  view["FILES_OF"] = Join(TextsOf(Member(policy.proof, "files")), " ");
  return view;
}

}  // namespace cordon::report
