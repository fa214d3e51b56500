#include "generator/syscall_data.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "model/json_cursor.h"
#include "model/syscall.h"
#include "policies/embedded.h"

namespace cordon {
namespace {

constexpr std::uint64_t kMaxRelease = 99999;

Expected<std::vector<std::string>> ReadNames(const JsonCursor& place) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, place.Strings());
  for (const std::string& name : names) {
    if (!IsSyscallName(name)) {
      return Fail(place.Mistake("'" + name + "' is no system call"));
    }
  }
  return names;
}

Expected<std::vector<ReasonedNames>> ReadGroups(const JsonCursor& place) {
  std::vector<ReasonedNames> groups;
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, place.Elements());
  for (const JsonCursor& element : elements) {
    ReasonedNames group;
    ASSIGN_OR_RETURN(const JsonCursor reason, element.At("reason"));
    ASSIGN_OR_RETURN(group.reason, reason.String());
    ASSIGN_OR_RETURN(const JsonCursor names, element.At("names"));
    ASSIGN_OR_RETURN(group.names, ReadNames(names));
    groups.push_back(std::move(group));
  }
  return groups;
}

Expected<NoNewPrivileges> ReadNoNewPrivileges(const JsonCursor& place) {
  ASSIGN_OR_RETURN(const std::string text, place.String());
  for (const NoNewPrivileges mode :
       {NoNewPrivileges::kEither, NoNewPrivileges::kOn, NoNewPrivileges::kOff}) {
    if (text == NoNewPrivilegesName(mode)) {
      return mode;
    }
  }
  return Fail(place.Mistake("on, off or either is meant"));
}

Expected<RuntimeCalls> ReadRuntimeCalls(const JsonCursor& element) {
  RuntimeCalls calls;
  ASSIGN_OR_RETURN(const JsonCursor reason, element.At("reason"));
  ASSIGN_OR_RETURN(calls.reason, reason.String());
  ASSIGN_OR_RETURN(const JsonCursor versions, element.At("versions"));
  ASSIGN_OR_RETURN(calls.versions, versions.String());
  const std::size_t dash = calls.versions.find('-');
  const std::optional<RuntimeVersion> first = ParseRuntimeVersion(calls.versions.substr(0, dash));
  const std::optional<RuntimeVersion> last =
      dash == std::string::npos ? first : ParseRuntimeVersion(calls.versions.substr(dash + 1));
  if (!first || !last || *last < *first) {
    return Fail(versions.Mistake("a range of versions such as 1.1-1.4 is meant"));
  }
  calls.first = *first;
  calls.last = *last;
  ASSIGN_OR_RETURN(const JsonCursor privileges, element.At("no_new_privileges"));
  ASSIGN_OR_RETURN(calls.no_new_privileges, ReadNoNewPrivileges(privileges));
  if (const std::optional<JsonCursor> any_time = element.Find("at_any_time")) {
    ASSIGN_OR_RETURN(calls.at_any_time, any_time->Boolean());
  }
  ASSIGN_OR_RETURN(const JsonCursor names, element.At("names"));
  ASSIGN_OR_RETURN(calls.names, ReadNames(names));
  return calls;
}

Expected<std::vector<RuntimeCalls>> ReadRuntime(const JsonCursor& place) {
  std::vector<RuntimeCalls> groups;
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, place.Elements());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(RuntimeCalls calls, ReadRuntimeCalls(element));
    groups.push_back(std::move(calls));
  }
  return groups;
}

/// `read` of the embedded document `text`; what is wrong with it is our fault, not the user's.
template <typename Result>
Expected<Result> Load(std::string_view text, std::string_view source,
                      Expected<Result> (*read)(const JsonCursor&)) {
  Expected<nlohmann::json> json = JsonCursor::Parse(text, source);
  if (!json) {
    return Fail(MakeError(ErrorCode::kInternal, json.error().message));
  }
  Expected<Result> result = read(JsonCursor(*json, source));
  if (!result) {
    return Fail(MakeError(ErrorCode::kInternal, result.error().message));
  }
  return result;
}

Expected<SyscallClasses> ReadClasses(const JsonCursor& root) {
  SyscallClasses classes;
  ASSIGN_OR_RETURN(const JsonCursor refused, root.At("refused"));
  ASSIGN_OR_RETURN(classes.refused, ReadGroups(refused));
  ASSIGN_OR_RETURN(const JsonCursor absent, root.At("absent"));
  ASSIGN_OR_RETURN(classes.absent, ReadGroups(absent));
  return classes;
}

Expected<BaseSets> ReadBaseSets(const JsonCursor& root) {
  BaseSets sets;
  ASSIGN_OR_RETURN(const JsonCursor always, root.At("always"));
  ASSIGN_OR_RETURN(sets.always, ReadGroups(always));
  ASSIGN_OR_RETURN(const JsonCursor runtimes, root.At("runtimes"));
  ASSIGN_OR_RETURN(const auto members, runtimes.Members());
  for (const auto& [name, place] : members) {
    ASSIGN_OR_RETURN(sets.runtimes[name], ReadRuntime(place));
  }
  return sets;
}

Expected<SyscallFamilies> ReadFamilies(const JsonCursor& root) {
  SyscallFamilies families;
  ASSIGN_OR_RETURN(const auto members, root.Members());
  for (const auto& [name, place] : members) {
    ASSIGN_OR_RETURN(families[name], ReadNames(place));
  }
  return families;
}

Expected<std::vector<SyscallCompanions>> ReadCompanions(const JsonCursor& root) {
  std::vector<SyscallCompanions> companions;
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, root.Elements());
  for (const JsonCursor& element : elements) {
    RETURN_IF_ERROR(element.OnlyMembers({"with", "names", "values", "reason"}));
    SyscallCompanions group;
    ASSIGN_OR_RETURN(const JsonCursor with, element.At("with"));
    ASSIGN_OR_RETURN(group.with, ReadNames(with));
    ASSIGN_OR_RETURN(const JsonCursor names, element.At("names"));
    ASSIGN_OR_RETURN(group.names, ReadNames(names));
    if (const std::optional<JsonCursor> list = element.Find("values")) {
      ASSIGN_OR_RETURN(const std::vector<JsonCursor> values, list->Elements());
      for (const JsonCursor& value : values) {
        ASSIGN_OR_RETURN(group.values.emplace_back(), value.Unsigned());
      }
    }
    ASSIGN_OR_RETURN(const JsonCursor reason, element.At("reason"));
    ASSIGN_OR_RETURN(group.reason, reason.String());
    companions.push_back(std::move(group));
  }
  return companions;
}

}  // namespace

std::optional<RuntimeVersion> ParseRuntimeVersion(std::string_view text) {
  const auto take_number = [&]() -> std::optional<unsigned> {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::optional<std::uint64_t> number = ParseUnsigned(text.substr(0, digits));
    text.remove_prefix(digits);
    return number && *number <= kMaxRelease ? std::optional(static_cast<unsigned>(*number))
                                            : std::nullopt;
  };
  const std::optional<unsigned> major = take_number();
  if (!major || text.empty()) {
    return major ? std::optional(RuntimeVersion{*major, 0}) : std::nullopt;
  }
  if (text.front() != '.') {
    return std::nullopt;
  }
  text.remove_prefix(1);
  const std::optional<unsigned> minor = take_number();
  return minor ? std::optional(RuntimeVersion{*major, *minor}) : std::nullopt;
}

std::string_view NoNewPrivilegesName(NoNewPrivileges mode) {
  constexpr std::array<std::string_view, 3> kNames = {"either", "on", "off"};
  return kNames.at(static_cast<std::size_t>(mode));
}

std::vector<RuntimeCalls> CallsOf(std::vector<RuntimeCalls> all,
                                  std::optional<RuntimeVersion> version, NoNewPrivileges mode) {
  std::erase_if(all, [&](const RuntimeCalls& calls) {
    const bool other_version = version && (*version < calls.first || calls.last < *version);
    // With no_new_privileges the filter is loaded later, after what is only made without.
    const bool only_without =
        calls.no_new_privileges == NoNewPrivileges::kOff && mode == NoNewPrivileges::kOn;
    return other_version || only_without;
  });
  return all;
}

Expected<std::vector<RuntimeCalls>> ReadBaseSet(std::string_view text, std::string_view source) {
  ASSIGN_OR_RETURN(const nlohmann::json json, JsonCursor::Parse(text, source));
  const JsonCursor root(json, source);
  ASSIGN_OR_RETURN(const JsonCursor version_place, root.At("base_set_version"));
  ASSIGN_OR_RETURN(const std::uint64_t version, version_place.Unsigned());
  if (version != 1) {
    return Fail(version_place.Mistake("this program reads version 1"));
  }
  ASSIGN_OR_RETURN(const JsonCursor groups, root.At("groups"));
  return ReadRuntime(groups);
}

Expected<SyscallClasses> LoadSyscallClasses() {
  return Load(policies::kSyscallClasses, "policies/syscall_classes.json", ReadClasses);
}

Expected<BaseSets> LoadBaseSets() {
  return Load(policies::kBaseSets, "policies/base_sets.json", ReadBaseSets);
}

Expected<std::vector<ReasonedNames>> LoadSystemdDefault() {
  return Load(policies::kSystemdDefault, "policies/systemd_default.json", ReadGroups);
}

Expected<SyscallFamilies> LoadSyscallFamilies() {
  return Load(policies::kSyscallFamilies, "policies/syscall_families.json", ReadFamilies);
}

Expected<std::vector<SyscallCompanions>> LoadSyscallCompanions() {
  return Load(policies::kSyscallCompanions, "policies/syscall_companions.json", ReadCompanions);
}

}  // namespace cordon
