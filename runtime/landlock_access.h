#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cordon {

/// The LANDLOCK_ACCESS_FS_* bit of `name` (linux/landlock.h, lower case: "read_file"), or nothing.
std::optional<std::uint64_t> LandlockAccessBit(std::string_view name);

/// Every file access right that Landlock ABI `abi` (>= 1) can hold (landlock(7)): 1-12 rights at
/// ABI 1, refer at 2, truncate at 3, ioctl_dev at 5.
std::uint64_t LandlockRightsOfAbi(int abi);

/// The first ABI that has every right that a learned policy may name.
inline constexpr int kCompleteLandlockAbi = 5;

/// What Landlock ABI `abi` cannot hold of a file policy, in words: first what no ABI holds
/// (landlock(7), "Limitations"), then what a later one does.
std::vector<std::string> LandlockGaps(int abi);

/// The rights that make sense for a rule on something that is not a directory; the kernel refuses
/// others there with EINVAL.
std::uint64_t LandlockFileRights();

}  // namespace cordon
