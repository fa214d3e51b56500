#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/sandbox_config.h"
#include "runtime/launch_step.h"

namespace cordon {

struct LandlockStep {
  std::string path;
  std::uint64_t access = 0;  ///< LANDLOCK_ACCESS_FS_*
};

/// The Landlock rules of a policy as a kernel takes them.
struct LandlockPlan {
  std::uint64_t handled = 0;  ///< LANDLOCK_ACCESS_FS_*; 0: files are not held
  std::vector<LandlockStep> rules;
  bool lacks_refer = false;  ///< the policy renames across directories, and this ABI refuses it all
};

/// `rules` for a kernel of Landlock ABI `abi` (>= 1). Fails with kInvalidInput for a right that
/// nobody knows.
Expected<LandlockPlan> PlanLandlockRules(const std::vector<LandlockRule>& rules, int abi);

/// Told of a rule whose path is not there: its index and the errno. Async-signal-safe.
struct LandlockNote {
  void (*tell)(const void* context, std::uint32_t index, int sys_errno) = nullptr;
  const void* context = nullptr;
};

/// Makes the ruleset for `plan`, in `ruleset`. Rules follow inodes, so it is made inside, where the
/// mounts are those that the workload sees. A path that does not exist is left out: nothing there
/// can be allowed. For a process between clone and exec: async-signal-safe.
StepResult MakeLandlockRuleset(std::uint64_t handled, const std::vector<LandlockStep>& rules,
                               const LandlockNote& note, int& ruleset);

/// Restricts the caller by `ruleset`; -1: not at all. Needs no_new_privs or CAP_SYS_ADMIN.
/// Async-signal-safe.
StepResult RestrictByLandlock(int ruleset);

}  // namespace cordon
