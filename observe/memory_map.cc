#include "observe/memory_map.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <charconv>

#include "common/file.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxMapsBytes = std::size_t{64}
                                      << 20;  // vm.max_map_count lines of a few hundred bytes
constexpr std::size_t kMaxInfoBytes = std::size_t{1} << 20;

/// Takes the text before `separator` off `text`.
std::string_view TakeUntil(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

std::optional<std::uint64_t> Parse(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc{} && end == digits.data() + digits.size() ? std::optional(value)
                                                                      : std::nullopt;
}

}  // namespace

std::optional<Mapping> ParseMapping(std::string_view line) {
  // begin-end perms offset device inode    path
  constexpr int kHex = 16;
  const std::optional<std::uint64_t> begin = Parse(TakeUntil(line, '-'), kHex);
  const std::optional<std::uint64_t> end = Parse(TakeUntil(line, ' '), kHex);
  const std::string_view permissions = TakeUntil(line, ' ');
  if (!begin || !end || permissions.size() != 4) {
    return std::nullopt;
  }
  (void)TakeUntil(line, ' ');
  (void)TakeUntil(line, ' ');
  (void)TakeUntil(line, ' ');
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return Mapping{.begin = *begin,
                 .end = *end,
                 .readable = permissions[0] == 'r',
                 .writable = permissions[1] == 'w',
                 .executable = permissions[2] == 'x',
                 .is_private = permissions[3] == 'p',
                 .path = std::string(line)};
}

Expected<std::vector<Mapping>> ReadMappings(pid_t task) {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(fmt::format("/proc/{}/maps", task), kMaxMapsBytes));
  std::vector<Mapping> mappings;
  std::string_view rest = text;
  while (!rest.empty()) {
    if (std::optional<Mapping> mapping = ParseMapping(TakeUntil(rest, '\n'))) {
      mappings.push_back(*std::move(mapping));
    }
  }
  return mappings;
}

Expected<std::optional<Mapping>> FindMapping(pid_t task, std::uint64_t address) {
  ASSIGN_OR_RETURN(std::vector<Mapping> mappings, ReadMappings(task));
  for (Mapping& mapping : mappings) {
    if (mapping.begin <= address && address < mapping.end) {
      return std::optional(std::move(mapping));
    }
  }
  return std::optional<Mapping>();
}

std::optional<std::uint64_t> DescriptorFlags(pid_t task, int fd) {
  const Expected<std::string> text =
      ReadFile(fmt::format("/proc/{}/fdinfo/{}", task, fd), kMaxInfoBytes);
  if (!text.has_value()) {
    return std::nullopt;
  }
  constexpr std::string_view kFlags = "flags:\t";
  const std::size_t at = text->find(kFlags);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  std::string_view line = std::string_view(*text).substr(at + kFlags.size());
  constexpr int kOctal = 8;
  return Parse(TakeUntil(line, '\n'), kOctal);
}

bool OpenedForAppend(pid_t task, int fd) {
  return (DescriptorFlags(task, fd).value_or(0) & O_APPEND) != 0;
}

}  // namespace cordon
