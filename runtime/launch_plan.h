#pragma once

#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "model/terminal_size.h"
#include "runtime/cgroup_plan.h"
#include "runtime/host_features.h"
#include "runtime/id_map.h"
#include "runtime/landlock_ruleset.h"
#include "runtime/launch_request.h"
#include "runtime/mount_step.h"

namespace cordon {

/// Who writes the maps of the user namespace.
enum class MapWriter : std::uint8_t {
  kSelf,    ///< the supervisor
  kHelpers  ///< newuidmap(1) and newgidmap(1), for ids that are not the caller's own
};

/// What gives a network namespace an address of its own.
enum class NetworkTechnique : std::uint8_t {
  kVeth,  ///< a pair of virtual devices and rules of nftables, with privilege
  kPasta  ///< pasta(1), without
};

struct RlimitStep {
  int resource = 0;
  rlimit limit{};
  std::string name;
};

/// Everything that a launch will do, decided before anything is done. The processes between clone
/// and exec only read it.
struct LaunchPlan {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::vector<std::string> executables;  ///< candidates for the command, in the order of PATH
  std::string working_directory;
  bool working_directory_optional = false;  ///< fall back to "/" when it does not exist inside

  std::optional<TerminalSize> terminal;  ///< of its own, as standard streams; nothing: none

  std::uint64_t clone_flags = 0;  ///< CLONE_NEW* for clone3, without CLONE_NEWCGROUP
  bool cgroup_namespace =
      false;  ///< unshared after the cgroups are joined, so that they become its root
  std::string time_offsets;     ///< for /proc/PID/timens_offsets; empty: no time namespace
  std::vector<IdMap> uid_maps;  ///< empty: no user namespace
  std::vector<IdMap> gid_maps;
  bool deny_setgroups = false;
  MapWriter map_writer = MapWriter::kSelf;
  bool become_root_inside = false;  ///< the sandbox's own processes are nobody inside before that

  std::string hostname;  ///< empty: unchanged
  bool loopback = false;
  std::optional<NetworkTechnique> private_network;
  std::vector<PublishedPort> published;  ///< without private_network forwarded by the supervisor

  std::string root_path;
  bool root_readonly = true;
  bool sources_outside = false;  ///< runtime/outside_sources.h
  bool root_idmapped = false;    ///< with sources_outside
  std::vector<MountStep> mounts;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;

  std::vector<CgroupStep> cgroups;
  CgroupLayout cgroup_layout;  ///< where later ones go
  ResourceLimits limits;       ///< that `cgroups` hold the sandbox to

  uid_t uid = 0;
  gid_t gid = 0;
  bool set_groups = false;         ///< to `groups`; else they stay as they are
  std::vector<gid_t> groups;       ///< supplementary
  std::uint64_t capabilities = 0;  ///< bounding, and permitted and effective where uid is 0
  unsigned last_capability = 40;
  bool no_new_privileges = true;
  std::vector<RlimitStep> rlimits;
  std::optional<int> oom_score_adj;

  std::optional<FileHolder> file_holder;
  std::string selinux_label;
  std::uint64_t landlock_handled = 0;
  std::vector<LandlockStep> landlock;

  std::vector<sock_filter> base_filter;  ///< runtime/base_filter.h
  std::vector<sock_filter> filter;       ///< the policy's
  bool listener = false;                 ///< install with SECCOMP_FILTER_FLAG_NEW_LISTENER

  std::vector<std::string> warnings;  ///< one sentence each, for the user
  std::string
      file_part;  ///< which mechanism holds the file part, one sentence; empty without a policy

  /// CapEff of the workload just before execve.
  std::uint64_t ExpectedEffective() const { return uid == 0 ? capabilities : 0; }

  /// What the workload's process keeps until it is confined: without no_new_privs the kernel takes
  /// a filter and Landlock rules only from who has CAP_SYS_ADMIN (seccomp(2)).
  std::uint64_t CapabilitiesToConfine() const {
    constexpr std::uint64_t kSysAdmin = std::uint64_t{1} << 21;
    return no_new_privileges || (filter.empty() && landlock.empty()) ? 0 : kSysAdmin;
  }
};

/// Decides a launch. Pure. Fails with kInvalidInput for a configuration that means nothing,
/// kUnsupported for what this host cannot hold and `request.degraded` does not allow to go unheld.
Expected<LaunchPlan> PlanLaunch(const LaunchRequest& request, const HostFeatures& host);

/// A further command in a sandbox.
struct EntryRequest {
  std::vector<std::string> arguments;    ///< at least the command
  std::vector<std::string> environment;  ///< NAME=VALUE, in place of those of the same name
  std::string working_directory;         ///< empty: the plan's
  std::optional<TerminalSize> terminal;  ///< LaunchPlan::terminal
};

/// How `request` is launched in the sandbox that was made by `plan`: confined as the workload is.
LaunchPlan PlanEntry(const LaunchPlan& plan, const EntryRequest& request);

}  // namespace cordon
