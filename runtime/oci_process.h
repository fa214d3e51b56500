#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/handover_page.h"
#include "runtime/launch_step.h"
#include "runtime/oci_process_plan.h"

/// What a process of a container does to itself between its clone and its execve. Everything here
/// is async-signal-safe, but for what lays values out before the clone.
namespace cordon {

/// The filter that a process loads last.
struct OciFilter {
  std::vector<sock_filter> program;  ///< empty: none
  std::vector<sock_filter> tracing;  ///< loaded before it, for a tracer; empty: none
  unsigned long flags = 0;           ///< SECCOMP_FILTER_FLAG_*
  unsigned long optional_flags = 0;  ///< more of them, for kernels that know them
  bool listener = false;             ///< the flags ask for a user-notification listener

  /// Whether loading it needs CAP_SYS_ADMIN, which is then dropped by a capset that the filter must
  /// allow (seccomp(2)).
  bool NeedsPrivilege(const OciProcessPlan& plan) const {
    return (!program.empty() || !tracing.empty()) && !plan.no_new_privileges;
  }
};

/// What execve takes, laid out before the clone. Points into `plan`.
struct OciArguments {
  std::vector<const char*> arguments;    ///< ends with nullptr
  std::vector<const char*> environment;  ///< ends with nullptr, with room for HOME
  std::string home;                      ///< "HOME=" and room for a path
  const char* executable = nullptr;      ///< found by ConfineOciProcess()

  explicit OciArguments(const OciProcessPlan& plan);
};

struct OciConfinement {
  const OciProcessPlan& plan;
  const OciFilter& filter;
  OciArguments& arguments;
  int proc = -1;               ///< the host's procfs, O_PATH
  bool may_set_groups = true;  ///< false where setgroups(2) was given up for a map of ids
  int landlock_ruleset = -1;   ///< -1: files are not held
};

/// Makes the pseudoterminal's other end of `master` the standard streams and the controlling
/// terminal of a new session; `slave` is it. With `master` < 0 only the session.
StepResult TakeTerminal(const OciProcessPlan& plan, int master, int& slave);

/// All but the last: what must be undone by nobody, from the umask to no_new_privs. In the
/// container's root, with all its capabilities still there.
StepResult ConfineOciProcess(const OciConfinement& confinement);

/// Applies the Landlock rules, loads the filters and executes the command. What fails is in `page`;
/// the listener goes there too and waits for page.go. From the filter on it makes no call but
/// capset, where that is needed, execve and exit_group; from that for a tracer on seccomp too.
[[noreturn]] void ExecuteOciProcess(const OciConfinement& confinement, HandoverPage& page);

}  // namespace cordon
