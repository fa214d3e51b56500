#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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

/// Release MAJOR.MINOR of a container runtime.
struct RuntimeVersion {
  unsigned major = 0;
  unsigned minor = 0;
  auto operator<=>(const RuntimeVersion&) const = default;
};

/// "1.8" or "1.8.1+ds1": what follows the second number does not matter. Nothing for another text.
std::optional<RuntimeVersion> ParseRuntimeVersion(std::string_view text);

/// Whether the process in the container has no_new_privileges: without it a runtime has to load
/// the filter earlier, and makes more calls under it.
enum class NoNewPrivileges : std::uint8_t { kEither, kOn, kOff };

/// "either", "on" or "off", as in base_sets.json.
std::string_view NoNewPrivilegesName(NoNewPrivileges mode);

/// Calls that a runtime makes between loading the filter and execve.
struct RuntimeCalls {
  std::string reason;    ///< one line
  std::string versions;  ///< "1.1-1.4"
  RuntimeVersion first;
  RuntimeVersion last;
  NoNewPrivileges no_new_privileges = NoNewPrivileges::kEither;
  bool at_any_time = false;  ///< by another thread or a signal handler: not every start shows it
  std::vector<std::string> names;
  bool operator==(const RuntimeCalls&) const = default;
};

/// policies/base_sets.json.
struct BaseSets {
  std::vector<ReasonedNames> always;
  std::map<std::string, std::vector<RuntimeCalls>> runtimes;  ///< by "runc", "crun", "cordon"
};

/// policies/syscall_families.json: calls that do the same, by family.
using SyscallFamilies = std::map<std::string, std::vector<std::string>>;

/// Calls that some C library makes beside others, where the one that was recorded does without.
struct SyscallCompanions {
  std::vector<std::string> with;  ///< any one of them
  std::vector<std::string> names;
  /// Of a call whose arguments a policy looks at (WatchedCalls()): what they are; empty: anything.
  std::vector<std::uint64_t> values;
  std::string reason;  ///< one line: who makes them, and where that is known from
};

/// Fail with kInternal when the file is not what it should be.
Expected<SyscallClasses> LoadSyscallClasses();
Expected<BaseSets> LoadBaseSets();

/// policies/systemd_default.json: what systemd allows beside any list.
Expected<std::vector<ReasonedNames>> LoadSystemdDefault();

/// Those of `all` that this release makes (nothing: any) with or without no_new_privileges.
std::vector<RuntimeCalls> CallsOf(std::vector<RuntimeCalls> all,
                                  std::optional<RuntimeVersion> version, NoNewPrivileges mode);

/// The base set in `text`, which `cordon calibrate` wrote: { "base_set_version": 1, "runtime":
/// "runc", "version": "1.1.5", "groups": [ as in base_sets.json ] }. Fails with kInvalidInput,
/// naming `source` and the place.
Expected<std::vector<RuntimeCalls>> ReadBaseSet(std::string_view text, std::string_view source);
Expected<SyscallFamilies> LoadSyscallFamilies();
/// policies/syscall_companions.json.
Expected<std::vector<SyscallCompanions>> LoadSyscallCompanions();

}  // namespace cordon
