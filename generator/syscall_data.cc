#include "generator/syscall_data.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "model/json_cursor.h"
#include "model/syscall.h"
#include "policies/embedded.h"

namespace cordon {
namespace {

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
    ASSIGN_OR_RETURN(sets.runtimes[name], ReadGroups(place));
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

}  // namespace

Expected<SyscallClasses> LoadSyscallClasses() {
  return Load(policies::kSyscallClasses, "policies/syscall_classes.json", ReadClasses);
}

Expected<BaseSets> LoadBaseSets() {
  return Load(policies::kBaseSets, "policies/base_sets.json", ReadBaseSets);
}

Expected<SyscallFamilies> LoadSyscallFamilies() {
  return Load(policies::kSyscallFamilies, "policies/syscall_families.json", ReadFamilies);
}

}  // namespace cordon
