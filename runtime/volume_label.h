#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"

namespace cordon {

/// Who may use a volume that is relabelled.
enum class VolumeSharing : std::uint8_t {
  kShared,   ///< `z`: every container
  kPrivate,  ///< `Z`: the sandbox with the same level, and who dominates it
};

/// The SELinux label that `sharing` gives to a volume's files: the type container_file_t, which
/// container policies let their workloads use (container_selinux(8)), at the level s0, or, for
/// kPrivate, at the level of `process_label` (s0 where it has none).
std::string VolumeLabel(std::string_view process_label, VolumeSharing sharing);

/// Writes `label` as security.selinux (xattr(7)) of the folder or file `path`, an absolute
/// canonical path, and of everything beneath, on the same file system. What lies there may be the
/// workload's of an earlier run: each entry is opened without following links, and labelled by its
/// descriptor. Fails with kInvalidInput for a folder whose relabelling would break the host (/,
/// /usr, /etc, …), with kUnsupported where the file system has no labels.
Status RelabelVolume(const std::string& path, const std::string& label);

}  // namespace cordon
