#include "generator/report/report_value.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <vector>

#include "common/text.h"
#include "model/errno_name.h"

namespace cordon::report {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 1;
};

/// The code point at the start of `text`, which is valid UTF-8 and not empty.
CodePoint FirstOf(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  constexpr std::uint32_t kLow = 0x3f;
  if (byte(0) < 0x80 || text.size() < 2) {
    return {.value = byte(0), .bytes = 1};
  }
  if (byte(0) < 0xe0 || text.size() < 3) {
    return {.value = (byte(0) & 0x1f) << 6 | (byte(1) & kLow), .bytes = 2};
  }
  if (byte(0) < 0xf0 || text.size() < 4) {
    return {.value = (byte(0) & 0x0f) << 12 | (byte(1) & kLow) << 6 | (byte(2) & kLow), .bytes = 3};
  }
  return {.value = (byte(0) & 0x07) << 18 | (byte(1) & kLow) << 12 | (byte(2) & kLow) << 6 |
                   (byte(3) & kLow),
          .bytes = 4};
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

/// Unicode's categories Cc, Zl, Zp and what of Cf hides or reorders text (UAX #9, UTS #39), with
/// variation selectors and tags, which are as invisible.
constexpr std::array<Range, 13> kInvisible = {{{0x00, 0x1f},
                                               {0x7f, 0x9f},
                                               {0xad, 0xad},
                                               {0x61c, 0x61c},
                                               {0x180b, 0x180f},
                                               {0x200b, 0x200f},
                                               {0x2028, 0x202e},
                                               {0x2060, 0x206f},
                                               {0xfe00, 0xfe0f},
                                               {0xfeff, 0xfeff},
                                               {0xfff9, 0xfffb},
                                               {0x1d173, 0x1d17a},
                                               {0xe0000, 0xe0fff}}};

bool IsInvisible(std::uint32_t code_point) {
  for (const Range& range : kInvisible) {
    if (code_point >= range.first && code_point <= range.last) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string VisibleText(std::string_view text) {
  const std::string utf8 = ToUtf8(text);
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size();) {
    const CodePoint point = FirstOf(std::string_view(utf8).substr(i));
    if (IsInvisible(point.value)) {
      out += fmt::format("\\u{{{:x}}}", point.value);
    } else {
      out.append(utf8, i, point.bytes);
    }
    i += point.bytes;
  }
  return out;
}

std::string ScriptSafe(const Json& json) {
  const std::string text =
      json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    // They stand in strings only, where an escape means the same.
    switch (c) {
      case '<':
        out += "\\u003c";
        break;
      case '>':
        out += "\\u003e";
        break;
      case '&':
        out += "\\u0026";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) {
    digits.insert(i - 3, ",");
  }
  return digits;
}

std::string Counted(std::uint64_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", Grouped(number), number == 1 ? one : many);
}

std::string Duration(std::uint64_t ms) {
  constexpr std::uint64_t kSecond = 1000;
  constexpr std::uint64_t kMinute = 60 * kSecond;
  constexpr std::uint64_t kHour = 60 * kMinute;
  if (ms < kSecond) {
    return fmt::format("{} ms", ms);
  }
  if (ms < kMinute) {
    return fmt::format("{:.1f} s", static_cast<double>(ms) / static_cast<double>(kSecond));
  }
  if (ms < kHour) {
    return fmt::format("{} min {} s", ms / kMinute, ms % kMinute / kSecond);
  }
  return fmt::format("{} h {} min", Grouped(ms / kHour), ms % kHour / kMinute);
}

std::string Bytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024.0 * 1024.0));
}

std::string Percent(double percent, bool upper_bound) {
  return fmt::format("{}{:.2g} %", upper_bound ? "below " : "", percent);
}

std::string Moment(std::int64_t unix_s) {
  const std::time_t time = unix_s;
  std::tm parts{};
  if (unix_s == 0 || gmtime_r(&time, &parts) == nullptr) {
    return {};
  }
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min);
}

std::string PhasesText(PhaseSet phases) {
  std::vector<std::string> words;
  if (phases.Has(Phase::kStart)) {
    words.emplace_back("start");
  }
  if (phases.Has(Phase::kServe)) {
    words.emplace_back("serve");
  }
  return Join(words, ", ");
}

std::string ResultsText(const ResultCounts& results) {
  std::vector<std::string> words;
  for (const auto& [error, count] : results) {
    words.push_back(error == 0   ? std::string("ok")
                    : count == 1 ? ErrnoName(error)
                                 : fmt::format("{} ×{}", ErrnoName(error), Grouped(count)));
  }
  return Join(words, ", ");
}

const Json& Member(const Json& object, std::string_view name) {
  static const Json nothing;
  if (!object.is_object()) {
    return nothing;
  }
  const auto found = object.find(std::string(name));
  return found == object.end() ? nothing : *found;
}

std::uint64_t NumberOf(const Json& json) {
  return json.is_number_unsigned() ? json.get<std::uint64_t>() : 0;
}

std::string TextOf(const Json& json) {
  return json.is_string() ? VisibleText(json.get_ref<const std::string&>()) : std::string();
}

const Json& ListOf(const Json& json) {
  static const Json none = Json::array();
  return json.is_array() ? json : none;
}

std::vector<std::string> TextsOf(const Json& json) {
  std::vector<std::string> texts;
  for (const Json& element : ListOf(json)) {
    if (element.is_string()) {
      texts.push_back(TextOf(element));
    }
  }
  return texts;
}

}  // namespace cordon::report
