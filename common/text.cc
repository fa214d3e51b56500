#include "common/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/printable.h"

namespace cordon {
namespace {

/// The length of the valid UTF-8 sequence at `text[at]` (RFC 3629: no overlong forms, no
/// surrogates), or 0.
std::size_t SequenceLength(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) {
    return 1;
  }
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    low = first == 0xE0 ? 0xA0 : 0x80;
    high = first == 0xED ? 0x9F : 0xBF;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    low = first == 0xF0 ? 0x90 : 0x80;
    high = first == 0xF4 ? 0x8F : 0xBF;
  }
  if (length == 0 || at + length > text.size() || byte(at + 1) < low || byte(at + 1) > high) {
    return 0;
  }
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(at + i) < 0x80 || byte(at + i) > 0xBF) {
      return 0;
    }
  }
  return length;
}

void AppendEscaped(std::string& out, char byte) {
  fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(byte));
}

/// Appends `text` up to the character that `limit` is in, with control characters, what is not
/// UTF-8 and the bytes of `also` escaped. Where it stopped.
std::size_t AppendPrintable(std::string& out, std::string_view text, std::size_t limit,
                            std::string_view also) {
  std::size_t at = 0;
  while (at < text.size() && at < limit) {
    const std::size_t length = SequenceLength(text, at);
    const auto byte = static_cast<unsigned char>(text[at]);
    // U+0080..U+009F are control characters too; a terminal may act on them.
    const bool control =
        byte < 0x20 || byte == 0x7F ||
        (length == 2 && byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0);
    if (length == 0 || control || also.contains(text[at])) {
      for (std::size_t i = 0; i < std::max<std::size_t>(length, 1); ++i) {
        AppendEscaped(out, text[at + i]);
      }
    } else {
      out.append(text, at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return at;
}

}  // namespace

std::optional<std::uint64_t> ParseUnsigned(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value;
}

std::string Quote(std::string_view text, std::size_t limit) {
  std::string out = "'";
  const std::size_t at = AppendPrintable(out, text, limit, "'\\");
  out += at < text.size() ? "…'" : "'";
  return out;
}

std::string Printable(std::string_view text) {
  std::string out;
  (void)AppendPrintable(out, text, text.size(), "");
  return out;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(separator, begin);
    parts.emplace_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) {
      return parts;
    }
    begin = end + 1;
  }
}

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string ToUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = SequenceLength(text, at);
    if (length == 0) {
      AppendEscaped(out, text[at++]);
    } else {
      out.append(text, at, length);
      at += length;
    }
  }
  return out;
}

std::vector<std::string> ToUtf8(const std::vector<std::string>& texts) {
  std::vector<std::string> safe;
  safe.reserve(texts.size());
  for (const std::string& text : texts) {
    safe.push_back(ToUtf8(text));
  }
  return safe;
}

}  // namespace cordon
