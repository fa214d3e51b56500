#include "generator/file_context_regex.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace cordon {
namespace {

constexpr std::string_view kMetaCharacters = ".^$?*+|[](){}\\";

struct ClassWords {
  FileClass file_class;
  std::string_view filecon;
  std::string_view flag;
};

constexpr auto kClassWords = std::to_array<ClassWords>({
    {FileClass::kFile, "file", "--"},
    {FileClass::kDirectory, "dir", "-d"},
    {FileClass::kSymlink, "symlink", "-l"},
    {FileClass::kCharacter, "char", "-c"},
    {FileClass::kBlock, "block", "-b"},
    {FileClass::kFifo, "pipe", "-p"},
    {FileClass::kSocket, "socket", "-s"},
});

/// libsemanage's order (semanage_fc_sort): expressions before plain paths, then by length of the
/// part before the first metacharacter, then by length, then with any class before one class.
auto Specificity(const FilePattern& pattern) {
  std::size_t stem = 0;
  bool plain = true;
  for (std::size_t i = 0; i < pattern.regex.size() && plain; ++i) {
    if (pattern.regex[i] == '\\') {
      ++i;
    } else if (kMetaCharacters.contains(pattern.regex[i])) {
      plain = false;
    }
    stem = plain ? i + 1 : stem;
  }
  return std::tuple(plain, stem, pattern.regex.size(), pattern.file_class.has_value());
}

}  // namespace

std::string PathRegex(std::string_view path) {
  std::string regex;
  for (const char c : path) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\x7f') {
      regex += '.';  // neither CIL strings nor file_contexts lines can hold it
      continue;
    }
    if (kMetaCharacters.contains(c)) {
      regex += '\\';
    }
    regex += c;
  }
  return regex;
}

std::string TreeRegex(std::string_view path) {
  return path == "/" ? "/.*" : PathRegex(path) + "(/.*)?";
}

std::string BelowRegex(std::string_view path) {
  return PathRegex(path) + "/.*";
}

std::string GlobRegex(std::string_view glob) {
  std::string regex;
  for (const char c : glob) {
    if (c == '*') {
      regex += "[^/]*";
    } else {
      regex += PathRegex(std::string_view(&c, 1));
    }
  }
  return regex;
}

std::string_view FileconWord(std::optional<FileClass> file_class) {
  for (const ClassWords& words : kClassWords) {
    if (words.file_class == file_class) {
      return words.filecon;
    }
  }
  return "any";
}

std::string_view FileContextFlag(std::optional<FileClass> file_class) {
  for (const ClassWords& words : kClassWords) {
    if (words.file_class == file_class) {
      return words.flag;
    }
  }
  return "";
}

std::string FileContextsText(std::vector<FilePattern> patterns) {
  std::ranges::stable_sort(patterns, [](const FilePattern& a, const FilePattern& b) {
    return Specificity(a) < Specificity(b);
  });
  std::string text;
  for (const FilePattern& pattern : patterns) {
    const std::string context =
        pattern.type.empty() ? "<<none>>" : fmt::format("system_u:object_r:{}:s0", pattern.type);
    text +=
        fmt::format("{}\t{}\t{}\n", pattern.regex, FileContextFlag(pattern.file_class), context);
  }
  return text;
}

}  // namespace cordon
