#include "runtime/mount_attributes.h"

#include <linux/mount.h>

#include <algorithm>
#include <array>

namespace cordon {
namespace {

constexpr std::uint64_t kNoSymlinks = 0x00200000;  // linux/mount.h: MOUNT_ATTR_NOSYMFOLLOW

/// The three of atime are values of one field (mount_setattr(2)).
constexpr std::array<MountAttribute, 17> kAttributes{{
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", kNoSymlinks, 0},
}};

}  // namespace

const MountAttribute* FindMountAttribute(std::string_view option) {
  const auto* const found = std::ranges::find(kAttributes, option, &MountAttribute::name);
  return found == kAttributes.end() ? nullptr : found;
}

}  // namespace cordon
