#include "model/file_access.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>

namespace cordon {
namespace {

/// In the order of the enumerations.
constexpr std::array<std::string_view, 8> kClassNames{"file", "dir",  "lnk",  "chr",
                                                      "blk",  "fifo", "sock", "anon"};
constexpr std::array<std::string_view, 29> kAccessNames{
    "open",        "read",     "write",     "append",   "create",     "truncate",
    "execute",     "map",      "map_write", "map_exec", "execmod",    "getattr",
    "setattr",     "unlink",   "rename",    "link",     "lock",       "watch",
    "watch_reads", "mount",    "ioctl",     "search",   "readlink",   "add_name",
    "remove_name", "reparent", "connect",   "arrive",   "test_access"};
static_assert(kAccessNames.size() == static_cast<std::size_t>(FileAccess::kTestAccess) + 1);
static_assert(kClassNames.size() == static_cast<std::size_t>(FileClass::kAnonymous) + 1);

template <typename Enum, std::size_t N>
std::optional<Enum> FromName(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto* found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::nullopt
                              : std::optional(static_cast<Enum>(found - names.begin()));
}

}  // namespace

std::string_view Name(FileClass file_class) {
  return kClassNames.at(static_cast<std::size_t>(file_class));
}

std::optional<FileClass> FileClassFromName(std::string_view name) {
  return FromName<FileClass>(kClassNames, name);
}

FileClass FileClassFromMode(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileClass::kFile;
    case S_IFDIR:
      return FileClass::kDirectory;
    case S_IFLNK:
      return FileClass::kSymlink;
    case S_IFCHR:
      return FileClass::kCharacter;
    case S_IFBLK:
      return FileClass::kBlock;
    case S_IFIFO:
      return FileClass::kFifo;
    case S_IFSOCK:
      return FileClass::kSocket;
    default:
      return FileClass::kAnonymous;
  }
}

std::string_view Name(FileAccess access) {
  return kAccessNames.at(static_cast<std::size_t>(access));
}

std::optional<FileAccess> FileAccessFromName(std::string_view name) {
  return FromName<FileAccess>(kAccessNames, name);
}

std::vector<FileAccess> FileAccessSet::List() const {
  std::vector<FileAccess> list;
  list.reserve(static_cast<std::size_t>(std::popcount(bits_)));
  for (std::size_t i = 0; i < kAccessNames.size(); ++i) {
    if (Has(static_cast<FileAccess>(i))) {
      list.push_back(static_cast<FileAccess>(i));
    }
  }
  return list;
}

}  // namespace cordon
