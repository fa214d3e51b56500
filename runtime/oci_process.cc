#include "runtime/oci_process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "runtime/landlock_ruleset.h"
#include "runtime/launch_actions.h"
#include "runtime/oci_user_home.h"
#include "runtime/terminal_actions.h"

namespace cordon {
namespace {

constexpr std::uint64_t kSysAdmin = std::uint64_t{1} << CAP_SYS_ADMIN;
constexpr std::size_t kMaxHome = 4096;

/// linux/sched/types.h: struct sched_attr as of Linux 3.14; its header clashes with the C
/// library's.
struct SchedulerAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime;
  std::uint64_t deadline;
  std::uint64_t period;
};

StepResult MakeKeyring(const OciProcessPlan& plan) {
  if (plan.keyring.empty()) {
    return kDone;
  }
  const long keyring = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, plan.keyring.c_str());
  if (keyring < 0) {
    return errno == ENOSYS ? kDone : Failed(LaunchStep::kKeyring);
  }
  // What the possessor may is left; the user may search too, once ids were changed (keyctl(2),
  // KEYCTL_SETPERM).
  constexpr unsigned kPossessorAllUserSearch = 0x3f0b0000;
  if (::syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, kPossessorAllUserSearch) != 0) {
    return Failed(LaunchStep::kKeyring);
  }
  return kDone;
}

StepResult SetScheduling(const OciProcessPlan& plan) {
  if (plan.personality && ::personality(*plan.personality) < 0) {
    return Failed(LaunchStep::kPersonality);
  }
  if (plan.scheduler) {
    const OciSchedulerStep& wanted = *plan.scheduler;
    const SchedulerAttributes attributes{sizeof attributes, wanted.policy,   wanted.flags,
                                         wanted.nice,       wanted.priority, wanted.runtime,
                                         wanted.deadline,   wanted.period};
    if (::syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) {
      return Failed(LaunchStep::kScheduler);
    }
  }
  constexpr int kWhoProcess = 1;  // linux/ioprio.h: IOPRIO_WHO_PROCESS
  if (plan.io_priority && ::syscall(SYS_ioprio_set, kWhoProcess, 0, *plan.io_priority) != 0) {
    return Failed(LaunchStep::kIoPriority);
  }
  return kDone;
}

/// The user opens its own standard streams again by /dev/stdout and its like.
StepResult GiveStreams(const OciProcessPlan& plan) {
  for (int stream = 0; stream <= STDERR_FILENO; ++stream) {
    struct stat status{};
    if (::fstat(stream, &status) != 0) {
      if (errno == EBADF) {
        continue;
      }
      return Failed(LaunchStep::kStreams);
    }
    const bool is_null = S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
    if (is_null || status.st_uid == plan.uid) {
      continue;
    }
    // Not all can be given, and not by all: a user namespace may have no map for its group, a file
    // system may be read-only.
    if (::fchown(stream, plan.uid, static_cast<gid_t>(-1)) != 0 && errno != EINVAL &&
        errno != EPERM && errno != EROFS && errno != EOVERFLOW) {
      return Failed(LaunchStep::kStreams);
    }
  }
  return kDone;
}

StepResult DropBoundingSet(const OciProcessPlan& plan) {
  for (unsigned capability = 0; capability <= plan.last_capability; ++capability) {
    if ((plan.bounding >> capability & 1) == 0 &&
        ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return Failed(LaunchStep::kBoundingSet, capability);
    }
  }
  return kDone;
}

StepResult SetIds(const OciConfinement& confinement) {
  const OciProcessPlan& plan = confinement.plan;
  if (confinement.may_set_groups || !plan.groups.empty()) {
    if (::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) != 0) {
      return Failed(LaunchStep::kGroups);
    }
  }
  if (::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) != 0) {
    return Failed(LaunchStep::kGroups);
  }
  // What the sets say is decided by capset, not by the change of ids (capabilities(7)).
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
      ::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) != 0 ||
      ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) {
    return Failed(LaunchStep::kUser);
  }
  return kDone;
}

StepResult SetCapabilities(const OciProcessPlan& plan, std::uint64_t besides) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  for (unsigned half = 0; half < 2; ++half) {
    const unsigned shift = 32 * half;
    data.at(half).effective = static_cast<std::uint32_t>((plan.effective | besides) >> shift);
    data.at(half).permitted = static_cast<std::uint32_t>((plan.permitted | besides) >> shift);
    data.at(half).inheritable = static_cast<std::uint32_t>(plan.inheritable >> shift);
  }
  return ::syscall(SYS_capset, &header, data.data()) == 0 ? kDone
                                                          : Failed(LaunchStep::kCapabilities);
}

StepResult SetAmbient(const OciProcessPlan& plan) {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return Failed(LaunchStep::kCapabilities);
  }
  for (unsigned capability = 0; capability <= plan.last_capability; ++capability) {
    if ((plan.ambient >> capability & 1) != 0 &&
        ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) {
      return Failed(LaunchStep::kCapabilities);
    }
  }
  return kDone;
}

StepResult WriteLabel(const OciConfinement& confinement) {
  const OciProcessPlan& plan = confinement.plan;
  if (plan.security_label.empty()) {
    return kDone;
  }
  const int task = ::openat(confinement.proc, "thread-self", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (task < 0) {
    return Failed(LaunchStep::kLoadLabel);
  }
  const int file =
      ::openat(task, plan.security_label_file.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0 || ::write(file, plan.security_label.data(), plan.security_label.size()) !=
                      static_cast<ssize_t>(plan.security_label.size())) {
    return Failed(LaunchStep::kLoadLabel);
  }
  (void)::close(file);
  (void)::close(task);
  return kDone;
}

StepResult FindHome(const OciConfinement& confinement) {
  if (!confinement.plan.find_home) {
    return kDone;
  }
  std::string& home = confinement.arguments.home;
  constexpr std::size_t kName = 5;  // "HOME="
  if (!ReadUserHome(confinement.plan.uid, home.data() + kName, kMaxHome)) {
    return Failed(LaunchStep::kUserRecord);
  }
  return kDone;
}

/// Looked up as a shell does, before the filter is loaded: the first that may be executed, else
/// the first that exists.
StepResult FindExecutable(const OciConfinement& confinement) {
  const OciProcessPlan& plan = confinement.plan;
  OciArguments& arguments = confinement.arguments;
  int error = ENOENT;
  for (const std::string& path : plan.executables) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
      error = errno == EACCES ? EACCES : error;
      continue;
    }
    if (!S_ISDIR(status.st_mode) && ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) {
      arguments.executable = path.c_str();
      return kDone;
    }
    error = EACCES;
  }
  return {LaunchStep::kFindCommand, error, 0};
}

void ResetSignals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    (void)::sigaction(signal, &action, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void Relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("" ::: "memory");
#endif
}

/// Those that the runtime could not set from outside. What it could, it may have raised.
StepResult SetOwnRlimits(const OciProcessPlan& plan) {
  for (std::size_t i = 0; i < plan.rlimits.size(); ++i) {
    const RlimitStep& step = plan.rlimits[i];
    rlimit now{};
    if (::syscall(SYS_prlimit64, 0, step.resource, nullptr, &now) != 0) {
      return Failed(LaunchStep::kRlimit, i);
    }
    const bool is_set = now.rlim_cur == step.limit.rlim_cur && now.rlim_max == step.limit.rlim_max;
    if (!is_set && ::syscall(SYS_prlimit64, 0, step.resource, &step.limit, nullptr) != 0) {
      return Failed(LaunchStep::kRlimit, i);
    }
  }
  return kDone;
}

long LoadProgram(const std::vector<sock_filter>& program, unsigned long flags) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

StepResult LoadFilters(const OciConfinement& confinement, HandoverPage& page) {
  const OciFilter& filter = confinement.filter;
  if (!filter.tracing.empty() && LoadProgram(filter.tracing, 0) < 0) {
    return Failed(LaunchStep::kSeccomp);
  }
  if (!filter.program.empty()) {
    long result = LoadProgram(filter.program, filter.flags | filter.optional_flags);
    if (result < 0 && errno == EINVAL && filter.optional_flags != 0) {
      result = LoadProgram(filter.program, filter.flags);
    }
    if (result < 0) {
      return Failed(LaunchStep::kSeccomp);
    }
    if (filter.listener) {
      page.listener.store(static_cast<std::int32_t>(result));
      page.state.store(HandoverPage::kConfined);
      while (page.go.load() == HandoverPage::kWait) {
        Relax();
      }
    }
  }
  return filter.NeedsPrivilege(confinement.plan) ? SetCapabilities(confinement.plan, 0) : kDone;
}

[[noreturn]] void End(HandoverPage& page, const StepResult& result) {
  page.failed_step = result.step;
  page.failed_errno = result.sys_errno;
  page.failed_index = result.index;
  page.state.store(HandoverPage::kFailed);
  ::syscall(SYS_exit_group, result.sys_errno == ENOENT ? 127 : 126);
  __builtin_trap();  // a filter that refuses exit_group
}

}  // namespace

OciArguments::OciArguments(const OciProcessPlan& plan) : home("HOME=") {
  home.resize(home.size() + kMaxHome);
  for (const std::string& argument : plan.arguments) {
    arguments.push_back(argument.c_str());
  }
  arguments.push_back(nullptr);
  for (const std::string& variable : plan.environment) {
    environment.push_back(variable.c_str());
  }
  if (plan.find_home) {
    environment.push_back(home.c_str());
  }
  environment.push_back(nullptr);
}

StepResult TakeTerminal(const OciProcessPlan& plan, int master, int& slave) {
  if (::setsid() < 0 && errno != EPERM) {
    return Failed(LaunchStep::kSession);
  }
  if (master < 0) {
    return kDone;
  }
  if (const StepResult result = OpenTerminalOf(master, slave); !result.ok()) {
    return result;
  }
  if (plan.console_size) {
    if (const StepResult result =
            SetTerminalSize(slave, {plan.console_size->height, plan.console_size->width});
        !result.ok()) {
      return result;
    }
  }
  if (const StepResult result = MakeStreams(slave); !result.ok()) {
    return result;
  }
  return ::ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0 ? kDone : Failed(LaunchStep::kTerminal);
}

StepResult ConfineOciProcess(const OciConfinement& confinement) {
  const OciProcessPlan& plan = confinement.plan;
  // First as who may look everywhere, then as the user, whom a network file system may trust more.
  const bool in_place = ::chdir(plan.working_directory.c_str()) == 0;
  using Step = StepResult (*)(const OciConfinement&);
  constexpr std::array<Step, 6> kSteps{
      [](const OciConfinement& c) { return MakeKeyring(c.plan); },
      [](const OciConfinement& c) { return SetScheduling(c.plan); },
      [](const OciConfinement& c) { return GiveStreams(c.plan); },
      [](const OciConfinement& c) { return DropBoundingSet(c.plan); },
      SetIds,
      [](const OciConfinement& c) {
        return SetCapabilities(c.plan, c.filter.NeedsPrivilege(c.plan) ? kSysAdmin : 0);
      },
  };
  for (const Step step : kSteps) {
    if (const StepResult result = step(confinement); !result.ok()) {
      return result;
    }
  }
  if (!in_place && ::chdir(plan.working_directory.c_str()) != 0) {
    return Failed(LaunchStep::kWorkingDirectory);
  }
  (void)::umask(plan.umask);
  constexpr std::array<Step, 5> kLastSteps{
      [](const OciConfinement& c) { return SetAmbient(c.plan); },
      [](const OciConfinement&) { return CheckWorkingDirectory(); },
      FindHome,
      FindExecutable,
      WriteLabel,
  };
  for (const Step step : kLastSteps) {
    if (const StepResult result = step(confinement); !result.ok()) {
      return result;
    }
  }
  if (plan.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Failed(LaunchStep::kNoNewPrivileges);
  }
  return kDone;
}

void ExecuteOciProcess(const OciConfinement& confinement, HandoverPage& page) {
  ResetSignals();
  if (::syscall(SYS_close_range, 3U + confinement.plan.preserved_fds, ~0U, CLOSE_RANGE_CLOEXEC) !=
      0) {
    End(page, Failed(LaunchStep::kCloseDescriptors));
  }
  if (const StepResult result = SetOwnRlimits(confinement.plan); !result.ok()) {
    End(page, result);
  }
  if (const StepResult result = RestrictByLandlock(confinement.landlock_ruleset); !result.ok()) {
    End(page, result);
  }
  if (confinement.landlock_ruleset >= 0) {
    (void)::close(confinement.landlock_ruleset);
  }
  if (const StepResult result = LoadFilters(confinement, page); !result.ok()) {
    End(page, result);
  }
  (void)::syscall(SYS_execve, confinement.arguments.executable,
                  confinement.arguments.arguments.data(), confinement.arguments.environment.data());
  End(page, Failed(LaunchStep::kExecute));
}

}  // namespace cordon
