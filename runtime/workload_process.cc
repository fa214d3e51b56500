#include "runtime/workload_process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "runtime/guard.h"
#include "runtime/landlock_ruleset.h"
#include "runtime/launch_actions.h"
#include "runtime/terminal_actions.h"

namespace cordon {
namespace {

StepResult SetRlimits(const LaunchPlan& plan) {
  for (std::size_t i = 0; i < plan.rlimits.size(); ++i) {
    // prlimit64(2) by number: glibc's setrlimit is the same call, with a signature that depends on
    // the language mode.
    if (::syscall(SYS_prlimit64, 0, plan.rlimits[i].resource, &plan.rlimits[i].limit, nullptr) !=
        0) {
      return Failed(LaunchStep::kRlimit, i);
    }
  }
  return kDone;
}

/// Writes the label that the next execve takes, through the private procfs: a mount over /proc
/// cannot catch it (CVE-2019-19921).
StepResult SetSelinuxLabel(const WorkloadContext& context) {
  const std::string& label = context.plan.selinux_label;
  if (label.empty()) {
    return kDone;
  }
  const int file =
      Holds(Guard::kOwnProc)
          ? ::openat(context.private_proc, "thread-self/attr/exec", O_WRONLY | O_CLOEXEC)
          : ::open("/proc/thread-self/attr/exec", O_WRONLY | O_CLOEXEC);
  if (file < 0 ||
      ::write(file, label.c_str(), label.size()) != static_cast<ssize_t>(label.size())) {
    return Failed(LaunchStep::kSelinuxLabel);
  }
  (void)::close(file);
  return kDone;
}

StepResult DropBoundingSet(const LaunchPlan& plan) {
  for (unsigned capability = 0; Holds(Guard::kCapabilities) && capability <= plan.last_capability;
       ++capability) {
    if ((plan.capabilities >> capability & 1) == 0 &&
        ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return Failed(LaunchStep::kBoundingSet, capability);
    }
  }
  return kDone;
}

/// Raw calls: glibc's set*id functions signal every thread of a process that they believe to be
/// another one (nptl(7)).
StepResult SetIds(const LaunchPlan& plan) {
  if (plan.set_groups && ::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) != 0) {
    return Failed(LaunchStep::kGroups);
  }
  if (::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) != 0) {
    return Failed(LaunchStep::kGroups);
  }
  if (::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) != 0) {
    return Failed(LaunchStep::kUser);
  }
  return kDone;
}

StepResult SetCapabilities(std::uint64_t wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  for (unsigned half = 0; half < 2; ++half) {
    data[half].effective = static_cast<std::uint32_t>(wanted >> (32 * half));
    data[half].permitted = data[half].effective;
  }
  if (::syscall(SYS_capset, &header, data.data()) != 0) {
    return Failed(LaunchStep::kCapabilities);
  }
  return kDone;
}

StepResult DropCapabilities(const LaunchPlan& plan) {
  if (!Holds(Guard::kCapabilities)) {
    return kDone;
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return Failed(LaunchStep::kCapabilities);
  }
  return SetCapabilities(plan.ExpectedEffective() | plan.CapabilitiesToConfine());
}

StepResult ChangeDirectory(const WorkloadContext& context) {
  if (::chdir(context.plan.working_directory.c_str()) != 0) {
    if (!context.plan.working_directory_optional) {
      return Failed(LaunchStep::kWorkingDirectory);
    }
    context.page.working_directory_missing.store(1);
    if (::chdir("/") != 0) {
      return Failed(LaunchStep::kWorkingDirectory);
    }
  }
  return CheckWorkingDirectory();
}

/// While the process still has the capability that takes a filter without no_new_privs.
StepResult InstallBaseFilter(const WorkloadContext& context) {
  const std::vector<sock_filter>& filter = context.plan.base_filter;
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.data())};
  if (!filter.empty() && ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    return Failed(LaunchStep::kBaseFilter);
  }
  return kDone;
}

StepResult InstallFilter(const WorkloadContext& context) {
  const LaunchPlan& plan = context.plan;
  if (plan.filter.empty()) {
    return kDone;
  }
  const sock_fprog program{static_cast<unsigned short>(plan.filter.size()),
                           const_cast<sock_filter*>(plan.filter.data())};
  const unsigned long flags = plan.listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
  // A signal must not end the wait for the supervisor: calls that never fail with EINTR would,
  // where its handler was installed without SA_RESTART. Since Linux 5.19.
  const unsigned long killable = plan.listener ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0;
  long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | killable, &program);
  if (result < 0 && errno == EINVAL && killable != 0) {
    result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  }
  if (result < 0) {
    return Failed(LaunchStep::kSeccomp);
  }
  if (plan.listener) {
    context.page.listener.store(static_cast<std::int32_t>(result));
  }
  return kDone;
}

/// The path to execute, looked up as a shell does before the filter is loaded: the first that may
/// be executed, else the first that exists, else the last. A folder of PATH that may not be
/// searched does not count as a program that may not be executed.
const char* FindExecutable(const LaunchPlan& plan) {
  const char* existing = nullptr;
  for (const std::string& path : plan.executables) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 || S_ISDIR(status.st_mode)) {
      continue;
    }
    if (::access(path.c_str(), X_OK) == 0) {
      return path.c_str();
    }
    existing = existing == nullptr ? path.c_str() : existing;
  }
  return existing;
}

StepResult Confine(const WorkloadContext& context, const char*& executable) {
  const LaunchPlan& plan = context.plan;
  using Step = StepResult (*)(const WorkloadContext&);
  constexpr std::array<Step, 8> kSteps{
      [](const WorkloadContext& c) { return c.plan.terminal ? ControlTerminal() : kDone; },
      InstallBaseFilter,
      [](const WorkloadContext& c) { return SetRlimits(c.plan); },
      SetSelinuxLabel,
      [](const WorkloadContext& c) { return DropBoundingSet(c.plan); },
      [](const WorkloadContext& c) { return SetIds(c.plan); },
      ChangeDirectory,
      [](const WorkloadContext& c) { return DropCapabilities(c.plan); },
  };
  for (const Step step : kSteps) {
    if (const StepResult result = step(context); !result.ok()) {
      return result;
    }
  }
  if (plan.no_new_privileges && Holds(Guard::kNoNewPrivileges) &&
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Failed(LaunchStep::kNoNewPrivileges);
  }
  if (::sigprocmask(SIG_SETMASK, &context.signal_mask, nullptr) != 0) {
    return Failed(LaunchStep::kExecute);
  }
  // On the table shared with the parent too, where it changes nothing: the parent executes nothing.
  if (Holds(Guard::kNoDescriptors) &&
      ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    return Failed(LaunchStep::kCloseDescriptors);
  }
  if (context.handed_on >= 0 && ::fcntl(context.handed_on, F_SETFD, 0) != 0) {
    return Failed(LaunchStep::kCloseDescriptors);
  }
  // A path with a slash is executed as it is.
  executable =
      plan.executables.size() == 1 ? plan.executables.front().c_str() : FindExecutable(plan);
  if (const StepResult result = RestrictByLandlock(context.landlock_ruleset); !result.ok()) {
    return result;
  }
  if (const StepResult result = InstallFilter(context); !result.ok()) {
    return result;
  }
  return plan.CapabilitiesToConfine() == 0 ? kDone : SetCapabilities(plan.ExpectedEffective());
}

void Relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("" ::: "memory");
#endif
}

[[noreturn]] void ExitGroup(int code) {
  ::syscall(SYS_exit_group, code);
  __builtin_trap();  // a filter that refuses exit_group
}

}  // namespace

ExecuteArguments::ExecuteArguments(const LaunchPlan& plan, std::vector<std::string> more_variables)
    : more(std::move(more_variables)) {
  for (const std::string& argument : plan.arguments) {
    arguments.push_back(argument.c_str());
  }
  arguments.push_back(nullptr);
  const auto is_replaced = [this](const std::string& variable) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    return std::ranges::any_of(more, [&](const auto& other) { return other.starts_with(name); });
  };
  for (const std::string& variable : plan.environment) {
    if (!is_replaced(variable)) {
      environment.push_back(variable.c_str());
    }
  }
  for (const std::string& variable : more) {
    environment.push_back(variable.c_str());
  }
  environment.push_back(nullptr);
}

void RunWorkload(const WorkloadContext& context) {
  HandoverPage& page = context.page;
  const char* executable = nullptr;
  const StepResult confined = Confine(context, executable);
  if (!confined.ok()) {
    page.failed_step = confined.step;
    page.failed_errno = confined.sys_errno;
    page.failed_index = confined.index;
    page.state.store(HandoverPage::kFailed);
    ExitGroup(125);
  }
  page.state.store(HandoverPage::kConfined);
  while (page.go.load() == HandoverPage::kWait) {
    Relax();
  }
  if (page.go.load() == HandoverPage::kEnd) {
    ExitGroup(125);
  }
  if (executable == nullptr) {
    page.execute_errno.store(ENOENT);
    ExitGroup(127);
  }
  (void)::syscall(SYS_execve, executable, context.execute.arguments.data(),
                  context.execute.environment.data());
  const int last = errno;
  page.execute_errno.store(last);
  ExitGroup(last == ENOENT ? 127 : 126);
}

}  // namespace cordon
