#include "runtime/subordinate_ids.h"

#include <fmt/format.h>

#include <limits>
#include <string>

#include "common/file.h"
#include "common/text.h"

namespace cordon {
namespace {

constexpr std::size_t kFileLimit = std::size_t{16} << 20;
constexpr std::uint64_t kIds = std::numeric_limits<std::uint32_t>::max();  // -1 is no id

/// By /etc/passwd alone: a static program cannot ask NSS, and who is known elsewhere may be named
/// by number.
std::string NameOfUser(uid_t uid) {
  const Expected<std::string> text = ReadFile("/etc/passwd", kFileLimit);
  for (const std::string& line : Split(text ? *text : std::string(), '\n')) {
    const std::vector<std::string> fields = Split(line, ':');
    if (fields.size() > 3 && fields[2] == std::to_string(uid)) {
      return fields[0];
    }
  }
  return {};
}

Expected<std::vector<IdRange>> ReadRanges(const std::string& path, const std::string& name,
                                          uid_t uid) {
  const Expected<std::string> text = ReadFile(path, kFileLimit);
  std::vector<IdRange> ranges;
  if (text) {
    ranges = ParseSubordinateIds(*text, name, uid);
  }
  if (ranges.empty()) {
    const std::string user = name.empty() ? std::to_string(uid) : name;
    return Fail(MakeError(
        ErrorCode::kUnsupported,
        fmt::format("--userns=subids: {} has no range for {}: add the line '{}:100000:65536' with "
                    "numbers that no other user has, or run 'usermod --add-subuids 100000-165535 "
                    "--add-subgids 100000-165535 {}'",
                    path, user, user, user)));
  }
  return ranges;
}

}  // namespace

std::vector<IdRange> ParseSubordinateIds(std::string_view text, std::string_view name, uid_t uid) {
  std::vector<IdRange> ranges;
  for (const std::string& line : Split(text, '\n')) {
    const std::vector<std::string> fields = Split(line, ':');
    if (fields.size() != 3 || fields[0].empty() ||
        (fields[0] != name && fields[0] != std::to_string(uid))) {
      continue;
    }
    const std::optional<std::uint64_t> first = ParseUnsigned(fields[1]);
    const std::optional<std::uint64_t> count = ParseUnsigned(fields[2]);
    if (first && count && *count > 0 && *first < kIds && *count <= kIds - *first) {
      ranges.push_back({static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*count)});
    }
  }
  return ranges;
}

Expected<SubordinateIds> ReadSubordinateIds(uid_t uid) {
  const std::string name = NameOfUser(uid);
  SubordinateIds ids;
  ASSIGN_OR_RETURN(ids.uids, ReadRanges("/etc/subuid", name, uid));
  ASSIGN_OR_RETURN(ids.gids, ReadRanges("/etc/subgid", name, uid));
  return ids;
}

std::vector<IdMap> MapOntoRanges(std::uint32_t outside, const std::vector<IdRange>& ranges) {
  std::vector<IdMap> maps;
  std::uint32_t inside = 0;
  if (outside != 0) {
    maps.push_back({0, outside, 1});
    inside = 1;
  }
  for (const IdRange& range : ranges) {
    if (range.count > kIds - inside) {
      break;
    }
    maps.push_back({inside, range.first, range.count});
    inside += range.count;
  }
  return maps;
}

}  // namespace cordon
