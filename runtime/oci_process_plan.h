#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/oci_spec.h"
#include "runtime/host_features.h"
#include "runtime/landlock_ruleset.h"
#include "runtime/launch_plan.h"

namespace cordon {

struct OciSchedulerStep {
  std::uint32_t policy = 0;  ///< SCHED_*
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t flags = 0;  ///< SCHED_FLAG_*
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

/// A process of a container as its own system calls take it, decided before any is made: the
/// container's first one, and what `exec` adds.
struct OciProcessPlan {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  bool find_home = false;                ///< HOME is to come from the container's /etc/passwd
  std::vector<std::string> executables;  ///< candidates, in the order of PATH
  std::string working_directory;
  bool terminal = false;
  std::optional<OciConsoleSize> console_size;

  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  mode_t umask = 0022;
  std::uint64_t bounding = 0;
  std::uint64_t effective = 0;
  std::uint64_t permitted = 0;
  std::uint64_t inheritable = 0;
  std::uint64_t ambient = 0;
  unsigned last_capability = 40;
  bool no_new_privileges = false;
  std::vector<RlimitStep> rlimits;
  std::optional<int> oom_score_adj;
  std::optional<OciSchedulerStep> scheduler;
  std::optional<int> io_priority;  ///< as ioprio_set(2) takes it
  std::optional<unsigned long> personality;

  std::string security_label;       ///< for the file below; empty: none
  std::string security_label_file;  ///< below /proc/thread-self
  std::string keyring;              ///< the session keyring to make; empty: none

  LandlockPlan landlock;  ///< of a policy

  unsigned preserved_fds = 0;  ///< after the standard streams, handed on

  std::vector<std::string> warnings;  ///< one sentence each, for who asked
};

/// What a process is planned for.
struct OciProcessContext {
  const HostFeatures& host;
  bool has_user_namespace = false;  ///< its own, where it has every capability
  bool has_apparmor = false;        ///< the kernel runs AppArmor
};

/// Decides a process. Fails with kInvalidInput for a name that nobody knows, with kUnsupported or
/// kPermission for what this kernel or this caller cannot give: nothing is left out in silence.
Expected<OciProcessPlan> PlanOciProcess(const OciProcess& process,
                                        const OciProcessContext& context);

}  // namespace cordon
