#include "runtime/landlock_ruleset.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "common/text.h"
#include "runtime/landlock_access.h"

namespace cordon {
namespace {

struct RulesetAttributes {
  std::uint64_t handled_access_fs;
};

struct __attribute__((packed)) PathBeneath {
  std::uint64_t allowed_access;
  std::int32_t parent_fd;
};

constexpr int kRulePathBeneath = 1;

bool IsMissing(int open_errno) {
  return open_errno == ENOENT || open_errno == ENOTDIR || open_errno == ELOOP ||
         open_errno == EACCES;
}

}  // namespace

Expected<LandlockPlan> PlanLandlockRules(const std::vector<LandlockRule>& rules, int abi) {
  LandlockPlan plan;
  plan.handled = LandlockRightsOfAbi(abi);
  std::uint64_t wanted = 0;
  for (const LandlockRule& rule : rules) {
    LandlockStep step{rule.path, 0};
    for (const std::string& name : rule.access) {
      const std::optional<std::uint64_t> bit = LandlockAccessBit(name);
      if (!bit) {
        return Fail(InvalidInput("Landlock rule for " + Quote(rule.path) + ": unknown access '" +
                                 name + "'"));
      }
      step.access |= *bit;
    }
    wanted |= step.access;
    step.access &= plan.handled;
    plan.rules.push_back(std::move(step));
  }
  const std::uint64_t refer = LandlockAccessBit("refer").value_or(0);
  plan.lacks_refer = (wanted & refer) != 0 && (plan.handled & refer) == 0;
  return plan;
}

StepResult MakeLandlockRuleset(std::uint64_t handled, const std::vector<LandlockStep>& rules,
                               const LandlockNote& note, int& ruleset) {
  const RulesetAttributes attributes{handled};
  ruleset =
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (ruleset < 0) {
    return Failed(LaunchStep::kLandlockRuleset);
  }
  const std::uint64_t file_rights = LandlockFileRights();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const int place = ::open(rules[i].path.c_str(), O_PATH | O_CLOEXEC);
    if (place < 0) {
      if (!IsMissing(errno)) {
        return Failed(LaunchStep::kLandlockRule, i);
      }
      if (note.tell != nullptr) {
        note.tell(note.context, static_cast<std::uint32_t>(i), errno);
      }
      continue;
    }
    struct stat status{};
    if (::fstat(place, &status) != 0) {
      return Failed(LaunchStep::kLandlockRule, i);
    }
    const std::uint64_t access =
        S_ISDIR(status.st_mode) ? rules[i].access : rules[i].access & file_rights;
    const PathBeneath rule{access, place};
    if (access != 0 && ::syscall(SYS_landlock_add_rule, ruleset, kRulePathBeneath, &rule, 0) != 0) {
      return Failed(LaunchStep::kLandlockRule, i);
    }
    (void)::close(place);
  }
  return kDone;
}

StepResult RestrictByLandlock(int ruleset) {
  if (ruleset < 0) {
    return kDone;
  }
  // Audit is told what the domain refuses, also after the execve(2) (landlock_restrict_self(2);
  // since Linux 6.15), but not what domains do that the workload makes for itself: those are named
  // by this process, too.
  constexpr unsigned kLogNewExecOn = 1U << 1;
  constexpr unsigned kLogSubdomainsOff = 1U << 2;
  long result = ::syscall(SYS_landlock_restrict_self, ruleset, kLogNewExecOn | kLogSubdomainsOff);
  if (result != 0 && errno == EINVAL) {
    result = ::syscall(SYS_landlock_restrict_self, ruleset, 0);
  }
  return result == 0 ? kDone : Failed(LaunchStep::kLandlockRestrict);
}

}  // namespace cordon
