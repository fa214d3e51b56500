#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/cgroup_plan.h"
#include "runtime/owner_watch.h"
#include "runtime/systemd_scope.h"

namespace cordon {

/// The cgroups of one sandbox: made with their limits before the launch, removed when this goes out
/// of scope. By then every process in them must be gone. A helper process removes them when the
/// caller is killed.
class SandboxCgroups {
 public:
  SandboxCgroups() = default;
  SandboxCgroups(SandboxCgroups&& other) noexcept;
  SandboxCgroups& operator=(SandboxCgroups&&) = delete;
  SandboxCgroups(const SandboxCgroups&) = delete;
  SandboxCgroups& operator=(const SandboxCgroups&) = delete;
  ~SandboxCgroups();

  /// Makes `steps` as folders called `name`; of v2, where there is a plan of a `scope`, in that,
  /// which is asked for when the first step needs it, and called `name`, too. A step that the
  /// policy only proposes, or any with kWherePossible, is left out with a sentence in `warnings`
  /// where the caller may not make it; otherwise the call fails (kPermission, kUnsupported,
  /// kSystem) and leaves nothing behind but what it made of the parents that were asked for.
  static Expected<SandboxCgroups> Create(const std::vector<CgroupStep>& steps,
                                         const std::string& name, LimitsHeld held,
                                         const std::optional<ScopePlan>& scope,
                                         std::vector<std::string>& warnings);

  using Processes = std::function<std::vector<pid_t>()>;

  /// Holds the running sandbox to `steps`: writes what differs from what was written before, makes
  /// what is missing and moves `processes`, all that are in the sandbox, there. On failure what was
  /// written is written back, and what was made is removed. v2's limit of memory is not set below
  /// what is used and cannot be reclaimed, which would kill.
  Status Change(std::vector<CgroupStep> steps, const Processes& processes);

  /// The opened `tasks` files of the v1 cgroups: a process that is still single-threaded joins by
  /// writing "0" to each. Unlike a write to cgroup.procs that does not wait for an RCU grace
  /// period.
  std::vector<int> task_files() const;

  /// The v2 cgroup for CLONE_INTO_CGROUP (Linux 5.7), or -1: there is none, or Admit() is the way.
  int folder_to_clone_into() const;

  /// Moves `process`, which was cloned without folder_to_clone_into() and waits, into the v2 cgroup
  /// that only systemd can move it to. Nothing to do where there is none.
  Status Admit(pid_t process) const;

  std::vector<std::string> folders() const;

  /// Stops everything in the cgroups, or lets it go on; waits up to a second until it has stopped.
  /// Fails with kUnsupported without a cgroup that can. On v1 even SIGKILL waits for Thaw(): the
  /// destructor and the helper process thaw what is left frozen.
  Status Freeze();
  Status Thaw();

  bool frozen() const { return frozen_; }

 private:
  struct Made {
    CgroupStep step;
    std::string folder;
    UniqueFd entrance;  ///< v1: its `tasks` file; v2: the folder
  };

  const Made* OfV2() const;

  bool CallerMoves() const { return !scope_ || scope_->LetsCallerMove(); }

  Status Locate(CgroupStep& step);
  Status Add(const CgroupStep& step);
  Status MoveInto(const Made& made, pid_t process) const;

  /// What one of made_ was held to before a change.
  struct Former {
    std::size_t index;
    CgroupStep step;
    std::vector<CgroupStep::Write> limits;
  };

  Status ChangeAll(const std::vector<CgroupStep>& steps, const Processes& processes,
                   std::vector<Former>& former);
  Status ChangeOne(std::size_t index, const CgroupStep& step, std::vector<Former>& former);
  void Restore(std::size_t made, const std::vector<Former>& former);
  void StartRemover(const std::vector<CgroupStep>& steps);
  void RemoveLast();
  void Remove() noexcept;

  std::string name_;
  std::optional<ScopePlan> scope_plan_;
  std::optional<SystemdScope> scope_;
  std::vector<Made> made_;
  CgroupVersion freezer_version_ = CgroupVersion::kV1;
  UniqueFd freezer_;  ///< freezer.state or cgroup.freeze; empty: none
  bool frozen_ = false;
  OwnerWatch remover_;
};

}  // namespace cordon
