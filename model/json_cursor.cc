#include "model/json_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/text.h"

namespace cordon {
namespace {

/// RFC 6901 section 3: '~' and '/' are escaped.
std::string EscapeToken(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return ToUtf8(out);
}

/// Documents are read on the stack by the parser's users; deeper ones than this are hostile.
constexpr int kMaxDepth = 64;

/// Builds a DOM and keeps the first syntax error's position instead of throwing.
class Builder : public nlohmann::detail::json_sax_dom_parser<nlohmann::json> {
 public:
  using Base = nlohmann::detail::json_sax_dom_parser<nlohmann::json>;
  using Json = nlohmann::json;

  Builder(nlohmann::json& document, const SkippedMember& skipped)
      : Base(document, /*allow_exceptions_=*/false), skipped_(skipped) {}

  bool null() { return Skips() || Base::null(); }

  bool boolean(bool value) { return Skips() || Base::boolean(value); }

  bool number_integer(Json::number_integer_t value) {
    return Skips() || Base::number_integer(value);
  }

  bool number_unsigned(Json::number_unsigned_t value) {
    return Skips() || Base::number_unsigned(value);
  }

  bool number_float(Json::number_float_t value, const std::string& text) {
    return Skips() || Base::number_float(value, text);
  }

  bool string(std::string& value) { return Skips() || Base::string(value); }

  bool key(std::string& name) {
    if (skipping_) {
      return true;
    }
    if (depth_ == 1) {
      in_section_ = name == skipped_.section;
    }
    skip_next_ = depth_ == 2 && in_section_ && name == skipped_.name;
    return Base::key(name);
  }

  bool start_object(std::size_t elements) {
    return Deeper() && (SkipsContainer() || Base::start_object(elements));
  }

  bool start_array(std::size_t elements) {
    return Deeper() && (SkipsContainer() || Base::start_array(elements));
  }

  bool end_object() { return Shallower() || Base::end_object(); }

  bool end_array() { return Shallower() || Base::end_array(); }

  template <typename Exception>
  bool parse_error(std::size_t position, const std::string& last_token, const Exception& error) {
    position_ = position;
    return Base::parse_error(position, last_token, error);
  }

  std::size_t position() const { return position_; }

  bool too_deep() const { return depth_ > kMaxDepth; }

 private:
  bool Deeper() { return ++depth_ <= kMaxDepth; }

  /// Whether the value that comes is left out: it, or what it is in.
  bool Skips() { return skipping_ || std::exchange(skip_next_, false); }

  /// The same for one that has just begun.
  bool SkipsContainer() {
    if (!skipping_ && std::exchange(skip_next_, false)) {
      skipping_ = true;
      skipped_depth_ = depth_;
    }
    return skipping_;
  }

  /// Whether what ends here was left out.
  bool Shallower() {
    const bool left_out = skipping_;
    if (skipping_ && depth_ == skipped_depth_) {
      skipping_ = false;
    }
    --depth_;
    return left_out;
  }

  SkippedMember skipped_;
  std::size_t position_ = 0;
  int depth_ = 0;
  bool in_section_ = false;  ///< within skipped_.section, a member of the document
  bool skip_next_ = false;
  bool skipping_ = false;
  int skipped_depth_ = 0;
};

std::string DescribePosition(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, std::min(position, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t start =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return fmt::format("line {}, column {}", line, before.size() - start);
}

}  // namespace

Expected<nlohmann::json> JsonCursor::Parse(std::string_view text, std::string_view source) {
  return Parse(text, source, {});
}

Expected<nlohmann::json> JsonCursor::Parse(std::string_view text, std::string_view source,
                                           const SkippedMember& skipped) {
  nlohmann::json root;
  Builder builder(root, skipped);
  if (nlohmann::json::sax_parse(text, &builder)) {
    return root;
  }
  if (builder.too_deep()) {
    return Fail(InvalidInput(fmt::format("{}: nested deeper than {} levels", source, kMaxDepth)));
  }
  return Fail(
      InvalidInput(fmt::format("{}: not valid JSON{} at {}", source,
                               builder.position() >= text.size() ? " (it ends too early)" : "",
                               DescribePosition(text, builder.position()))));
}

Error JsonCursor::Mistake(std::string_view what) const {
  return InvalidInput(fmt::format("{}: {}: {}", source_, pointer_.empty() ? "/" : pointer_, what));
}

Expected<std::string> JsonCursor::String() const {
  if (!value_->is_string()) {
    return Fail(Mistake("expected a string"));
  }
  return value_->get_ref<const std::string&>();
}

Expected<bool> JsonCursor::Boolean() const {
  if (!value_->is_boolean()) {
    return Fail(Mistake("expected true or false"));
  }
  return value_->get<bool>();
}

Expected<std::uint64_t> JsonCursor::Unsigned(std::uint64_t maximum) const {
  if (!value_->is_number_unsigned() || value_->get<std::uint64_t>() > maximum) {
    return Fail(Mistake(fmt::format("expected an integer from 0 to {}", maximum)));
  }
  return value_->get<std::uint64_t>();
}

Expected<std::int64_t> JsonCursor::Integer(std::int64_t minimum, std::int64_t maximum) const {
  const bool fits = value_->is_number_integer() &&
                    !(value_->is_number_unsigned() &&
                      value_->get<std::uint64_t>() >
                          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  if (!fits || value_->get<std::int64_t>() < minimum || value_->get<std::int64_t>() > maximum) {
    return Fail(Mistake(fmt::format("expected an integer from {} to {}", minimum, maximum)));
  }
  return value_->get<std::int64_t>();
}

Expected<std::vector<JsonCursor>> JsonCursor::Elements() const {
  if (!value_->is_array()) {
    return Fail(Mistake("expected an array"));
  }
  std::vector<JsonCursor> elements;
  elements.reserve(value_->size());
  for (std::size_t i = 0; i < value_->size(); ++i) {
    elements.push_back(Child((*value_)[i], std::to_string(i)));
  }
  return elements;
}

Expected<std::vector<std::pair<std::string, JsonCursor>>> JsonCursor::Members() const {
  if (!value_->is_object()) {
    return Fail(Mistake("expected an object"));
  }
  std::vector<std::pair<std::string, JsonCursor>> members;
  members.reserve(value_->size());
  for (auto member = value_->begin(); member != value_->end(); ++member) {
    members.emplace_back(member.key(), Child(member.value(), member.key()));
  }
  return members;
}

Expected<JsonCursor> JsonCursor::At(std::string_view name) const {
  if (!value_->is_object()) {
    return Fail(Mistake("expected an object"));
  }
  const auto found = value_->find(name);
  if (found == value_->end()) {
    return Fail(Mistake(fmt::format("\"{}\" is missing", name)));
  }
  return Child(*found, name);
}

std::optional<JsonCursor> JsonCursor::Find(std::string_view name) const {
  if (!value_->is_object()) {
    return std::nullopt;
  }
  const auto found = value_->find(name);
  return found == value_->end() ? std::nullopt : std::optional(Child(*found, name));
}

Status JsonCursor::OnlyMembers(const std::set<std::string_view>& known) const {
  ASSIGN_OR_RETURN(const auto members, Members());
  for (const auto& [name, member] : members) {
    if (!known.contains(name)) {
      return Fail(member.Mistake("is not understood"));
    }
  }
  return {};
}

Expected<std::vector<std::string>> JsonCursor::Strings() const {
  ASSIGN_OR_RETURN(const auto elements, Elements());
  std::vector<std::string> strings;
  strings.reserve(elements.size());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(std::string text, element.String());
    strings.push_back(std::move(text));
  }
  return strings;
}

JsonCursor JsonCursor::Child(const nlohmann::json& value, std::string_view token) const {
  return {value, source_, pointer_ + "/" + EscapeToken(token)};
}

}  // namespace cordon
