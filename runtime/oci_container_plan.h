#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/oci_spec.h"
#include "runtime/host_features.h"
#include "runtime/oci_cgroups.h"
#include "runtime/oci_hook.h"
#include "runtime/oci_mount_step.h"
#include "runtime/oci_process_plan.h"

namespace cordon {

/// A device to make in the container.
struct OciDeviceStep {
  OciDevice device;
  bool is_default = false;  ///< one that every container has
};

/// A kernel setting, as a path below /proc/sys.
struct OciSetting {
  std::string path;
  std::string value;
};

/// A namespace that exists, in which the container is to be.
struct OciJoinedNamespace {
  std::uint64_t flag = 0;  ///< CLONE_NEW*
  std::string path;
};

/// Everything that the making of a container does, decided before anything is done. The processes
/// between clone and exec only read it.
struct OciContainerPlan {
  OciProcessPlan process;

  std::uint64_t clone_flags = 0;  ///< CLONE_NEW* for the container's process, but for the next two
  bool cgroup_namespace = false;  ///< unshared once the cgroups are joined
  std::string time_offsets;       ///< for /proc/PID/timens_offsets; empty: no new time namespace
  std::vector<OciJoinedNamespace> joined;
  std::string uid_map;  ///< for /proc/PID/uid_map; empty: no new user namespace
  std::string gid_map;
  bool may_set_groups = true;

  std::string hostname;  ///< empty: unchanged
  std::string domainname;
  bool loopback = false;

  std::string root_path;  ///< absolute
  bool root_readonly = false;
  std::optional<OciPropagationMode> root_propagation;
  std::vector<OciMountStep> mounts;
  bool fill_dev = true;       ///< nodes and links in /dev are to be made
  bool bind_devices = false;  ///< from the host's, where no node may be made
  std::vector<OciDeviceStep> devices;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::vector<OciSetting> settings;

  bool HasNew(std::uint64_t flag) const { return (clone_flags & flag) != 0; }
};

struct OciPlanRequest {
  const OciSpec& spec;
  std::string bundle;  ///< absolute
  const HostFeatures& host;
  bool has_apparmor = false;
  /// The caller is in a user namespace, where no device node may be made.
  bool in_user_namespace = false;
  /// The mount of cgroups, for `mounts` of that type: PlanOciCgroupMount().
  const OciCgroups& cgroups;
};

/// Decides how the container of `request` is made. Looks at nothing but its arguments. Fails with
/// kInvalidInput for a configuration that means nothing, kUnsupported and kPermission for what this
/// host or caller cannot do.
Expected<OciContainerPlan> PlanOciContainer(const OciPlanRequest& request);

/// The CLONE_NEW* of the namespaces that each have their own value of the setting `path`
/// ("net/ipv4/ip_forward"); 0: it is the kernel's, or cordon does not know it.
std::uint64_t NamespaceOfSetting(std::string_view path);

/// What shows `cgroups` at the destination of `mount`: of v1 a tmpfs with a folder for each
/// hierarchy, of v2 alone the container's cgroup where it has a cgroup namespace, else all of it.
std::vector<OciMountStep> PlanOciCgroupMount(const OciMountStep& mount, const OciCgroups& cgroups,
                                             bool has_cgroup_namespace);

}  // namespace cordon
