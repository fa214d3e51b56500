#pragma once

#include <cstdint>
#include <string_view>

namespace cordon {

/// What an option of mount(8) says of one mount, as MOUNT_ATTR_* (mount_setattr(2)).
struct MountAttribute {
  std::string_view name;
  std::uint64_t set;
  std::uint64_t clear;
};

/// The attribute that `option` names; null: it is none.
const MountAttribute* FindMountAttribute(std::string_view option);

}  // namespace cordon
