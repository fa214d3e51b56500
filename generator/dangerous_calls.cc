#include "generator/dangerous_calls.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "model/answer_diagrams.h"
#include "model/json_cursor.h"
#include "policies/embedded.h"

namespace cordon {
namespace {

Expected<std::set<Architecture>> ReadArchitectures(const JsonCursor& place) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, place.Strings());
  std::set<Architecture> architectures;
  for (const std::string& name : names) {
    const std::optional<Architecture> arch = ArchitectureFromName(name);
    if (!arch) {
      return Fail(place.Mistake("'" + name + "' is no architecture"));
    }
    architectures.insert(*arch);
  }
  return architectures;
}

Expected<DangerousCall> ReadCall(const JsonCursor& place) {
  RETURN_IF_ERROR(place.OnlyMembers({"name", "argument", "mask", "value", "on", "not_on"}));
  DangerousCall call;
  ASSIGN_OR_RETURN(const JsonCursor name, place.At("name"));
  ASSIGN_OR_RETURN(call.name, name.String());
  if (!IsSyscallName(call.name)) {
    return Fail(name.Mistake("no system call"));
  }
  for (std::size_t i = 0; i < kArchitectureCount; ++i) {
    call.architectures.insert(static_cast<Architecture>(i));
  }
  if (const auto only = place.Find("on")) {
    ASSIGN_OR_RETURN(call.architectures, ReadArchitectures(*only));
  }
  if (const auto without = place.Find("not_on")) {
    ASSIGN_OR_RETURN(const std::set<Architecture> others, ReadArchitectures(*without));
    std::erase_if(call.architectures, [&](Architecture arch) { return others.contains(arch); });
  }
  if (const auto argument = place.Find("argument")) {
    ASSIGN_OR_RETURN(const std::uint64_t index, argument->Unsigned(5));
    ASSIGN_OR_RETURN(const JsonCursor mask, place.At("mask"));
    ASSIGN_OR_RETURN(const JsonCursor value, place.At("value"));
    ArgumentCondition condition{static_cast<unsigned>(index), Comparison::kMaskedEqual, 0, 0};
    ASSIGN_OR_RETURN(condition.mask, mask.Unsigned());
    ASSIGN_OR_RETURN(condition.value, value.Unsigned());
    call.condition = condition;
  }
  return call;
}

Expected<std::vector<DangerousGroup>> ReadGroups(const JsonCursor& root) {
  std::vector<DangerousGroup> groups;
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, root.Elements());
  for (const JsonCursor& element : elements) {
    DangerousGroup group;
    ASSIGN_OR_RETURN(const JsonCursor name, element.At("group"));
    ASSIGN_OR_RETURN(group.group, name.String());
    ASSIGN_OR_RETURN(const JsonCursor reason, element.At("reason"));
    ASSIGN_OR_RETURN(group.reason, reason.String());
    ASSIGN_OR_RETURN(const JsonCursor list, element.At("calls"));
    ASSIGN_OR_RETURN(const std::vector<JsonCursor> calls, list.Elements());
    for (const JsonCursor& call : calls) {
      ASSIGN_OR_RETURN(DangerousCall one, ReadCall(call));
      group.calls.push_back(std::move(one));
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

/// A use of `call` with dangerous arguments that `policy` admits, if there is one.
Expected<std::optional<SyscallInvocation>> FindOpen(const SeccompPolicy& policy,
                                                    const DangerousCall& dangerous, Syscall call) {
  // The dangerous uses, as a policy that allows just them.
  SeccompPolicy uses{SeccompAction::Errno(1), {call.arch}, {}, {}};
  uses.rules.push_back({{dangerous.name}, SeccompAction::Allow(), {}, ""});
  if (dangerous.condition) {
    uses.rules.back().conditions.push_back(*dangerous.condition);
  }
  AnswerDiagrams diagrams;
  ASSIGN_OR_RETURN(const AnswerDiagrams::Node answered, diagrams.Of(CallRules(policy, call)));
  ASSIGN_OR_RETURN(const AnswerDiagrams::Node meant, diagrams.Of(CallRules(uses, call)));
  const auto example = diagrams.Find(
      answered, meant, [](const SeccompAction& answer, const SeccompAction& is_meant) {
        return Admits(answer) && Admits(is_meant);
      });
  if (!example) {
    return std::nullopt;
  }
  return SyscallInvocation{call, example->registers};
}

}  // namespace

Expected<std::vector<DangerousGroup>> LoadDangerousGroups() {
  constexpr std::string_view kSource = "policies/dangerous_calls.json";
  const auto as_ours = [](const Error& error) {
    return Fail(MakeError(ErrorCode::kInternal, error.message));
  };
  const Expected<nlohmann::json> json = JsonCursor::Parse(policies::kDangerousCalls, kSource);
  if (!json) {
    return as_ours(json.error());
  }
  Expected<std::vector<DangerousGroup>> groups = ReadGroups(JsonCursor(*json, kSource));
  if (!groups) {
    return as_ours(groups.error());
  }
  return groups;
}

Expected<std::vector<SyscallInvocation>> FindOpenCalls(const SeccompPolicy& policy,
                                                       const DangerousGroup& group) {
  std::vector<SyscallInvocation> open;
  for (const Architecture arch : policy.architectures) {
    for (const DangerousCall& dangerous : group.calls) {
      const std::optional<std::int32_t> number = SyscallNumber(arch, dangerous.name);
      if (!number || !dangerous.architectures.contains(arch)) {
        continue;
      }
      ASSIGN_OR_RETURN(const std::optional<SyscallInvocation> example,
                       FindOpen(policy, dangerous, {arch, *number}));
      if (example) {
        open.push_back(*example);
      }
    }
  }
  return open;
}

}  // namespace cordon
