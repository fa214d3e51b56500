#include "runtime/hold_workload.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>

#include "runtime/landlock_ruleset.h"
#include "runtime/launch_actions.h"
#include "runtime/linux_calls.h"

namespace cordon {
namespace {

/// The ruleset of the plan, for the workload and for who enters later.
StepResult BuildLandlock(const HoldContext& context, int& ruleset) {
  const LaunchPlan& plan = context.plan;
  if (plan.file_holder != FileHolder::kLandlock || ruleset >= 0) {
    return kDone;
  }
  const LandlockNote note{[](const void* supervisor, std::uint32_t index, int sys_errno) {
                            (void)SendSetupMessage(*static_cast<const int*>(supervisor),
                                                   {SetupMessageKind::kNote,
                                                    LaunchStep::kLandlockRule, sys_errno, index});
                          },
                          &context.supervisor};
  if (const StepResult made =
          MakeLandlockRuleset(plan.landlock_handled, plan.landlock, note, ruleset);
      !made.ok()) {
    return made;
  }
  const std::array<int, 1> made{ruleset};
  if (SendSetupMessage(context.supervisor, {SetupMessageKind::kRuleset, LaunchStep::kNone, 0, 0},
                       made) != 0) {
    return Failed(LaunchStep::kLandlockRuleset);
  }
  return kDone;
}

/// What the workload sends readiness notifications to. An abstract address is reached from any
/// root, but only in its network namespace (unix(7)).
StepResult MakeNotifySocket(const HoldContext& context) {
  const std::string_view name = context.notify_address;
  sockaddr_un address{};
  if (name.empty()) {
    return kDone;
  }
  if (name.size() > sizeof address.sun_path) {
    return {LaunchStep::kNotifySocket, ENAMETOOLONG, 0};
  }
  address.sun_family = AF_UNIX;
  std::memcpy(&address.sun_path[1], name.data() + 1, name.size() - 1);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const std::array<int, 1> made{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (made[0] < 0 || ::bind(made[0], reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      SendSetupMessage(context.supervisor,
                       {SetupMessageKind::kNotifySocket, LaunchStep::kNone, 0, 0}, made) != 0) {
    return Failed(LaunchStep::kNotifySocket);
  }
  (void)::close(made[0]);
  return kDone;
}

/// The holder keeps no privilege, and could not get one by executing something: it has the uid of
/// root, and a workload with CAP_SYS_PTRACE over it may make it do so.
void DropCapabilities(const LaunchPlan& plan) {
  for (unsigned capability = 0; capability <= plan.last_capability; ++capability) {
    (void)::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  (void)::syscall(SYS_capset, &header, none.data());
}

/// The workload as a child that shares the descriptor table but not the memory.
pid_t CloneWorkload(int& pidfd) {
  clone_args arguments{};
  arguments.flags = CLONE_FILES | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

/// Waits until the workload has confined itself, and gives its listener to the supervisor.
void HandOver(const HoldContext& context, pid_t workload, int pidfd) {
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 20'000};
  HandoverPage& page = context.page;
  while (page.state.load() == HandoverPage::kWorking) {
    if (::waitpid(workload, nullptr, WNOHANG) == workload &&
        page.state.load() == HandoverPage::kWorking) {
      ReportFailure(context, {LaunchStep::kHandover, ECHILD, 0});
    }
    (void)::nanosleep(&kPause, nullptr);
  }
  if (page.state.load() == HandoverPage::kFailed) {
    ReportFailure(context, {page.failed_step, page.failed_errno, page.failed_index});
  }
  if (page.working_directory_missing.load() != 0) {
    (void)SendSetupMessage(context.supervisor,
                           {SetupMessageKind::kNote, LaunchStep::kWorkingDirectory, ENOENT, 0});
  }
  const int listener = page.listener.load();
  const std::array<int, 2> fds{pidfd, listener};
  if (SendSetupMessage(context.supervisor, {SetupMessageKind::kConfined, LaunchStep::kNone, 0, 0},
                       std::span(fds).first(listener >= 0 ? 2 : 1)) != 0) {
    Quit();
  }
  if (listener >= 0) {
    (void)::close(listener);  // the supervisor holds it now; with it dies the last one, and refused
                              // calls get ENOSYS
  }
  AwaitUnlessEnded(context.supervisor, SetupMessageKind::kGo, pidfd);
  // The table is the workload's, too, which is about to execute a path of the sandbox's.
  if (Holds(Guard::kNoDescriptors)) {
    std::array<int, 2> kept{context.supervisor, context.handed_on};
    std::ranges::sort(kept);
    CloseOthers(STDERR_FILENO + 1, kept);
  }
  page.go.store(HandoverPage::kExecute);
}

/// Reaps everything that is dead; ends the sandbox when the workload is.
void Reap(const HoldContext& context, pid_t workload) {
  int status = 0;
  pid_t pid = 0;
  while ((pid = ::waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
    if (pid != workload) {
      continue;
    }
    const int execute_errno = context.page.execute_errno.load();
    const SetupMessageKind kind =
        execute_errno != 0 ? SetupMessageKind::kNotExecuted : SetupMessageKind::kEnded;
    (void)SendSetupMessage(context.supervisor, {kind, LaunchStep::kNone,
                                                execute_errno != 0 ? execute_errno : status, 0});
    ::_exit(0);
  }
}

void AnswerSupervisor(const HoldContext& context) {
  SetupMessage message;
  std::array<int, kMaxSetupFds> fds{};
  const Received received = ReceiveSetupMessage(context.supervisor, message, fds, MSG_DONTWAIT);
  if (received == Received::kClosed) {
    Quit();
  }
  if (received != Received::kMessage || message.kind != SetupMessageKind::kNeedSocket) {
    return;
  }
  const int socket = ::socket(message.value, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int socket_errno = socket < 0 ? errno : 0;
  const std::array<int, 1> made{socket};
  (void)SendSetupMessage(
      context.supervisor,
      {SetupMessageKind::kSocket, LaunchStep::kNone, socket_errno, message.index},
      std::span(made).first(socket >= 0 ? 1 : 0));
  if (socket >= 0) {
    (void)::close(socket);
  }
}

[[noreturn]] void Serve(const HoldContext& context, pid_t workload) {
  sigset_t all;
  ::sigfillset(&all);
  const int signals = ::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) {
    Quit();
  }
  std::array<pollfd, 2> waits{{{signals, POLLIN, 0}, {context.supervisor, POLLIN, 0}}};
  while (true) {
    Reap(context, workload);
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) {
      Quit();
    }
    signalfd_siginfo info{};
    while (::read(signals, &info, sizeof info) == sizeof info) {
      const int signal = static_cast<int>(info.ssi_signo);
      // What the terminal sends reaches the workload by itself, and without capabilities only what
      // may signal it may be passed on.
      if (signal != SIGCHLD && info.ssi_code != SI_KERNEL) {
        (void)::kill(workload, signal);
      }
    }
    if ((waits[1].revents & (POLLIN | POLLHUP)) != 0) {
      AnswerSupervisor(context);
    }
  }
}

}  // namespace

std::vector<int> KeptDescriptors(int supervisor, const std::vector<int>& cgroup_task_files,
                                 const std::vector<int>& others) {
  std::vector<int> kept = cgroup_task_files;
  kept.push_back(supervisor);
  kept.insert(kept.end(), others.begin(), others.end());
  std::erase_if(kept, [](int number) { return number < 0; });
  std::ranges::sort(kept);
  return kept;
}

void Quit() {
  ::_exit(125);
}

void ReportFailure(const HoldContext& context, const StepResult& result) {
  (void)SendSetupMessage(context.supervisor,
                         {SetupMessageKind::kFailed, result.step, result.sys_errno, result.index});
  Quit();
}

void Require(const HoldContext& context, const StepResult& result) {
  if (!result.ok()) {
    ReportFailure(context, result);
  }
}

void Await(int supervisor, SetupMessageKind kind) {
  SetupMessage message;
  std::array<int, kMaxSetupFds> fds{};
  if (ReceiveSetupMessage(supervisor, message, fds) != Received::kMessage || message.kind != kind) {
    Quit();
  }
}

void AwaitUnlessEnded(int supervisor, SetupMessageKind kind, int pidfd) {
  std::array<pollfd, 2> waits{{{supervisor, POLLIN, 0}, {pidfd, POLLIN, 0}}};
  while (true) {
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno != EINTR) {
        Quit();
      }
      continue;
    }
    if (waits[0].revents != 0) {
      Await(supervisor, kind);
      return;
    }
    if (waits[1].revents != 0) {
      return;
    }
  }
}

void BecomeHolder(const HoldContext& context, const char* name) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    Quit();
  }
  if (Holds(Guard::kNoDescriptors)) {
    CloseOthers(STDERR_FILENO + 1, context.kept);
  }
  // After PDEATHSIG: a supervisor that died before it left its end of the socket closed, and this
  // wait ends.
  Await(context.supervisor, SetupMessageKind::kProceed);
  // Nothing in the sandbox may trace or read this process: it is a copy of cordon. Its address
  // space belongs to the caller's user namespace, so no capability of the sandbox's own overrides
  // this (ptrace(2), __ptrace_may_access).
  if (Holds(Guard::kHolderIsClosed)) {
    (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }
  (void)::prctl(PR_SET_NAME, name);
}

StepResult TakeStreams(const std::array<int, 3>& streams) {
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (streams.at(i) >= 0 && ::dup2(streams.at(i), static_cast<int>(i)) < 0) {
      return Failed(LaunchStep::kCloseDescriptors);
    }
  }
  return kDone;
}

StepResult BecomeRootInside(const LaunchPlan& plan) {
  // Raw calls, as in runtime/workload_process.cc. Until now the process is a user that has no
  // number inside, and can make no file there.
  if (plan.become_root_inside &&
      (::syscall(SYS_setgroups, 0, nullptr) != 0 || ::syscall(SYS_setresgid, 0, 0, 0) != 0 ||
       ::syscall(SYS_setresuid, 0, 0, 0) != 0)) {
    return Failed(LaunchStep::kUser);
  }
  // Other ids clear it (prctl(2)). A supervisor that died just now left its end of the socket
  // closed.
  if (plan.become_root_inside && ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    return Failed(LaunchStep::kUser);
  }
  return kDone;
}

StepResult JoinCgroups(const HoldContext& context) {
  for (std::size_t i = 0; i < context.cgroup_task_files.size(); ++i) {
    // "0" in a v1 `tasks` file moves the calling thread; alone in its process, it needs no lock
    // over all threads of the machine.
    if (::write(context.cgroup_task_files[i], "0", 1) != 1) {
      return Failed(LaunchStep::kJoinCgroup, i);
    }
  }
  // Only now: a cgroup namespace takes the cgroups of this moment as its roots
  // (cgroup_namespaces(7)).
  if (context.plan.cgroup_namespace && ::syscall(SYS_unshare, CLONE_NEWCGROUP) != 0) {
    return Failed(LaunchStep::kCgroupNamespace);
  }
  return kDone;
}

void HoldWorkload(const HoldContext& context, int private_proc) {
  int ruleset = context.landlock_ruleset;
  Require(context, BuildLandlock(context, ruleset));
  Require(context, MakeNotifySocket(context));
  int pidfd = -1;
  const pid_t workload = CloneWorkload(pidfd);
  if (workload < 0) {
    ReportFailure(context, Failed(LaunchStep::kCloneWorkload));
  }
  if (workload == 0) {
    RunWorkload({context.plan, context.execute, context.page, context.signal_mask, private_proc,
                 ruleset, context.handed_on});
  }
  DropCapabilities(context.plan);
  HandOver(context, workload, pidfd);
  Serve(context, workload);
}

}  // namespace cordon
