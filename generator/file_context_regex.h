#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generator/cil_scanner.h"
#include "model/file_access.h"

namespace cordon {

/// `path` as a regular expression that matches nothing else (file_contexts(5): PCRE, anchored at
/// both ends), but that a blank, a quote or a control character of the path stands for any
/// character.
std::string PathRegex(std::string_view path);

/// `path` and everything below it.
std::string TreeRegex(std::string_view path);

/// Everything below `path`, but not `path`.
std::string BelowRegex(std::string_view path);

/// PathRegex where `*` stands for any run of characters but slashes.
std::string GlobRegex(std::string_view glob);

/// "file", "dir", "symlink", …, "any": the word of a CIL filecon statement.
std::string_view FileconWord(std::optional<FileClass> file_class);

/// "--", "-d", "-l", …; empty for any: the column of file_contexts(5).
std::string_view FileContextFlag(std::optional<FileClass> file_class);

/// `patterns` as a file_contexts file, sorted so that the more specific one of two that match comes
/// last, as libselinux wants it.
std::string FileContextsText(std::vector<FilePattern> patterns);

}  // namespace cordon
