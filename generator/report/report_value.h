#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/recording.h"

/// How values are written for people, and how values from files are read that may be anything.
namespace cordon::report {

using Json = nlohmann::ordered_json;

/// `text` with all that cannot be seen, or would change how the text around it is shown, as an
/// escape: control characters, line and paragraph separators, marks of direction and characters of
/// no width as \u{202e}, bytes that are not UTF-8 as \xNN.
std::string VisibleText(std::string_view text);

/// `json` as it may stand between <script> tags and in a comment: ASCII, with no `<`, `>` or `&`.
std::string ScriptSafe(const Json& json);

/// "12,345"
std::string Grouped(std::uint64_t number);
/// "1 file", "12,345 files"
std::string Counted(std::uint64_t number, std::string_view one, std::string_view many);
/// "83 ms", "7.6 s", "12 min 5 s", "3 h 20 min"
std::string Duration(std::uint64_t ms);
/// "22.2 MiB"
std::string Bytes(std::uint64_t bytes);
/// "below 0.08 %"
std::string Percent(double percent, bool upper_bound);
/// "2026-11-28 15:33 UTC"; empty for 0.
std::string Moment(std::int64_t unix_s);
/// "start", "serve", "start, serve"; empty for none.
std::string PhasesText(PhaseSet phases);
/// "ok, ENOENT ×3"; empty for none.
std::string ResultsText(const ResultCounts& results);

/// The member `name` of `object`; null where it is not an object or has none.
const Json& Member(const Json& object, std::string_view name);
/// The number that `json` is, else 0.
std::uint64_t NumberOf(const Json& json);
/// The text that `json` is, visible, else nothing.
std::string TextOf(const Json& json);
/// `json` if it is an array, else an empty one.
const Json& ListOf(const Json& json);
/// The texts among the elements of the array that `json` is, visible.
std::vector<std::string> TextsOf(const Json& json);

}  // namespace cordon::report
