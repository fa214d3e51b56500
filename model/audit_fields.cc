#include "model/audit_fields.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace cordon {
namespace {

bool IsUpperHexadecimal(unsigned char c) {
  return std::isdigit(c) != 0 || (c >= 'A' && c <= 'F');
}

}  // namespace

AuditFields ParseAuditFields(std::string_view text) {
  AuditFields fields;
  std::size_t at = 0;
  while (at < text.size()) {
    at = text.find_first_not_of(' ', at);
    if (at == std::string_view::npos) {
      break;
    }
    const std::size_t end = std::min(text.find_first_of(" =", at), text.size());
    const std::string_view key = text.substr(at, end - at);
    if (end == text.size() || text[end] == ' ') {
      at = end;
      continue;
    }
    at = end + 1;
    if (at < text.size() && text[at] == '"') {
      const std::size_t close = std::min(text.find('"', at + 1), text.size());
      fields.try_emplace(key, AuditField{text.substr(at + 1, close - at - 1), true});
      at = std::min(close + 1, text.size());
    } else {
      const std::size_t stop = std::min(text.find(' ', at), text.size());
      fields.try_emplace(key, AuditField{text.substr(at, stop - at), false});
      at = stop;
    }
  }
  return fields;
}

std::string AuditString(const AuditFields& fields, std::string_view key) {
  const auto found = fields.find(key);
  if (found == fields.end()) {
    return {};
  }
  const std::string_view text = found->second.value;
  if (found->second.quoted || text.empty() || text.size() % 2 != 0 ||
      !std::ranges::all_of(text, IsUpperHexadecimal)) {
    return text == "(null)" ? std::string() : std::string(text);
  }
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::string AuditText(const AuditFields& fields, std::string_view key) {
  const auto found = fields.find(key);
  return found == fields.end() ? std::string() : std::string(found->second.value);
}

std::string AuditEvent(std::string_view line) {
  constexpr std::string_view kMark = "audit(";
  const std::size_t start = line.find(kMark);
  const std::size_t end = line.find(')', std::min(start, line.size()));
  return start == std::string_view::npos || end == std::string_view::npos
             ? std::string()
             : std::string(line.substr(start + kMark.size(), end - start - kMark.size()));
}

}  // namespace cordon
