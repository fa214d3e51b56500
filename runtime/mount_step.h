#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "model/sandbox_config.h"

namespace cordon {

enum class MountKind : std::uint8_t {
  kBind,        ///< a clone of a part of the host's tree
  kFileSystem,  ///< a new file system
};

/// Whether mounts that the host makes below the source later show inside. The other way never: a
/// sandbox makes no mount on the host.
enum class MountPropagation : std::uint8_t { kPrivate, kSlave };

/// One mount as the new mount API takes it (fsopen(2), open_tree(2), mount_setattr(2)).
struct MountStep {
  MountKind kind = MountKind::kFileSystem;
  std::string source;       ///< kBind: the path on the host
  std::string destination;  ///< absolute, resolved inside the root
  std::string type;         ///< kFileSystem
  std::vector<std::pair<std::string, std::string>>
      parameters;                    ///< fsconfig strings; an empty value is a flag
  std::uint64_t attributes_set = 0;  ///< MOUNT_ATTR_*
  std::uint64_t attributes_clear = 0;
  bool recursive = false;
  MountPropagation propagation = MountPropagation::kPrivate;  ///< kBind
  bool idmapped =
      false;  ///< kBind: ids on disk are ids inside (mount_setattr(2), MOUNT_ATTR_IDMAP)
  bool optional = false;  ///< kBind: left out, aloud, when the caller cannot reach the source

  bool operator==(const MountStep&) const = default;
};

/// `mount` of an OCI configuration, its options split into attributes and parameters. Fails with
/// kInvalidInput for a propagation option that reaches the host, a bind without source, and a path
/// with "..".
Expected<MountStep> PlanMount(const Mount& mount);

}  // namespace cordon
