#include "generator/selinux_reasons.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "common/text.h"
#include "generator/file_context_regex.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

/// What one place needs of one rule.
struct Need {
  std::set<std::string> permissions;
  Seen seen;
};

using Needs = std::map<std::string, Need>;

std::map<AccessVectorKey, Needs> NeedsOfRules(const SelinuxRules& rules) {
  std::map<AccessVectorKey, Needs> needs;
  for (const RecordedAccess& access : rules.accesses) {
    Need& need = needs[{rules.policy.domain, access.target, access.object_class}][access.place];
    need.permissions.insert(access.permissions.begin(), access.permissions.end());
    need.seen.Merge(access.seen);
  }
  return needs;
}

Json Places(const SelinuxReasons& reasons) {
  Json places = Json::array();
  for (const std::string& place : reasons.places) {
    if (places.size() < kMaxReasonsOfARule) {
      places.push_back(ToUtf8(place));
    }
  }
  return places;
}

Json NeedsJson(const Needs& needs) {
  Json list = Json::array();
  for (const auto& [place, need] : needs) {
    if (list.size() == kMaxReasonsOfARule) {
      break;
    }
    Json item;
    item["place"] = ToUtf8(place);
    item["permissions"] = need.permissions;
    item["count"] = need.seen.count;
    item["executables"] = Json::array();
    for (const std::string& executable : need.seen.executables) {
      item["executables"].push_back(ToUtf8(executable));
    }
    list.push_back(std::move(item));
  }
  return list;
}

Json AllowRules(const SelinuxRules& rules) {
  const std::map<AccessVectorKey, Needs> needs = NeedsOfRules(rules);
  Json list = Json::array();
  for (const auto& [key, rule] : rules.policy.allow) {
    Json item;
    item["source"] = key.source;
    item["target"] = key.target;
    item["class"] = key.object_class;
    item["permissions"] = rule.permissions;
    const auto ioctl = rules.policy.allow_ioctl.find(key);
    if (ioctl != rules.policy.allow_ioctl.end()) {
      item["requests"] = ioctl->second.requests;
    }
    SelinuxReasons follows = rule.reasons;
    if (const auto found = needs.find(key); found != needs.end()) {
      item["needed"] = found->second.size();
      item["by"] = NeedsJson(found->second);
      for (const auto& [place, need] : found->second) {
        follows.places.erase(place);
      }
    }
    if (!follows.places.empty()) {
      item["follows_from"] = Places(follows);
    }
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace

std::string WriteSelinuxReasons(const SelinuxRules& rules) {
  const SelinuxPolicy& policy = rules.policy;
  Json json;
  json["domain"] = policy.domain;
  json["types"] = Json::array();
  for (const auto& [name, type] : policy.types) {
    json["types"].push_back({{"type", name},
                             {"attributes", type.attributes},
                             {"used_for", type.reasons.places.size()},
                             {"such_as", Places(type.reasons)}});
  }
  json["file_contexts"] = Json::array();
  for (const auto& [key, rule] : policy.file_contexts) {
    json["file_contexts"].push_back(
        {{"regex", ToUtf8(key.regex)},
         {"class", key.file_class ? Name(*key.file_class) : std::string_view("any")},
         {"type", rule.type}});
  }
  json["transitions"] = Json::array();
  for (const auto& [key, rule] : policy.transitions) {
    json["transitions"].push_back({{"in", key.target},
                                   {"class", key.object_class},
                                   {"name", ToUtf8(key.name)},
                                   {"type", rule.type},
                                   {"such_as", Places(rule.reasons)}});
  }
  json["ports"] = Json::array();
  for (const auto& [key, rule] : policy.ports) {
    json["ports"].push_back({{"protocol", key.protocol}, {"port", key.port}, {"type", rule.type}});
  }
  json["rules"] = AllowRules(rules);
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace cordon
