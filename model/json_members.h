#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "model/json_cursor.h"

/// Reads objects of which every member must be known. For *_json.cc files only.
namespace cordon {

/// `visit(name, member)` for each member of the object at `place`; it returns false for one that it
/// does not know, which is a mistake.
template <typename Visit>
Status EachMember(const JsonCursor& place, Visit visit) {
  ASSIGN_OR_RETURN(const auto members, place.Members());
  for (const auto& [name, member] : members) {
    Expected<bool> known = visit(std::string_view(name), member);
    if (!known) {
      return Fail(std::move(known).error());
    }
    if (!*known) {
      return Fail(member.Mistake("a member that cordon does not understand"));
    }
  }
  return {};
}

template <typename Visit>
Status EachElement(const JsonCursor& place, Visit visit) {
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, place.Elements());
  for (const JsonCursor& element : elements) {
    RETURN_IF_ERROR(visit(element));
  }
  return {};
}

/// Assigns the value of an Expected to `target`, and makes the visitor return true ("known").
template <typename Target, typename Value>
Expected<bool> Take(Target& target, Expected<Value> value) {
  if (!value) {
    return Fail(std::move(value).error());
  }
  target = static_cast<Target>(std::move(*value));
  return true;
}

inline Expected<bool> Known(Status status) {
  if (!status) {
    return Fail(std::move(status).error());
  }
  return true;
}

}  // namespace cordon
