#pragma once

#include "common/error.h"
#include "model/json_cursor.h"
#include "model/oci_spec.h"

/// The parts of a config.json, each in a file of its own. For *_json.cc files only.
namespace cordon {

Expected<OciProcess> ReadOciProcess(const JsonCursor& place);
Expected<OciResources> ReadOciResources(const JsonCursor& place);
Expected<std::vector<OciIdMapping>> ReadOciIdMappings(const JsonCursor& place);
Status ReadOciLinux(const JsonCursor& place, OciSpec& spec);

/// A path that begins with a slash and holds no zero byte.
Expected<std::string> ReadAbsolutePath(const JsonCursor& place);
/// A string without a zero byte: what a path, an argument or a file's content can be.
Expected<std::string> ReadPlainString(const JsonCursor& place);
Expected<std::vector<std::string>> ReadPlainStrings(const JsonCursor& place);

/// EachMember() without those that are null.
template <typename Visit>
Status EachGivenMember(const JsonCursor& place, Visit visit) {
  ASSIGN_OR_RETURN(const auto members, place.Members());
  for (const auto& [name, member] : members) {
    if (member.value().is_null()) {
      continue;
    }
    Expected<bool> known = visit(std::string_view(name), member);
    if (!known) {
      return Fail(std::move(known).error());
    }
    if (!*known) {
      return Fail(member.Mistake("is not understood"));
    }
  }
  return {};
}

}  // namespace cordon
