#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "generator/file_labels.h"
#include "generator/selinux_places.h"
#include "generator/selinux_target.h"
#include "model/recording.h"

/// What is different where a workload runs in a container: an engine gives its files one type and
/// a pair of categories of their own, whatever the file contexts of the host say.
namespace cordon {

/// The type of a container's files, and that of files that containers only read: Fedora's
/// container-selinux, the reference policy's module `container`, and lxc_contexts(5) call them so.
inline constexpr std::string_view kContainerFileType = "container_file_t";
inline constexpr std::string_view kContainerReadOnlyType = "container_ro_file_t";

/// Makes `target` one for a container. Where the policy has no type for the files of containers, as
/// Debian's has none, a module that declares it joins the target, also as a companion.
void MakeContainerTarget(SelinuxTarget* target);

/// The labels that go with `target`: `file_contexts` with the target's home directories and
/// substitutions, or for a container its one type, but for the kernel's own file systems. Fails
/// like FileLabels::Create().
Expected<FileLabels> TargetLabels(const SelinuxTarget& target, const std::string& file_contexts);

/// As FindPlaces() for a container: the programs it starts with, and memory files. Files have no
/// types of their own.
WorkloadPlaces FindContainerPlaces(const Recording& recording);

}  // namespace cordon
