#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/oci_resources.h"

namespace cordon {

/// One hierarchy of cgroups as the host has it mounted.
struct OciHierarchy {
  std::vector<std::string> controllers;  ///< of v1, "name=systemd" for a named one; empty: v2
  std::string mount;                     ///< where
  std::string own;                       ///< the caller's cgroup in it, absolute within the mount

  bool is_v2() const { return controllers.empty(); }

  bool operator==(const OciHierarchy&) const = default;
};

/// The hierarchies that the texts of /proc/self/cgroup and /proc/self/mountinfo (proc(5)) describe;
/// one that is not mounted from its root is left out.
std::vector<OciHierarchy> ParseOciHierarchies(std::string_view proc_self_cgroup,
                                              std::string_view mountinfo);

/// The cgroups of a container: one folder in each hierarchy of the host. They stay until Remove().
class OciCgroups {
 public:
  OciCgroups() = default;

  /// Makes `path` in every hierarchy: absolute from its root, or below the caller's own; refuses
  /// "..". A folder that is there may be used when no process is in it. What an ordinary user (or
  /// root of a user namespace) may not make is left out. On failure nothing is left behind.
  static Expected<OciCgroups> Create(const std::vector<OciHierarchy>& hierarchies,
                                     const std::string& path);

  /// Those of a container that exists; what is gone meanwhile is left out.
  static OciCgroups Open(const std::vector<OciHierarchy>& hierarchies,
                         const std::vector<std::string>& folders);

  /// Holds the cgroups to `resources`. Fails at the first that cannot be held, with kUnsupported
  /// where no cgroup can.
  Status Apply(const OciResources& resources) const;

  /// The v1 `tasks` files, for a process that is still single-threaded to write "0" to.
  Expected<std::vector<UniqueFd>> OpenTaskFiles() const;

  /// The v2 folder for CLONE_INTO_CGROUP; not valid: none.
  Expected<UniqueFd> OpenV2Folder() const;

  std::vector<std::string> folders() const;

  struct Place {
    OciHierarchy hierarchy;
    std::string folder;
  };

  const std::vector<Place>& places() const { return places_; }

  /// Everything in the container, below its cgroups too, ascending.
  std::vector<pid_t> Processes() const;

  /// Stops all of it and waits until it has stopped, or lets it go on. kUnsupported without a
  /// freezer.
  Status Freeze() const;
  Status Thaw() const;

  bool IsFrozen() const;

  /// Removes the folders with all below them; the kernel says EBUSY for a moment after the last
  /// process died. The caller must be single-threaded.
  Status Remove() const;

 private:
  const Place* FindController(const std::string& controller) const;
  const Place* V2() const;
  Status CheckMemoryFits(std::int64_t limit) const;
  Status Write(const std::string& controller, const std::string& files,
               const std::string& value) const;

  std::vector<Place> places_;
};

}  // namespace cordon
