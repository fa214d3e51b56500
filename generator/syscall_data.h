#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/error.h"

/// The data files of policies/ that say what a seccomp policy does with calls nobody made.
namespace cordon {

/// Some calls, and why they belong together.
struct ReasonedNames {
  std::string reason;  ///< one line
  std::vector<std::string> names;
};

/// policies/syscall_classes.json: every name of policies/syscalls.csv in exactly one group.
struct SyscallClasses {
  std::vector<ReasonedNames> refused;  ///< answered with EPERM when not observed
  std::vector<ReasonedNames>
      absent;  ///< answered with ENOSYS when not observed: as on a kernel that does not have them
};

/// policies/base_sets.json.
struct BaseSets {
  std::vector<ReasonedNames> always;
  std::map<std::string, std::vector<ReasonedNames>> runtimes;  ///< by "runc", "crun", "cordon"
};

/// policies/syscall_families.json: calls that do the same, by family.
using SyscallFamilies = std::map<std::string, std::vector<std::string>>;

/// Fail with kInternal when the file is not what it should be.
Expected<SyscallClasses> LoadSyscallClasses();
Expected<BaseSets> LoadBaseSets();
Expected<SyscallFamilies> LoadSyscallFamilies();

}  // namespace cordon
