#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "model/json_cursor.h"
#include "model/outcome_json.h"
#include "model/resource_limits_json.h"
#include "model/sandbox_state.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxPid = std::numeric_limits<pid_t>::max();

Json ToJson(const SandboxState& state) {
  Json json;
  json["name"] = state.name;
  json["status"] = state.status;
  json["phase"] = state.phase;
  json["supervisor"] = state.supervisor;
  json["pid"] = state.pid;
  json["started_ms"] = state.started_ms;
  json["command"] = ToUtf8(state.command);
  json["policy"] = ToUtf8(state.policy);
  json["root"] = ToUtf8(state.root);
  json["hostname"] = ToUtf8(state.hostname);
  json["network"] = state.network;
  json["address"] = state.address;
  json["enforcement"] = state.enforcement;
  json["files_held_by"] = state.files_held_by;
  json["selinux_label"] = state.selinux_label;
  json["namespaces"] = Json::object();
  for (const auto& [kind, link] : state.namespaces) {
    json["namespaces"][kind] = link;
  }
  json["cgroups"] = ToUtf8(state.cgroups);
  json["limits"] = Json::parse(WriteResourceLimits(state.limits), nullptr, false);
  json["mounts"] = ToUtf8(state.mounts);
  json["filter_instructions"] = state.filter_instructions;
  json["violations"] = state.violations;
  json["entered"] = Json::array();
  for (const EnteredCommand& entered : state.entered) {
    json["entered"].push_back({{"pid", entered.pid}, {"command", ToUtf8(entered.command)}});
  }
  json["ended_ms"] = state.ended_ms;
  if (state.outcome) {
    json["outcome"] = OutcomeJson(*state.outcome);
  }
  return json;
}

Status ReadStrings(const JsonCursor& json, std::string_view name, std::vector<std::string>& into) {
  ASSIGN_OR_RETURN(const JsonCursor member, json.At(name));
  ASSIGN_OR_RETURN(into, member.Strings());
  return {};
}

Expected<pid_t> ReadPid(const JsonCursor& json, std::string_view name) {
  ASSIGN_OR_RETURN(const JsonCursor member, json.At(name));
  ASSIGN_OR_RETURN(const std::uint64_t pid, member.Unsigned(kMaxPid));
  return static_cast<pid_t>(pid);
}

}  // namespace

std::string WriteSandboxState(const SandboxState& state) {
  return ToJson(state).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Expected<SandboxState> ReadSandboxState(std::string_view text, std::string_view source) {
  ASSIGN_OR_RETURN(const nlohmann::json document, JsonCursor::Parse(text, source));
  const JsonCursor json(document, source);
  SandboxState state;
  const std::pair<std::string_view, std::string*> texts[] = {
      {"name", &state.name},
      {"policy", &state.policy},
      {"root", &state.root},
      {"hostname", &state.hostname},
      {"network", &state.network},
      {"address", &state.address},
      {"enforcement", &state.enforcement},
      {"status", &state.status},
      {"phase", &state.phase},
      {"files_held_by", &state.files_held_by},
      {"selinux_label", &state.selinux_label},
  };
  for (const auto& [name, into] : texts) {
    ASSIGN_OR_RETURN(const JsonCursor member, json.At(name));
    ASSIGN_OR_RETURN(*into, member.String());
  }
  ASSIGN_OR_RETURN(state.supervisor, ReadPid(json, "supervisor"));
  ASSIGN_OR_RETURN(state.pid, ReadPid(json, "pid"));
  ASSIGN_OR_RETURN(const JsonCursor started, json.At("started_ms"));
  ASSIGN_OR_RETURN(state.started_ms, started.Integer(0, std::numeric_limits<std::int64_t>::max()));
  RETURN_IF_ERROR(ReadStrings(json, "command", state.command));
  RETURN_IF_ERROR(ReadStrings(json, "cgroups", state.cgroups));
  RETURN_IF_ERROR(ReadStrings(json, "mounts", state.mounts));
  ASSIGN_OR_RETURN(const JsonCursor limits, json.At("limits"));
  ASSIGN_OR_RETURN(state.limits, ReadResourceLimits(limits));
  ASSIGN_OR_RETURN(const JsonCursor namespaces, json.At("namespaces"));
  ASSIGN_OR_RETURN(const auto links, namespaces.Members());
  for (const auto& [kind, link] : links) {
    ASSIGN_OR_RETURN(state.namespaces[kind], link.String());
  }
  ASSIGN_OR_RETURN(const JsonCursor instructions, json.At("filter_instructions"));
  ASSIGN_OR_RETURN(state.filter_instructions, instructions.Unsigned());
  ASSIGN_OR_RETURN(const JsonCursor violations, json.At("violations"));
  ASSIGN_OR_RETURN(state.violations, violations.Unsigned());
  ASSIGN_OR_RETURN(const JsonCursor entered, json.At("entered"));
  ASSIGN_OR_RETURN(const auto elements, entered.Elements());
  for (const JsonCursor& element : elements) {
    EnteredCommand command;
    ASSIGN_OR_RETURN(command.pid, ReadPid(element, "pid"));
    RETURN_IF_ERROR(ReadStrings(element, "command", command.command));
    state.entered.push_back(std::move(command));
  }
  ASSIGN_OR_RETURN(const JsonCursor ended, json.At("ended_ms"));
  ASSIGN_OR_RETURN(state.ended_ms, ended.Integer(0, std::numeric_limits<std::int64_t>::max()));
  if (const auto outcome = json.Find("outcome")) {
    ASSIGN_OR_RETURN(state.outcome, ReadOutcome(*outcome));
  }
  return state;
}

Expected<std::string> SandboxStateField(const SandboxState& state, std::string_view field) {
  const Json document = ToJson(state);
  const Json* place = &document;
  for (const std::string& part : Split(field, '.')) {
    const Json* next = nullptr;
    if (place->is_object() && place->contains(part)) {
      next = &(*place)[part];
    } else if (const auto index = ParseUnsigned(part);
               place->is_array() && index && *index < place->size()) {
      next = &(*place)[*index];
    }
    if (next == nullptr) {
      std::vector<std::string> names;
      for (const auto& [name, ignored] : place->items()) {
        names.push_back(name);
      }
      return Fail(InvalidInput(fmt::format("no field {} in {}; there is: {}", Quote(part),
                                           Quote(field), Join(names, ", "))));
    }
    place = next;
  }
  return place->is_string() ? place->get<std::string>() : place->dump();
}

}  // namespace cordon
