#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/text.h"
#include "model/json_cursor.h"
#include "model/policy_proof.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

Json ReadingsJson(const std::vector<SeccompReading>& readings) {
  Json json = Json::array();
  for (const SeccompReading& reading : readings) {
    json.push_back({{"reader", reading.reader},
                    {"instructions", reading.cost.instructions},
                    {"worst_case_instructions", reading.cost.worst_case},
                    {"hold", reading.held}});
  }
  return json;
}

Json SeccompJson(const SeccompProof& proof) {
  Json json;
  json["statement"] = fmt::format("{0} of {0} recorded calls hold", proof.recorded);
  json["recorded_calls"] = proof.recorded;
  json["readings"] = ReadingsJson(proof.readings);
  json["attack_surface"] = Json::parse(AttackSurfaceJson(proof.surface));
  json["left_out"] = ToUtf8(proof.left_out);
  json["not_restricted"] = ToUtf8(proof.unrestricted);
  return json;
}

Json ServingJson(const ServingProof& proof) {
  Json json;
  json["statement"] = fmt::format(
      "{0} of {0} recorded calls of the serving phase hold after the boundary, all of "
      "the recording before it",
      proof.recorded);
  json["when"] = proof.when;
  json["recorded_calls"] = proof.recorded;
  json["readings"] = ReadingsJson(proof.readings);
  json["withheld"] = ToUtf8(proof.withheld);
  json["attack_surface"] = Json::parse(AttackSurfaceJson(proof.surface));
  return json;
}

/// Nothing where the bundle has one phase.
Expected<std::optional<ServingProof>> ReadServing(const JsonCursor& root) {
  const std::optional<JsonCursor> place = root.Find("serving");
  if (!place) {
    return std::optional<ServingProof>();
  }
  ASSIGN_OR_RETURN(const JsonCursor when, place->At("when"));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, when.Strings());
  ServingProof proof;
  proof.when.insert(names.begin(), names.end());
  return std::optional(std::move(proof));
}

bool IsAsciiAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string WritePolicyProof(const PolicyProof& proof) {
  Json json;
  json["bundle_version"] = kBundleVersion;
  json["name"] = proof.name;
  json["runs"] = proof.runs;
  json["files"] = proof.files;
  json["seccomp"] = SeccompJson(proof.seccomp);
  if (proof.serving) {
    json["serving"] = ServingJson(*proof.serving);
  }
  const Json selinux = Json::parse(proof.selinux_json, nullptr, /*allow_exceptions=*/false);
  if (!selinux.is_discarded()) {
    json["selinux"] = selinux;
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Expected<PolicyProof> ReadPolicyProof(std::string_view text, std::string_view source) {
  ASSIGN_OR_RETURN(const nlohmann::json json, JsonCursor::Parse(text, source));
  const JsonCursor root(json, source);
  ASSIGN_OR_RETURN(const JsonCursor version_place, root.At("bundle_version"));
  ASSIGN_OR_RETURN(const std::uint64_t version, version_place.Unsigned());
  if (version != kBundleVersion) {
    return Fail(version_place.Mistake(
        fmt::format("bundle version {}; this program reads {}", version, kBundleVersion)));
  }
  PolicyProof proof;
  ASSIGN_OR_RETURN(const JsonCursor name_place, root.At("name"));
  ASSIGN_OR_RETURN(proof.name, name_place.String());
  if (!IsBundleName(proof.name)) {
    return Fail(name_place.Mistake("not a name for a policy"));
  }
  ASSIGN_OR_RETURN(const JsonCursor runs, root.At("runs"));
  ASSIGN_OR_RETURN(proof.runs, runs.Strings());
  ASSIGN_OR_RETURN(const JsonCursor files, root.At("files"));
  ASSIGN_OR_RETURN(proof.files, files.Strings());
  ASSIGN_OR_RETURN(proof.serving, ReadServing(root));
  return proof;
}

bool IsBundleName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && IsAsciiAlphanumeric(name.front()) &&
         std::ranges::all_of(name, [](char c) {
           return IsAsciiAlphanumeric(c) || c == '.' || c == '_' || c == '-';
         });
}

}  // namespace cordon
