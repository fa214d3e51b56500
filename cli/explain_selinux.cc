#include "cli/explain_selinux.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "common/file.h"
#include "common/printable.h"
#include "common/text.h"
#include "model/policy_bundle.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxReasonsBytes = std::size_t{256} << 20;
constexpr std::size_t kShownPlaces = 5;

/// The members of an object from outside, whatever it holds: an absent one is empty. The result is
/// not for a terminal as it is.
std::string Text(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) && object[key].is_string()
             ? object[key].get<std::string>()
             : std::string();
}

std::uint64_t Number(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) && object[key].is_number_unsigned()
             ? object[key].get<std::uint64_t>()
             : 0;
}

const Json& List(const Json& object, const char* key) {
  static const Json none = Json::array();
  return object.is_object() && object.contains(key) && object[key].is_array() ? object[key] : none;
}

std::vector<std::string> Texts(const Json& object, const char* key) {
  std::vector<std::string> texts;
  for (const Json& item : List(object, key)) {
    if (item.is_string()) {
      texts.push_back(item.get<std::string>());
    }
  }
  return texts;
}

/// The parts of why.json that are about one subject, in the same form.
struct Selection {
  bool is_domain = false;
  Json parts = Json::object();
  bool empty = true;

  void Add(const char* part, const Json& item) {
    parts[part].push_back(item);
    empty = false;
  }
};

Selection SelectType(const Json& selinux, const std::string& type) {
  Selection selected;
  selected.is_domain = Text(selinux, "domain") == type;
  for (const char* const part : {"types", "file_contexts", "transitions", "ports"}) {
    for (const Json& item : List(selinux, part)) {
      if (Text(item, "type") == type || Text(item, "in") == type) {
        selected.Add(part, item);
      }
    }
  }
  for (const Json& rule : List(selinux, "rules")) {
    const std::string target = Text(rule, "target");
    if (target == type || (selected.is_domain && target == "self") ||
        (Text(rule, "source") == type && !selected.is_domain)) {
      selected.Add("rules", rule);
    }
  }
  return selected;
}

/// The rules that one place needs, with that place alone.
Selection SelectPlace(const Json& selinux, const std::string& place) {
  Selection selected;
  for (const Json& rule : List(selinux, "rules")) {
    Json needs = Json::array();
    for (const Json& need : List(rule, "by")) {
      if (Text(need, "place") == place) {
        needs.push_back(need);
      }
    }
    const std::vector<std::string> follows = Texts(rule, "follows_from");
    if (needs.empty() && std::ranges::find(follows, place) == follows.end()) {
      continue;
    }
    Json shown = rule;
    shown["by"] = std::move(needs);
    shown["needed"] = shown["by"].size();
    shown.erase("follows_from");
    selected.Add("rules", shown);
  }
  return selected;
}

std::string Line(std::string_view text) {
  return Printable(text) + "\n";
}

std::string NeedText(const Json& need) {
  std::string who;
  for (const std::string& executable : Texts(need, "executables")) {
    who += (who.empty() ? ", by " : ", ") + Quote(executable);
  }
  const std::uint64_t count = Number(need, "count");
  return Line(fmt::format("      {}: {}{}{}", Quote(Text(need, "place")),
                          Join(Texts(need, "permissions"), " "),
                          count == 0 ? "" : fmt::format(", {} times in one run", count), who));
}

std::string RuleText(const Json& rule) {
  std::string text =
      Line(fmt::format("  allow {} {}:{} {{ {} }};", Text(rule, "source"), Text(rule, "target"),
                       Text(rule, "class"), Join(Texts(rule, "permissions"), " ")));
  std::vector<std::string> requests;
  for (const Json& request : List(rule, "requests")) {
    if (request.is_number_unsigned()) {
      requests.push_back(fmt::format("{:#06x}", request.get<std::uint64_t>()));
    }
  }
  if (!requests.empty()) {
    text += fmt::format("      ioctl only {}\n", Join(requests, " "));
  }
  const Json& needs = List(rule, "by");
  for (std::size_t i = 0; i < std::min(needs.size(), kShownPlaces); ++i) {
    text += NeedText(needs[i]);
  }
  if (const std::uint64_t all = Number(rule, "needed"); all > kShownPlaces) {
    text += fmt::format("      and {} more\n", all - kShownPlaces);
  }
  for (const std::string& reason : Texts(rule, "follows_from")) {
    text += fmt::format("      {}\n", Quote(reason));
  }
  return text;
}

std::string SelectionText(const Selection& selected, const std::string& subject) {
  const Json& types = List(selected.parts, "types");
  std::string text = fmt::format("{}{}\n", Quote(subject),
                                 selected.is_domain  ? ": the domain of the workload"
                                 : !types.empty()    ? ": a type of the module"
                                 : subject[0] == '/' ? ""
                                                     : ": a type of the target policy");
  for (const Json& type : types) {
    if (const std::vector<std::string> attributes = Texts(type, "attributes");
        !attributes.empty()) {
      text += Line("  attributes " + Join(attributes, " "));
    }
  }
  for (const Json& context : List(selected.parts, "file_contexts")) {
    text += Line(
        fmt::format("  labels {} ({})", Quote(Text(context, "regex")), Text(context, "class")));
  }
  for (const Json& port : List(selected.parts, "ports")) {
    text += Line(fmt::format("  labels {} port {}", Text(port, "protocol"), Number(port, "port")));
  }
  for (const Json& transition : List(selected.parts, "transitions")) {
    const std::string name = Text(transition, "name");
    text += Line(fmt::format("  a new {}{} in {} is {}", Text(transition, "class"),
                             name.empty() ? "" : " " + Quote(name), Text(transition, "in"),
                             Text(transition, "type")));
  }
  for (const Json& rule : List(selected.parts, "rules")) {
    text += RuleText(rule);
  }
  return text;
}

}  // namespace

Expected<std::string> ExplainSelinux(const std::string& folder, const std::string& subject,
                                     ExplanationForm form) {
  const std::string file = (std::filesystem::path(folder) / std::string(kWhyFile)).string();
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxReasonsBytes));
  const Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object() || !document.contains("selinux")) {
    return Fail(InvalidInput(
        fmt::format("{} says nothing of SELinux: generate the policy again", Quote(file))));
  }
  const Json& selinux = document["selinux"];
  const Selection selected =
      subject.starts_with('/') ? SelectPlace(selinux, subject) : SelectType(selinux, subject);
  if (selected.empty) {
    return std::string();
  }
  if (form == ExplanationForm::kText) {
    return SelectionText(selected, subject);
  }
  Json json;
  json["subject"] = subject;
  json["domain"] = Text(selinux, "domain");
  json.update(selected.parts);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cordon::cli
