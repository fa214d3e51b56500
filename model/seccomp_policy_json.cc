#include "model/seccomp_policy_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "common/text.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

struct ActionName {
  std::string_view name;
  SeccompActionKind kind;
};

// The last name of a kind is only read, never written: SCMP_ACT_KILL is the old name of SCMP_ACT_KILL_THREAD.
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

constexpr std::uint64_t kDefaultErrno = 1;         // EPERM, when the document gives none (runtime-spec: linux.seccomp)
constexpr std::uint64_t kMaxErrno = 4095;          // linux/err.h MAX_ERRNO: the kernel caps a greater one to it
constexpr std::uint64_t kMaxTraceMessage = 65535;  // SECCOMP_RET_DATA

bool TakesErrno(SeccompActionKind kind) { return kind == SeccompActionKind::kErrno || kind == SeccompActionKind::kTrace; }

/// Finds the byte at which a text stops being JSON.
class SyntaxChecker : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    position_ = position;
    return false;
  }

  std::size_t position() const { return position_; }

 private:
  std::size_t position_ = 0;
};

/// A value of the document and where it stands.
struct Place {
  const Json& value;
  std::string_view source;
  std::string pointer;

  Place Member(const std::string& name) const { return {value[name], source, pointer + "/" + name}; }
  Place Element(std::size_t index) const { return {value[index], source, fmt::format("{}/{}", pointer, index)}; }
  bool Has(const std::string& name) const { return value.contains(name); }

  std::unexpected<Error> Fails(const std::string& what) const {
    return Fail(InvalidInput(fmt::format("{}: {}: {}", source, pointer.empty() ? "/" : pointer, what)));
  }

  Status CheckObject(std::initializer_list<std::string_view> known) const {
    if (!value.is_object()) {
      return Fails("expected an object");
    }
    for (const auto& [name, member] : value.items()) {
      if (std::ranges::find(known, name) == known.end()) {
        std::string where = pointer + "/" + ToUtf8(name);
        return Fail(InvalidInput(fmt::format("{}: {}: this member is not understood", source, where)));
      }
    }
    return {};
  }

  Status CheckArray() const {
    if (!value.is_array()) {
      return Fails("expected an array");
    }
    return {};
  }

  Expected<std::string> String() const {
    if (!value.is_string()) {
      return Fails("expected a string");
    }
    return value.get<std::string>();
  }

  Expected<std::uint64_t> Unsigned(std::uint64_t maximum) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > maximum) {
      return Fails(fmt::format("expected a whole number in 0..{}", maximum));
    }
    return value.get<std::uint64_t>();
  }
};

/// The action that member `name` of `object` spells, with the errno or message of member `errno_name`.
Expected<SeccompAction> ReadAction(const Place& object, const std::string& name, const std::string& errno_name) {
  if (!object.Has(name)) {
    return object.Fails(fmt::format("{} is missing", name));
  }
  const Place place = object.Member(name);
  ASSIGN_OR_RETURN(const std::string text, place.String());
  const auto* const found = std::ranges::find(kActionNames, text, &ActionName::name);
  if (found == kActionNames.end()) {
    return place.Fails(fmt::format("unknown action {}", Quote(text)));
  }
  SeccompAction action{found->kind, 0};
  if (object.Has(errno_name)) {
    const Place errno_place = object.Member(errno_name);
    if (!TakesErrno(action.kind)) {
      return errno_place.Fails(fmt::format("{} takes no errno", text));
    }
    ASSIGN_OR_RETURN(const std::uint64_t value,
                     errno_place.Unsigned(action.kind == SeccompActionKind::kErrno ? kMaxErrno : kMaxTraceMessage));
    action.data = static_cast<std::uint16_t>(value);
  } else if (TakesErrno(action.kind)) {
    action.data = kDefaultErrno;
  }
  return action;
}

Expected<ArgumentCondition> ReadCondition(const Place& place) {
  RETURN_IF_ERROR(place.CheckObject({"index", "value", "valueTwo", "op"}));
  for (const char* const required : {"index", "value", "op"}) {
    if (!place.Has(required)) {
      return place.Fails(fmt::format("{} is missing", required));
    }
  }
  ArgumentCondition condition;
  ASSIGN_OR_RETURN(const std::uint64_t index, place.Member("index").Unsigned(5));
  condition.index = static_cast<unsigned>(index);
  const Place op = place.Member("op");
  ASSIGN_OR_RETURN(const std::string text, op.String());
  const auto* const found = std::ranges::find(kComparisonNames, text, &ComparisonName::name);
  if (found == kComparisonNames.end()) {
    return op.Fails(fmt::format("unknown operator {}", Quote(text)));
  }
  condition.comparison = found->comparison;
  constexpr std::uint64_t kAny = ~std::uint64_t{0};
  ASSIGN_OR_RETURN(const std::uint64_t value, place.Member("value").Unsigned(kAny));
  std::uint64_t value_two = 0;
  if (place.Has("valueTwo")) {
    ASSIGN_OR_RETURN(value_two, place.Member("valueTwo").Unsigned(kAny));
  }
  if (condition.comparison == Comparison::kMaskedEqual) {
    // seccomp_rule_add(3): datum_a is the mask, datum_b the value.
    condition.mask = value;
    condition.value = value_two;
    if ((value_two & ~value) != 0) {
      return place.Member("valueTwo").Fails("has bits outside the mask, so the comparison can never hold");
    }
  } else {
    condition.value = value;
  }
  return condition;
}

Expected<SeccompRule> ReadRule(const Place& place) {
  RETURN_IF_ERROR(place.CheckObject({"names", "action", "errnoRet", "args", "comment"}));
  SeccompRule rule;
  if (!place.Has("names")) {
    return place.Fails("names is missing");
  }
  const Place names = place.Member("names");
  RETURN_IF_ERROR(names.CheckArray());
  if (names.value.empty()) {
    return names.Fails("expected at least one name");
  }
  for (std::size_t i = 0; i < names.value.size(); ++i) {
    ASSIGN_OR_RETURN(std::string name, names.Element(i).String());
    if (!IsSyscallName(name)) {
      return names.Element(i).Fails(fmt::format("unknown system call {}", Quote(name)));
    }
    rule.names.push_back(std::move(name));
  }
  ASSIGN_OR_RETURN(rule.action, ReadAction(place, "action", "errnoRet"));
  if (place.Has("args") && !place.value["args"].is_null()) {
    const Place args = place.Member("args");
    RETURN_IF_ERROR(args.CheckArray());
    for (std::size_t i = 0; i < args.value.size(); ++i) {
      ASSIGN_OR_RETURN(const ArgumentCondition condition, ReadCondition(args.Element(i)));
      if (std::ranges::find(rule.conditions, condition.index, &ArgumentCondition::index) != rule.conditions.end()) {
        return args.Element(i).Fails(
            fmt::format("a second condition on argument {}: container runtimes take the two as alternatives, so write two rules",
                        condition.index));
      }
      rule.conditions.push_back(condition);
    }
  }
  if (place.Has("comment")) {
    ASSIGN_OR_RETURN(rule.comment, place.Member("comment").String());
  }
  return rule;
}

Status ReadArchitectures(const Place& list, SeccompPolicy& policy) {
  RETURN_IF_ERROR(list.CheckArray());
  for (std::size_t i = 0; i < list.value.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string name, list.Element(i).String());
    const std::optional<Architecture> arch = ArchitectureFromScmpName(name);
    if (!arch) {
      return list.Element(i).Fails(fmt::format("unknown architecture {}", Quote(name)));
    }
    if (std::ranges::find(policy.architectures, *arch) == policy.architectures.end()) {
      policy.architectures.push_back(*arch);
    }
  }
  return {};
}

Status ReadFlags(const Place& list, SeccompPolicy& policy) {
  constexpr std::array<std::string_view, 4> kKnown = {
      "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
      "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  RETURN_IF_ERROR(list.CheckArray());
  for (std::size_t i = 0; i < list.value.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string flag, list.Element(i).String());
    if (std::ranges::find(kKnown, flag) == kKnown.end()) {
      return list.Element(i).Fails(fmt::format("unknown flag {}", Quote(flag)));
    }
    policy.flags.insert(flag);
  }
  return {};
}

std::string_view NameOf(SeccompActionKind kind) { return std::ranges::find(kActionNames, kind, &ActionName::kind)->name; }

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
    return Fail(MakeError(ErrorCode::kLimit, fmt::format("{}: longer than {} bytes", source, kMaxSeccompProfileBytes)));
  }
  SyntaxChecker checker;
  if (!Json::sax_parse(text, &checker)) {
    return Fail(InvalidInput(fmt::format("{}: not valid JSON at byte {}", source, checker.position())));
  }
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const Place root{json, source, ""};
  RETURN_IF_ERROR(root.CheckObject({"defaultAction", "defaultErrnoRet", "architectures", "flags", "syscalls"}));
  SeccompPolicy policy;
  ASSIGN_OR_RETURN(policy.default_action, ReadAction(root, "defaultAction", "defaultErrnoRet"));
  if (root.Has("architectures")) {
    RETURN_IF_ERROR(ReadArchitectures(root.Member("architectures"), policy));
  }
  // Runtimes add the host's own ABI to what is listed.
  if (policy.architectures.empty()) {
    policy.architectures.push_back(NativeArchitecture());
  }
  if (root.Has("flags")) {
    RETURN_IF_ERROR(ReadFlags(root.Member("flags"), policy));
  }
  if (root.Has("syscalls")) {
    const Place rules = root.Member("syscalls");
    RETURN_IF_ERROR(rules.CheckArray());
    for (std::size_t i = 0; i < rules.value.size(); ++i) {
      ASSIGN_OR_RETURN(SeccompRule rule, ReadRule(rules.Element(i)));
      policy.rules.push_back(std::move(rule));
    }
  }
  if (const Status consistent = CheckConsistent(policy); !consistent) {
    return Fail(consistent.error().WithContext(fmt::format("{}: /syscalls", source)));
  }
  return policy;
}

}  // namespace cordon
