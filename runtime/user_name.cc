#include "runtime/user_name.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "common/file.h"
#include "common/text.h"
#include "runtime/linux_calls.h"

namespace cordon {
namespace {

constexpr std::uint32_t kNoId = 0xffffffff;  // setresuid(2): leave it as it is

std::optional<std::uint32_t> Number(std::string_view text) {
  if (!Holds(Guard::kUserNumbers)) {
    return static_cast<std::uint32_t>(std::strtoll(std::string(text).c_str(), nullptr, 0));
  }
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && id != kNoId ? std::optional(id) : std::nullopt;
}

/// The fields of each line that has at least `least` of them.
std::vector<std::vector<std::string>> Entries(std::string_view text, std::size_t least) {
  std::vector<std::vector<std::string>> entries;
  for (const std::string& line : Split(text, '\n')) {
    std::vector<std::string> fields = Split(line, ':');
    if (fields.size() >= least && !fields[0].empty()) {
      entries.push_back(std::move(fields));
    }
  }
  return entries;
}

Error Unknown(const std::string& text, std::string_view what, std::string_view file) {
  return InvalidInput("--user " + Quote(text) + ": " + std::string(what) +
                      " is not in the sandbox's " + std::string(file) + " and is no number");
}

Expected<std::string> ReadOf(const std::string& root, const char* path) {
  ASSIGN_OR_RETURN(const UniqueFd folder, OpenAt(AT_FDCWD, root, O_PATH | O_DIRECTORY));
  // A pipe must not hold the launch up.
  const UniqueFd file(linux_calls::OpenInRoot(folder.get(), path, O_RDONLY | O_NONBLOCK));
  const int open_errno = errno;
  if (!file.valid()) {
    if (open_errno == ENOENT || open_errno == ENOTDIR) {
      return std::string();
    }
    return Fail(SystemError(open_errno, "--user: " + Quote(path) + " of " + Quote(root)));
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Fail(
        InvalidInput("--user: " + Quote(path) + " of " + Quote(root) + " is not a regular file"));
  }
  std::string text;
  std::string part(std::size_t{64} << 10, '\0');
  while (true) {
    const ssize_t length = ::read(file.get(), part.data(), part.size());
    const int read_errno = errno;
    if (length < 0) {
      return Fail(SystemError(read_errno, "--user: reading " + Quote(path) + " of " + Quote(root)));
    }
    if (length == 0) {
      return text;
    }
    text.append(part, 0, static_cast<std::size_t>(length));
    if (text.size() > kMaxUserFileBytes) {
      return Fail(MakeError(ErrorCode::kLimit, "--user: " + Quote(path) + " of " + Quote(root) +
                                                   " is longer than " +
                                                   std::to_string(kMaxUserFileBytes) + " bytes"));
    }
  }
}

}  // namespace

Expected<UserIds> FindUser(const std::string& text, std::string_view passwd,
                           std::string_view group) {
  const std::vector<std::string> parts = Split(text, ':');
  if (parts.size() > 2 || std::ranges::any_of(parts, &std::string::empty)) {
    return Fail(InvalidInput("--user " + Quote(text) + ": expected USER or USER:GROUP"));
  }
  UserIds ids;
  std::string name;
  const std::optional<std::uint32_t> uid = Number(parts[0]);
  ids.uid = uid.value_or(kNoId);
  for (const std::vector<std::string>& entry : Entries(passwd, 4)) {
    const std::optional<std::uint32_t> entry_uid = Number(entry[2]);
    const std::optional<std::uint32_t> entry_gid = Number(entry[3]);
    // A name that is a number is the number.
    if (entry_uid && entry_gid && (uid ? *entry_uid == *uid : entry[0] == parts[0])) {
      name = entry[0];
      ids.uid = *entry_uid;
      ids.gid = *entry_gid;
      break;
    }
  }
  if (ids.uid == kNoId) {
    return Fail(Unknown(text, Quote(parts[0]), "/etc/passwd"));
  }
  const bool own_group = parts.size() == 1;
  const std::optional<std::uint32_t> gid = own_group ? std::nullopt : Number(parts[1]);
  ids.gid = own_group ? ids.gid : gid.value_or(kNoId);
  for (const std::vector<std::string>& entry : Entries(group, 3)) {
    const std::optional<std::uint32_t> entry_gid = Number(entry[2]);
    if (!entry_gid) {
      continue;
    }
    if (!own_group && !gid && entry[0] == parts[1]) {
      ids.gid = *entry_gid;
      break;
    }
    const std::vector<std::string> members = own_group && !name.empty() && entry.size() > 3
                                                 ? Split(entry[3], ',')
                                                 : std::vector<std::string>();
    if (std::ranges::find(members, name) != members.end() && *entry_gid != ids.gid) {
      ids.groups.push_back(*entry_gid);
    }
  }
  if (ids.gid == kNoId) {
    return Fail(Unknown(text, Quote(parts[1]), "/etc/group"));
  }
  std::ranges::sort(ids.groups);
  const auto repeated = std::ranges::unique(ids.groups);
  ids.groups.erase(repeated.begin(), repeated.end());
  return ids;
}

Expected<UserIds> FindUserIn(const std::string& root, const std::string& text) {
  ASSIGN_OR_RETURN(const std::string passwd, ReadOf(root, "/etc/passwd"));
  ASSIGN_OR_RETURN(const std::string group, ReadOf(root, "/etc/group"));
  return FindUser(text, passwd, group);
}

}  // namespace cordon
