#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/text.h"
#include "model/json_members.h"
#include "model/oci_state.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kIndent = 2;

/// Bytes that are no UTF-8 are replaced: an engine hands paths and annotations on as they are.
std::string Dump(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json StateJson(const OciRecord& record, OciStatus status) {
  Json json;
  json["ociVersion"] = kOciVersion;
  json["id"] = record.id;
  json["status"] = OciStatusName(status);
  json["pid"] = status == OciStatus::kStopped ? 0 : record.pid;
  json["bundle"] = record.bundle;
  if (!record.annotations.empty()) {
    json["annotations"] = record.annotations;
  }
  return json;
}

Json DetailsJson(const OciRecord& record, OciStatus status) {
  Json json = StateJson(record, status);
  json["rootfs"] = record.root;
  json["created"] = record.created;
  json["owner"] = record.owner == 0 ? "root" : std::to_string(record.owner);
  return json;
}

Expected<bool> ReadMember(std::string_view name, const JsonCursor& member, OciRecord& record) {
  if (name == "id") {
    return Take(record.id, member.String());
  }
  if (name == "pid") {
    return Take(record.pid, member.Integer(0, std::numeric_limits<std::int32_t>::max()));
  }
  if (name == "startTime") {
    return Take(record.start_time, member.Unsigned());
  }
  if (name == "bundle") {
    return Take(record.bundle, member.String());
  }
  if (name == "root") {
    return Take(record.root, member.String());
  }
  if (name == "created") {
    return Take(record.created, member.String());
  }
  if (name == "owner") {
    return Take(record.owner, member.Unsigned(std::numeric_limits<std::uint32_t>::max()));
  }
  if (name == "cgroups") {
    return Take(record.cgroups, member.Strings());
  }
  if (name != "annotations") {
    return false;
  }
  ASSIGN_OR_RETURN(const auto annotations, member.Members());
  for (const auto& [key, value] : annotations) {
    ASSIGN_OR_RETURN(record.annotations[key], value.String());
  }
  return true;
}

}  // namespace

std::string WriteOciRecord(const OciRecord& record) {
  Json json;
  json["id"] = record.id;
  json["pid"] = record.pid;
  json["startTime"] = record.start_time;
  json["bundle"] = record.bundle;
  json["root"] = record.root;
  json["created"] = record.created;
  json["owner"] = record.owner;
  json["cgroups"] = record.cgroups;
  json["annotations"] = record.annotations;
  return Dump(json, kIndent) + "\n";
}

Expected<OciRecord> ReadOciRecord(std::string_view text, std::string_view source) {
  ASSIGN_OR_RETURN(const nlohmann::json document, JsonCursor::Parse(text, source));
  const JsonCursor root(document, source);
  OciRecord record;
  for (const char* const name : {"id", "pid", "startTime", "bundle"}) {
    RETURN_IF_ERROR(root.At(name));
  }
  RETURN_IF_ERROR(EachMember(root, [&](std::string_view name, const JsonCursor& member) {
    return ReadMember(name, member, record);
  }));
  return record;
}

std::string_view OciStatusName(OciStatus status) {
  constexpr std::array<std::string_view, 5> kNames{"creating", "created", "running", "paused",
                                                   "stopped"};
  return kNames.at(static_cast<std::size_t>(status));
}

std::string WriteOciState(const OciRecord& record, OciStatus status) {
  return Dump(StateJson(record, status));
}

std::string WriteOciStateDetails(const OciRecord& record, OciStatus status) {
  return Dump(DetailsJson(record, status), kIndent) + "\n";
}

std::string WriteOciStateList(const std::vector<std::pair<OciRecord, OciStatus>>& containers) {
  Json list = Json::array();
  for (const auto& [record, status] : containers) {
    list.push_back(DetailsJson(record, status));
  }
  return Dump(list) + "\n";
}

std::string WriteOciProcessState(const OciRecord& record, OciStatus status, std::int32_t pid,
                                 const std::string& metadata) {
  Json json;
  json["ociVersion"] = kOciVersion;
  json["fds"] = {"seccompFd"};
  json["pid"] = pid;
  if (!metadata.empty()) {
    json["metadata"] = metadata;
  }
  json["state"] = StateJson(record, status);
  return Dump(json);
}

std::string WriteOciLogLine(std::string_view level, std::string_view message,
                            std::string_view time) {
  Json json;
  json["level"] = level;
  json["msg"] = ToUtf8(message);
  json["time"] = time;
  return Dump(json) + "\n";
}

}  // namespace cordon
