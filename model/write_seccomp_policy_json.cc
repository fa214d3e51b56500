#include <nlohmann/json.hpp>

#include "common/text.h"
#include "model/seccomp_names.h"
#include "model/seccomp_policy_json.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

Json ConditionJson(const ArgumentCondition& condition) {
  const bool masked = condition.comparison == Comparison::kMaskedEqual;
  Json json;
  json["index"] = condition.index;
  json["value"] = masked ? condition.mask : condition.value;
  if (masked) {
    json["valueTwo"] = condition.value;
  }
  json["op"] = ScmpName(condition.comparison);
  return json;
}

Json RuleJson(const SeccompRule& rule, SeccompProfileFormat format) {
  Json json;
  json["names"] = rule.names;
  json["action"] = ScmpName(rule.action.kind);
  if (TakesErrno(rule.action.kind)) {
    json["errnoRet"] = rule.action.data;
  }
  for (const ArgumentCondition& condition : rule.conditions) {
    json["args"].push_back(ConditionJson(condition));
  }
  if (format == SeccompProfileFormat::kDocker && !rule.comment.empty()) {
    json["comment"] = ToUtf8(rule.comment);
  }
  return json;
}

}  // namespace

std::string WriteSeccompPolicy(const SeccompPolicy& policy, SeccompProfileFormat format) {
  Json json;
  json["defaultAction"] = ScmpName(policy.default_action.kind);
  if (TakesErrno(policy.default_action.kind)) {
    json["defaultErrnoRet"] = policy.default_action.data;
  }
  for (const Architecture arch : policy.architectures) {
    json["architectures"].push_back(ScmpName(arch));
  }
  for (const std::string& flag : policy.flags) {
    json["flags"].push_back(flag);
  }
  json["syscalls"] = Json::array();
  for (const SeccompRule& rule : policy.rules) {
    json["syscalls"].push_back(RuleJson(rule, format));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cordon
