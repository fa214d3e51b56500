#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "generator/selinux_target.h"
#include "model/recording.h"
#include "model/selinux_policy.h"

namespace cordon {

/// One thing that a recording says and that the compiled policy must allow.
struct RecordedAccess {
  std::string place;  ///< for people: a path, "socket tcp", …
  /// With a path the proof looks the target up in the compiled policy's file contexts and
  /// transitions; otherwise it is `target`.
  std::string path;
  FileClass file_class = FileClass::kFile;
  bool created = false;  ///< the workload made the object, so that a transition or the directory
                         ///< decides on its type
  std::string target;    ///< a type, or "self"
  std::string object_class;
  std::set<std::string> permissions;
  std::set<std::uint16_t> requests;  ///< ioctl numbers, where `permissions` has ioctl
  Seen seen = {};  ///< how often and by whom; count 0 for what only follows from something else
};

/// What comes of a recording for one target.
struct SelinuxRules {
  SelinuxPolicy policy;
  std::vector<RecordedAccess> accesses;
  std::set<std::string> dropped;      ///< what the target has no word for ("class user_namespace")
  std::set<std::string> blind_spots;  ///< what the recording or the target cannot tell
};

struct ModuleName {
  std::string module;    ///< stem of the type names and name of the module
  std::string workload;  ///< what the workload is called
};

/// The module for `recording`. Every rule has its reasons; nothing names a type, class or
/// permission that the target lacks. Fails only when the target's file contexts cannot be read.
Expected<SelinuxRules> BuildSelinuxRules(const Recording& recording, const SelinuxTarget& target,
                                         const ModuleName& name);

/// What SELinux would ask for `recording` in `domain`, a domain that `target` has already, with the
/// labels of `target` as they are: `policy` of the result has no rules. Memory files, whose type a
/// recording does not tell, are a blind spot.
Expected<SelinuxRules> ReplayAccesses(const Recording& recording, const SelinuxTarget& target,
                                      const std::string& domain);

}  // namespace cordon
