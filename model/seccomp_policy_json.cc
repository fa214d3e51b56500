#include "model/seccomp_policy_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/text.h"
#include "model/json_cursor.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

struct ActionName {
  std::string_view name;
  SeccompActionKind kind;
};

// The last name of a kind is only read, never written: SCMP_ACT_KILL is the old name of
// SCMP_ACT_KILL_THREAD.
constexpr std::array kActionNames = {
    ActionName{"SCMP_ACT_ALLOW", SeccompActionKind::kAllow},
    ActionName{"SCMP_ACT_LOG", SeccompActionKind::kLog},
    ActionName{"SCMP_ACT_TRACE", SeccompActionKind::kTrace},
    ActionName{"SCMP_ACT_NOTIFY", SeccompActionKind::kNotify},
    ActionName{"SCMP_ACT_ERRNO", SeccompActionKind::kErrno},
    ActionName{"SCMP_ACT_TRAP", SeccompActionKind::kTrap},
    ActionName{"SCMP_ACT_KILL_THREAD", SeccompActionKind::kKillThread},
    ActionName{"SCMP_ACT_KILL_PROCESS", SeccompActionKind::kKillProcess},
    ActionName{"SCMP_ACT_KILL", SeccompActionKind::kKillThread},
};

struct ComparisonName {
  std::string_view name;
  Comparison comparison;
};

constexpr std::array kComparisonNames = {
    ComparisonName{"SCMP_CMP_EQ", Comparison::kEqual},
    ComparisonName{"SCMP_CMP_NE", Comparison::kNotEqual},
    ComparisonName{"SCMP_CMP_LT", Comparison::kLess},
    ComparisonName{"SCMP_CMP_LE", Comparison::kLessOrEqual},
    ComparisonName{"SCMP_CMP_GT", Comparison::kGreater},
    ComparisonName{"SCMP_CMP_GE", Comparison::kGreaterOrEqual},
    ComparisonName{"SCMP_CMP_MASKED_EQ", Comparison::kMaskedEqual},
};

constexpr std::uint64_t kDefaultErrno =
    1;  // EPERM, when the document gives none (runtime-spec: linux.seccomp)
constexpr std::uint64_t kMaxErrno =
    4095;  // linux/err.h MAX_ERRNO: the kernel caps a greater one to it
constexpr std::uint64_t kMaxTraceMessage = 65535;  // SECCOMP_RET_DATA

bool TakesErrno(SeccompActionKind kind) {
  return kind == SeccompActionKind::kErrno || kind == SeccompActionKind::kTrace;
}

/// The action that member `name` of `object` spells, with the errno or message of member
/// `errno_name`.
Expected<SeccompAction> ReadAction(const JsonCursor& object, std::string_view name,
                                   std::string_view errno_name) {
  ASSIGN_OR_RETURN(const JsonCursor place, object.At(name));
  ASSIGN_OR_RETURN(const std::string text, place.String());
  const auto* const found = std::ranges::find(kActionNames, text, &ActionName::name);
  if (found == kActionNames.end()) {
    return Fail(place.Mistake(fmt::format("unknown action {}", Quote(text))));
  }
  SeccompAction action{found->kind, 0};
  if (const std::optional<JsonCursor> errno_place = object.Find(errno_name)) {
    if (!TakesErrno(action.kind)) {
      return Fail(errno_place->Mistake(fmt::format("{} takes no errno", text)));
    }
    ASSIGN_OR_RETURN(const std::uint64_t value,
                     errno_place->Unsigned(
                         action.kind == SeccompActionKind::kErrno ? kMaxErrno : kMaxTraceMessage));
    action.data = static_cast<std::uint16_t>(value);
  } else if (TakesErrno(action.kind)) {
    action.data = kDefaultErrno;
  }
  return action;
}

Expected<ArgumentCondition> ReadCondition(const JsonCursor& place) {
  RETURN_IF_ERROR(place.OnlyMembers({"index", "value", "valueTwo", "op"}));
  ArgumentCondition condition;
  ASSIGN_OR_RETURN(const JsonCursor index_place, place.At("index"));
  ASSIGN_OR_RETURN(const std::uint64_t index, index_place.Unsigned(5));
  condition.index = static_cast<unsigned>(index);
  ASSIGN_OR_RETURN(const JsonCursor op, place.At("op"));
  ASSIGN_OR_RETURN(const std::string text, op.String());
  const auto* const found = std::ranges::find(kComparisonNames, text, &ComparisonName::name);
  if (found == kComparisonNames.end()) {
    return Fail(op.Mistake(fmt::format("unknown operator {}", Quote(text))));
  }
  condition.comparison = found->comparison;
  ASSIGN_OR_RETURN(const JsonCursor value_place, place.At("value"));
  ASSIGN_OR_RETURN(const std::uint64_t value, value_place.Unsigned());
  condition.value = value;
  std::uint64_t second = 0;
  const std::optional<JsonCursor> second_place = place.Find("valueTwo");
  if (second_place) {
    ASSIGN_OR_RETURN(second, second_place->Unsigned());
  }
  if (condition.comparison == Comparison::kMaskedEqual) {
    // seccomp_rule_add(3): datum_a is the mask, datum_b the value.
    condition.mask = value;
    condition.value = second;
    if (second_place && (second & ~value) != 0) {
      return Fail(
          second_place->Mistake("has bits outside the mask, so the comparison can never hold"));
    }
  }
  return condition;
}

Expected<std::vector<std::string>> ReadNames(const JsonCursor& rule) {
  ASSIGN_OR_RETURN(const JsonCursor place, rule.At("names"));
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, place.Elements());
  if (elements.empty()) {
    return Fail(place.Mistake("expected at least one name"));
  }
  std::vector<std::string> names;
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(std::string name, element.String());
    if (!IsSyscallName(name)) {
      return Fail(element.Mistake(fmt::format("unknown system call {}", Quote(name))));
    }
    names.push_back(std::move(name));
  }
  return names;
}

Expected<std::vector<ArgumentCondition>> ReadConditions(const JsonCursor& args) {
  std::vector<ArgumentCondition> conditions;
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, args.Elements());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const ArgumentCondition condition, ReadCondition(element));
    if (std::ranges::find(conditions, condition.index, &ArgumentCondition::index) !=
        conditions.end()) {
      return Fail(
          element.Mistake(fmt::format("a second condition on argument {}: container runtimes take "
                                      "the two as alternatives, so write two rules",
                                      condition.index)));
    }
    conditions.push_back(condition);
  }
  return conditions;
}

Expected<SeccompRule> ReadRule(const JsonCursor& place) {
  RETURN_IF_ERROR(place.OnlyMembers({"names", "action", "errnoRet", "args", "comment"}));
  SeccompRule rule;
  ASSIGN_OR_RETURN(rule.names, ReadNames(place));
  ASSIGN_OR_RETURN(rule.action, ReadAction(place, "action", "errnoRet"));
  // Docker's own writer says null for no conditions.
  if (const std::optional<JsonCursor> args = place.Find("args"); args && !args->value().is_null()) {
    ASSIGN_OR_RETURN(rule.conditions, ReadConditions(*args));
  }
  if (const std::optional<JsonCursor> comment = place.Find("comment")) {
    ASSIGN_OR_RETURN(rule.comment, comment->String());
  }
  return rule;
}

Expected<std::vector<Architecture>> ReadArchitectures(const JsonCursor& list) {
  std::vector<Architecture> architectures;
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, list.Elements());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const std::string name, element.String());
    const std::optional<Architecture> arch = ArchitectureFromScmpName(name);
    if (!arch) {
      return Fail(element.Mistake(fmt::format("unknown architecture {}", Quote(name))));
    }
    if (std::ranges::find(architectures, *arch) == architectures.end()) {
      architectures.push_back(*arch);
    }
  }
  return architectures;
}

Expected<std::set<std::string>> ReadFlags(const JsonCursor& list) {
  // seccomp(2), by the names that runtime-spec 1.1 gives them
  constexpr std::array<std::string_view, 4> kKnown = {
      "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
      "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  std::set<std::string> flags;
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, list.Elements());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const std::string flag, element.String());
    if (std::ranges::find(kKnown, flag) == kKnown.end()) {
      return Fail(element.Mistake(fmt::format("unknown flag {}", Quote(flag))));
    }
    flags.insert(flag);
  }
  return flags;
}

std::string_view NameOf(SeccompActionKind kind) {
  return std::ranges::find(kActionNames, kind, &ActionName::kind)->name;
}

std::string_view NameOf(Comparison comparison) {
  return std::ranges::find(kComparisonNames, comparison, &ComparisonName::comparison)->name;
}

Json ConditionJson(const ArgumentCondition& condition) {
  const bool masked = condition.comparison == Comparison::kMaskedEqual;
  Json json;
  json["index"] = condition.index;
  json["value"] = masked ? condition.mask : condition.value;
  if (masked) {
    json["valueTwo"] = condition.value;
  }
  json["op"] = NameOf(condition.comparison);
  return json;
}

Json RuleJson(const SeccompRule& rule, SeccompProfileFormat format) {
  Json json;
  json["names"] = rule.names;
  json["action"] = NameOf(rule.action.kind);
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
  json["defaultAction"] = NameOf(policy.default_action.kind);
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

Expected<SeccompPolicy> ReadSeccompPolicy(std::string_view text, std::string_view source) {
  if (text.size() > kMaxSeccompProfileBytes) {
    return Fail(MakeError(ErrorCode::kLimit, fmt::format("{}: longer than {} bytes", source,
                                                         kMaxSeccompProfileBytes)));
  }
  ASSIGN_OR_RETURN(const nlohmann::json json, JsonCursor::Parse(text, source));
  const JsonCursor root(json, source);
  RETURN_IF_ERROR(
      root.OnlyMembers({"defaultAction", "defaultErrnoRet", "architectures", "flags", "syscalls"}));
  SeccompPolicy policy;
  ASSIGN_OR_RETURN(policy.default_action, ReadAction(root, "defaultAction", "defaultErrnoRet"));
  if (const std::optional<JsonCursor> list = root.Find("architectures")) {
    ASSIGN_OR_RETURN(policy.architectures, ReadArchitectures(*list));
  }
  // Runtimes add the host's own ABI to what is listed.
  if (policy.architectures.empty()) {
    policy.architectures.push_back(NativeArchitecture());
  }
  if (const std::optional<JsonCursor> list = root.Find("flags")) {
    ASSIGN_OR_RETURN(policy.flags, ReadFlags(*list));
  }
  if (const std::optional<JsonCursor> list = root.Find("syscalls")) {
    ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, list->Elements());
    for (const JsonCursor& element : elements) {
      ASSIGN_OR_RETURN(SeccompRule rule, ReadRule(element));
      policy.rules.push_back(std::move(rule));
    }
  }
  if (const Status consistent = CheckConsistent(policy); !consistent) {
    return Fail(consistent.error().WithContext(fmt::format("{}: /syscalls", source)));
  }
  return policy;
}

}  // namespace cordon
