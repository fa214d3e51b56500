#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "runtime/cgroup_layout.h"
#include "runtime/owner_watch.h"

namespace cordon {

/// Which systemd gives cgroups to the caller: where systemd runs the machine, the tree of cgroup v2
/// is its own (CGROUP_DELEGATION.md, "single-writer rule").
enum class SystemdManager : std::uint8_t {
  kSystem,  ///< the machine's
  kUser,    ///< the caller's own (user@.service)
};

/// Where cgroups are made, as it was asked for.
enum class CgroupManager : std::uint8_t {
  kAsHost,   ///< in a scope of systemd's where that runs the machine and cgroup v2 is all
  kSystemd,  ///< in a scope of systemd's, or nowhere
  kFolders,  ///< below the caller's, without asking
};

/// A scope (systemd.scope(5)) to be asked for.
struct ScopePlan {
  SystemdManager manager = SystemdManager::kSystem;
  std::string slice;    ///< "web.slice"; empty: where the manager puts scopes
  std::string v2_root;  ///< where the unified hierarchy is mounted
  bool operator==(const ScopePlan&) const = default;
};

/// The scope for a caller with user id `uid` on a host of `layout`, in the slice `slice` where that
/// is not empty; nothing where cgroups are made without one. Fails with kUnsupported where systemd
/// is asked for and does not run the machine, with kInvalidInput for what is no slice.
Expected<std::optional<ScopePlan>> PlanScope(CgroupManager manager, const std::string& slice,
                                             const CgroupLayout& layout, uid_t uid);

/// What to call at the manager to have it make the scope `unit` with `process` in it: method,
/// signature and arguments in the words of busctl(1). It is delegated: what is below its folder is
/// the caller's. It limits nothing itself, and is forgotten even when it failed.
std::vector<std::string> ScopeRequest(const ScopePlan& plan, const std::string& unit,
                                      pid_t process);

/// A transient scope that is there as long as this, or, where the caller is killed, until nothing
/// is left in it. A process of its own holds it, in a cgroup beside those that are made there:
/// systemd removes a scope, with what its cgroups have counted, when the last process in it ends.
class SystemdScope {
 public:
  /// Asks for the scope called `name`, and waits until it is there. Only for a single-threaded
  /// caller. Fails with kUnsupported, in one sentence, where the manager cannot be asked or
  /// refuses.
  static Expected<SystemdScope> Start(const ScopePlan& plan, const std::string& name);

  /// Its folder in the unified hierarchy, where cgroups can be made and given any controller that
  /// the manager has itself. No process is in it.
  const std::string& folder() const { return folder_; }

  /// May the caller move processes of its own there? Not an ordinary user from outside of its
  /// manager's tree: who moves must be able to write to the closest cgroup that is above both
  /// (cgroups(7), "Cgroup delegation containment").
  bool LetsCallerMove() const { return manager_ == SystemdManager::kSystem; }

  /// Has the manager move `process`, one of the caller's, into the cgroup `child` of folder().
  Status Attach(pid_t process, const std::string& child) const;

 private:
  SystemdScope(const ScopePlan& plan, std::string unit);

  Status Call(const std::vector<std::string>& request) const;
  Status WaitFor(pid_t process, const std::string& end, std::string* folder) const;

  SystemdManager manager_;
  std::string v2_root_;
  std::string unit_;
  std::string folder_;
  OwnerWatch holder_;
};

}  // namespace cordon
