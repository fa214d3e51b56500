#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "model/oci_spec.h"

namespace cordon {

enum class OciMountKind : std::uint8_t {
  kBind,        ///< a clone of a part of the host's tree, made before the container is
  kFileSystem,  ///< a new file system, made inside
  kRemount,     ///< other attributes for what is mounted there
  kCgroup,      ///< what shows the container's cgroups
  kLink,        ///< no mount: a symbolic link to `source`
};

/// One mount of an OCI configuration as the new mount API takes it (fsopen(2), open_tree(2),
/// mount_setattr(2)).
struct OciMountStep {
  OciMountKind kind = OciMountKind::kFileSystem;
  std::string destination;  ///< absolute, resolved inside the root
  std::string source;
  std::string type;
  std::vector<std::pair<std::string, std::string>>
      parameters;                    ///< fsconfig strings; an empty value is a flag
  std::uint64_t attributes_set = 0;  ///< MOUNT_ATTR_*, of this mount
  std::uint64_t attributes_clear = 0;
  std::uint64_t below_set = 0;  ///< the same for it and all below it
  std::uint64_t below_clear = 0;
  bool recursive = false;  ///< kBind: with what is mounted below
  std::optional<OciPropagationMode> propagation;
  bool idmapped = false;
  bool idmapped_below = false;
  std::vector<OciIdMapping> uid_mappings;  ///< of idmapped
  std::vector<OciIdMapping> gid_mappings;
  bool copy_up = false;  ///< the new file system begins with what the folder holds

  bool operator==(const OciMountStep&) const = default;
};

/// `mount` with its options split into attributes and parameters. What is no option that mount(8)
/// knows goes to the file system. Fails with kInvalidInput, naming the destination, for an option
/// that means nothing for a mount of this kind.
Expected<OciMountStep> PlanOciMount(const OciMount& mount);

}  // namespace cordon
