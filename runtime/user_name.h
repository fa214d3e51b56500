#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace cordon {

/// Whom a command runs as.
struct UserIds {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;  ///< supplementary
  bool operator==(const UserIds&) const = default;
};

/// The largest /etc/passwd or /etc/group that is read of a root file system.
inline constexpr std::size_t kMaxUserFileBytes = std::size_t{4} << 20;

/// `text` is USER or USER:GROUP, each a name or a decimal number below 4294967295, as docker run
/// --user takes it. Names are looked up in `passwd` and `group` (passwd(5), group(5)). Without
/// GROUP it is the user's own (0 where passwd does not know the number), and the groups that list
/// its name are supplementary. Only what is wholly a number is one: "0x0", "+0" and "1000a" are
/// names (CVE-2026-30892 was a user parsed as another one). Fails with kInvalidInput naming what is
/// not known.
Expected<UserIds> FindUser(const std::string& text, std::string_view passwd,
                           std::string_view group);

/// FindUser() in the files of the root file system at `root`, an absolute path. They are the
/// workload's: opened without leaving the root, bounded, regular files only; one that is missing is
/// empty.
Expected<UserIds> FindUserIn(const std::string& root, const std::string& text);

}  // namespace cordon
