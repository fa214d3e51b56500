#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace cordon {

/// The member `name` of the object that is the member `section` of the document.
struct SkippedMember {
  std::string_view section;
  std::string_view name;
};

/// A place in a JSON document that knows its source and JSON pointer (RFC 6901), so that every
/// mistake is reported where it is: "FILE: /syscalls/3/action: expected a string". For *_json.cc
/// files only.
class JsonCursor {
 public:
  /// Parses `text`; a syntax error names the line and column. The document must outlive every
  /// cursor into it.
  static Expected<nlohmann::json> Parse(std::string_view text, std::string_view source);
  /// The same, but what `skipped` holds is read over and is null then, which takes a third of the
  /// time.
  static Expected<nlohmann::json> Parse(std::string_view text, std::string_view source,
                                        const SkippedMember& skipped);

  JsonCursor(const nlohmann::json& value, std::string_view source)
      : value_(&value), source_(source) {}

  const nlohmann::json& value() const { return *value_; }

  /// The JSON pointer of this place; empty for the whole document.
  const std::string& pointer() const { return pointer_; }

  /// kInvalidInput at this place.
  Error Mistake(std::string_view what) const;

  Expected<std::string> String() const;
  Expected<bool> Boolean() const;
  Expected<std::uint64_t> Unsigned(
      std::uint64_t maximum = std::numeric_limits<std::uint64_t>::max()) const;
  Expected<std::int64_t> Integer(std::int64_t minimum, std::int64_t maximum) const;

  /// The elements of an array.
  Expected<std::vector<JsonCursor>> Elements() const;
  /// The members of an object, by name.
  Expected<std::vector<std::pair<std::string, JsonCursor>>> Members() const;

  /// A member that must be there.
  Expected<JsonCursor> At(std::string_view name) const;
  /// A member that may be missing. This place must be an object: check with IsObject() or by At()
  /// before.
  std::optional<JsonCursor> Find(std::string_view name) const;

  /// Fails at the first member that is not in `known`, for documents where an ignored member would
  /// be a rule lost.
  Status OnlyMembers(const std::set<std::string_view>& known) const;

  /// The strings of an array.
  Expected<std::vector<std::string>> Strings() const;

 private:
  JsonCursor(const nlohmann::json& value, std::string_view source, std::string pointer)
      : value_(&value), source_(source), pointer_(std::move(pointer)) {}

  JsonCursor Child(const nlohmann::json& value, std::string_view token) const;

  const nlohmann::json* value_;
  std::string_view source_;
  std::string pointer_;
};

}  // namespace cordon
