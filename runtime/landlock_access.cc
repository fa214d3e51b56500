#include "runtime/landlock_access.h"

#include <array>

namespace cordon {
namespace {

enum class Target : std::uint8_t { kAny, kDirectory };

struct Right {
  std::string_view name;
  unsigned bit;
  int since_abi;
  Target target;
};

// linux/landlock.h. Debian 12's header ends at ABI 2, so the bits are written out here.
constexpr std::array<Right, 16> kRights{{
    {"execute", 0, 1, Target::kAny},
    {"write_file", 1, 1, Target::kAny},
    {"read_file", 2, 1, Target::kAny},
    {"read_dir", 3, 1, Target::kDirectory},
    {"remove_dir", 4, 1, Target::kDirectory},
    {"remove_file", 5, 1, Target::kDirectory},
    {"make_char", 6, 1, Target::kDirectory},
    {"make_dir", 7, 1, Target::kDirectory},
    {"make_reg", 8, 1, Target::kDirectory},
    {"make_sock", 9, 1, Target::kDirectory},
    {"make_fifo", 10, 1, Target::kDirectory},
    {"make_block", 11, 1, Target::kDirectory},
    {"make_sym", 12, 1, Target::kDirectory},
    {"refer", 13, 2, Target::kDirectory},
    {"truncate", 14, 3, Target::kAny},
    {"ioctl_dev", 15, 5, Target::kAny},
}};

}  // namespace

std::optional<std::uint64_t> LandlockAccessBit(std::string_view name) {
  for (const Right& right : kRights) {
    if (right.name == name) {
      return std::uint64_t{1} << right.bit;
    }
  }
  return std::nullopt;
}

std::uint64_t LandlockRightsOfAbi(int abi) {
  std::uint64_t rights = 0;
  for (const Right& right : kRights) {
    if (right.since_abi <= abi) {
      rights |= std::uint64_t{1} << right.bit;
    }
  }
  return rights;
}

std::vector<std::string> LandlockGaps(int abi) {
  std::vector<std::string> gaps{"stat", "access", "chmod", "chown", "xattr", "chdir"};
  if (abi < 3) {
    gaps.emplace_back("truncate");
  }
  if (abi < kCompleteLandlockAbi) {
    gaps.emplace_back("ioctl on devices");
  }
  return gaps;
}

std::uint64_t LandlockFileRights() {
  std::uint64_t rights = 0;
  for (const Right& right : kRights) {
    if (right.target == Target::kAny) {
      rights |= std::uint64_t{1} << right.bit;
    }
  }
  return rights;
}

}  // namespace cordon
