#include "runtime/oci_init.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "runtime/landlock_ruleset.h"
#include "runtime/launch_actions.h"
#include "runtime/setup_channel.h"
#include "runtime/terminal_actions.h"

namespace cordon {
namespace {

[[noreturn]] void Quit() {
  ::_exit(125);
}

void Require(int runtime, const StepResult& result) {
  if (!result.ok()) {
    ReportOciFailure(runtime, result);
  }
}

StepResult JoinCgroups(const OciInitContext& context) {
  for (std::size_t i = 0; i < context.task_files.size(); ++i) {
    // "0" in a v1 `tasks` file moves the calling thread; alone in its process, it needs no lock
    // over all threads of the machine.
    if (::write(context.task_files[i], "0", 1) != 1) {
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

StepResult SetNames(const OciContainerPlan& plan) {
  if (!plan.hostname.empty() && ::sethostname(plan.hostname.c_str(), plan.hostname.size()) != 0) {
    return Failed(LaunchStep::kHostname);
  }
  if (!plan.domainname.empty() &&
      ::setdomainname(plan.domainname.c_str(), plan.domainname.size()) != 0) {
    return Failed(LaunchStep::kDomainName);
  }
  return plan.loopback ? BringLoopbackUp() : kDone;
}

/// A time namespace for the children of this process: a clock must be set before anybody is in it
/// (time_namespaces(7)).
StepResult MakeTimeNamespace(const OciContainerPlan& plan) {
  if (::syscall(SYS_unshare, CLONE_NEWTIME) != 0) {
    return Failed(LaunchStep::kTimeNamespace);
  }
  const std::string& offsets = plan.time_offsets;
  const int file = ::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
  if (file < 0 ||
      ::write(file, offsets.c_str(), offsets.size()) != static_cast<ssize_t>(offsets.size())) {
    return Failed(LaunchStep::kTimeOffsets);
  }
  (void)::close(file);
  return kDone;
}

StepResult SetUpTerminal(const OciInitContext& context) {
  int master = -1;
  int slave = -1;
  if (context.plan.process.terminal) {
    if (const StepResult result = OpenMultiplexer(context.sources.root, "/dev/pts/ptmx", master);
        !result.ok()) {
      return result;
    }
    const std::array<int, 1> made{master};
    if (SendSetupMessage(context.runtime, {SetupMessageKind::kTerminal, LaunchStep::kNone, 0, 0},
                         made) != 0) {
      return {LaunchStep::kTerminal, EPIPE, 0};
    }
  }
  if (const StepResult result = TakeTerminal(context.plan.process, master, slave); !result.ok()) {
    return result;
  }
  if (slave >= 0) {
    if (const StepResult result = ShowConsole(context.sources.root, slave); !result.ok()) {
      return result;
    }
    (void)::close(slave);
    (void)::close(master);
  }
  return kDone;
}

StepResult RunHooks(const std::vector<OciHookCall>& hooks, const OciHookState& state) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    if (const int error = RunOciHook(hooks[i], state, ::getpid(), -1); error != 0) {
      return {LaunchStep::kHook, error, static_cast<std::uint32_t>(i)};
    }
  }
  return kDone;
}

/// For this process, and through the runtime for what `exec` adds: by then the paths of the rules
/// may lead elsewhere.
StepResult MakeRuleset(const OciInitContext& context, int& ruleset) {
  const LandlockPlan& landlock = context.plan.process.landlock;
  if (landlock.handled == 0) {
    return kDone;
  }
  if (const StepResult made =
          MakeLandlockRuleset(landlock.handled, landlock.rules, LandlockNote(), ruleset);
      !made.ok()) {
    return made;
  }
  const std::array<int, 1> fds{ruleset};
  const int error =
      SendSetupMessage(context.runtime, {SetupMessageKind::kRuleset, LaunchStep::kNone, 0, 0}, fds);
  return {LaunchStep::kLandlockRuleset, error, 0};
}

/// What is not for the wait, before the path of a command is walked.
void CloseForStart(const OciInitContext& context, int ruleset) {
  constexpr std::size_t kMost = 8;
  std::array<int, kMost> kept{};
  std::size_t count = 0;
  for (const int one : context.kept_for_start) {
    kept.at(count++) = one;
  }
  kept.at(count++) = ruleset;
  std::sort(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(count));
  CloseOthers(3 + context.plan.process.preserved_fds, std::span(kept.data(), count));
}

/// Waits until `start` comes, and gives it what it needs; its connection.
int AwaitStart(const OciInitContext& context) {
  int client = -1;
  while ((client = ::accept4(context.listener, nullptr, nullptr, SOCK_CLOEXEC)) < 0) {
    if (errno != EINTR && errno != ECONNABORTED) {
      Quit();
    }
  }
  Require(client, RunHooks(context.start_hooks, context.created));
  const std::array<int, 1> page{context.page_file};
  if (SendSetupMessage(client, {SetupMessageKind::kHeld, LaunchStep::kNone, 0, 0}, page) != 0) {
    Quit();
  }
  AwaitOci(client, SetupMessageKind::kGo);
  return client;
}

}  // namespace

void ReportOciFailure(int runtime, const StepResult& result) {
  (void)SendSetupMessage(runtime,
                         {SetupMessageKind::kFailed, result.step, result.sys_errno, result.index});
  Quit();
}

void AwaitOci(int runtime, SetupMessageKind kind) {
  SetupMessage message;
  std::array<int, kMaxSetupFds> fds{};
  if (ReceiveSetupMessage(runtime, message, fds) != Received::kMessage || message.kind != kind) {
    Quit();
  }
}

StepResult BecomeRootInside(bool may_set_groups) {
  if ((may_set_groups && ::syscall(SYS_setgroups, 0, nullptr) != 0) ||
      ::syscall(SYS_setresgid, 0, 0, 0) != 0 || ::syscall(SYS_setresuid, 0, 0, 0) != 0) {
    return Failed(LaunchStep::kClearGroups);
  }
  return kDone;
}

int JoinNamespaces(const std::vector<int>& joined, const std::vector<std::uint64_t>& flags) {
  constexpr std::size_t kMost = 16;
  std::array<bool, kMost> done{};
  if (joined.size() > kMost) {
    return E2BIG;
  }
  // First as who one is, then as root of the user namespace among them.
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t i = 0; i < joined.size(); ++i) {
      const bool is_user = flags[i] == CLONE_NEWUSER;
      if (done.at(i) || (pass == 0 && is_user)) {
        continue;
      }
      if (::setns(joined[i], static_cast<int>(flags[i])) == 0) {
        done.at(i) = true;
      } else if (pass == 1 || errno != EPERM) {
        return errno;
      }
    }
    for (std::size_t i = 0; pass == 0 && i < joined.size(); ++i) {
      if (flags[i] == CLONE_NEWUSER) {
        if (::setns(joined[i], CLONE_NEWUSER) != 0) {
          return errno;
        }
        done.at(i) = true;
      }
    }
  }
  return 0;
}

pid_t CloneOciInit(const OciInitContext& context, std::uint64_t more_flags) {
  clone_args arguments{};
  arguments.flags = context.plan.clone_flags | more_flags;
  // With CLONE_PARENT the signal is the caller's own (clone(2)).
  arguments.exit_signal = (more_flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  if (context.cgroup_folder >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(context.cgroup_folder);
  }
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

void RunOciInit(const OciInitContext& context) {
  const int runtime = context.runtime;
  CloseOthers(3 + context.plan.process.preserved_fds, context.kept);
  // Until the runtime has written down that there is a container. A runtime that died before this
  // left its end of the socket closed, and the wait ends.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    Quit();
  }
  AwaitOci(runtime, SetupMessageKind::kProceed);
  // At the latest once the maps are written. Where the pid namespace is another container's,
  // nothing in it may trace or read this process: it is a copy of the runtime (CVE-2019-5736).
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  (void)::prctl(PR_SET_NAME, "cordon-init");
  (void)::umask(0);
  // As who the caller is: cgroups, and the file by which one joins, are its own.
  Require(runtime, JoinCgroups(context));
  if (context.becomes_root) {
    Require(runtime, BecomeRootInside(context.plan.may_set_groups));
  }
  Require(runtime, SetNames(context.plan));
  Require(runtime, BuildOciTree(context.plan, context.sources));
  Require(runtime, SetUpTerminal(context));
  if (SendSetupMessage(runtime, {SetupMessageKind::kHooks, LaunchStep::kNone, 0, 0}) != 0) {
    Quit();
  }
  AwaitOci(runtime, SetupMessageKind::kProceed);
  Require(runtime, RunHooks(context.create_hooks, context.creating));
  Require(runtime, EnterOciTree(context.plan, context.sources));
  // Of the root, before the command's ids: it opens every path of the rules.
  OciConfinement confinement = context.confinement;
  Require(runtime, MakeRuleset(context, confinement.landlock_ruleset));
  Require(runtime, ConfineOciProcess(confinement));
  CloseForStart(context, confinement.landlock_ruleset);
  if (SendSetupMessage(runtime, {SetupMessageKind::kCreated, LaunchStep::kNone, 0, 0}) != 0) {
    Quit();
  }
  AwaitOci(runtime, SetupMessageKind::kGo);
  // The change of ids has cleared it already, but for root.
  (void)::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  (void)::close(runtime);
  (void)AwaitStart(context);
  ExecuteOciProcess(confinement, context.page);
}

void RunOciJoiner(const OciInitContext& context) {
  const OciContainerPlan& plan = context.plan;
  CloseOthers(3 + plan.process.preserved_fds, context.kept);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    Quit();
  }
  // Before anything in the other container's namespaces can see it: it still has the host's root,
  // and is a copy of the runtime. Where a user namespace is made, too, the caller may be an
  // ordinary user who has to write its maps, and then may only as long as it is dumpable (proc(5)).
  if (!plan.HasNew(CLONE_NEWUSER) || ::geteuid() == 0) {
    (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }
  if (const int error = JoinNamespaces(context.joined, context.joined_flags); error != 0) {
    ReportOciFailure(context.runtime, {LaunchStep::kEnterNamespace, error, 0});
  }
  if (!plan.time_offsets.empty()) {
    Require(context.runtime, MakeTimeNamespace(plan));
  }
  const pid_t child = CloneOciInit(context, CLONE_PARENT);
  if (child == 0) {
    RunOciInit(context);
  }
  if (child < 0) {
    ReportOciFailure(context.runtime, Failed(LaunchStep::kCloneWorkload));
  }
  (void)SendSetupMessage(context.runtime,
                         {SetupMessageKind::kNote, LaunchStep::kCloneWorkload, child, 0});
  ::_exit(0);
}

}  // namespace cordon
