#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cordon {

/// The integer that all of `text` spells (decimal, or hexadecimal after 0x); nothing if it is not
/// one or out of range.
std::optional<std::uint64_t> ParseUnsigned(std::string_view text);

/// `text` in single quotes with control bytes, quotes and non-UTF-8 escaped as \xNN, cut at `limit`
/// bytes: safe on a terminal and in a log whatever a traced program put there.
std::string Quote(std::string_view text, std::size_t limit = 4096);

std::vector<std::string> Split(std::string_view text, char separator);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);

/// `text` with every byte sequence that is not valid UTF-8 replaced by \xNN, so that it can stand
/// in JSON and be shown.
std::string ToUtf8(std::string_view text);
std::vector<std::string> ToUtf8(const std::vector<std::string>& texts);

}  // namespace cordon
