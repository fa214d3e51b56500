#include "runtime/entered_workload.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "common/file.h"
#include "runtime/entry_process.h"
#include "runtime/oom_score.h"

namespace cordon {

Expected<std::unique_ptr<EnteredWorkload>> EnteredWorkload::Start(
    LaunchPlan plan, const SandboxOptions& options, const Door& door,
    const std::array<int, 3>& streams) {
  ASSIGN_OR_RETURN(SharedHandover handover, SharedHandover::Create());
  std::unique_ptr<EnteredWorkload> entered(
      new EnteredWorkload(std::move(plan), options, std::move(handover), door));
  RETURN_IF_ERROR(entered->Clone(door, streams));
  return entered;
}

EnteredWorkload::~EnteredWorkload() {
  held_.Kill();
  // Once it has executed it does not have the page any more.
  handover_.page().go.store(HandoverPage::kEnd);
}

Status EnteredWorkload::Clone(const Door& door, const std::array<int, 3>& streams) {
  ASSIGN_OR_RETURN(const UniqueFd inner, held_.OpenChannel());
  ASSIGN_OR_RETURN(const UniqueFd proc, OpenAt(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
  std::vector<int> namespaces;
  std::ranges::transform(door.namespaces, std::back_inserter(namespaces), &UniqueFd::get);
  if (door.time_namespace >= 0) {
    namespaces.push_back(door.time_namespace);
  }
  const std::vector<int> task_files = door.cgroups.task_files();
  std::vector<int> others = namespaces;
  others.push_back(proc.get());
  if (door.landlock_ruleset >= 0) {
    others.push_back(door.landlock_ruleset);
  }
  others.insert(others.end(), streams.begin(), streams.end());
  HoldContext hold{plan_,
                   execute_,
                   handover_.page(),
                   task_files,
                   inner.get(),
                   door.signal_mask,
                   door.landlock_ruleset,
                   -1,
                   std::string_view(),
                   KeptDescriptors(inner.get(), task_files, others)};
  const EntryContext context{std::move(hold), namespaces, proc.get(), streams};
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (const int folder = door.cgroups.folder_to_clone_into(); folder >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(folder);
  }
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  const int clone_errno = errno;
  if (pid == 0) {
    RunEntry(context);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    return Fail(SystemError(clone_errno, "making a process for the sandbox"));
  }
  held_.SetHolder(UniqueFd(pidfd));
  RETURN_IF_ERROR(door.cgroups.Admit(static_cast<pid_t>(pid)));
  RETURN_IF_ERROR(SetOomScore(static_cast<pid_t>(pid), plan_));
  held_.Proceed();
  return {};
}

}  // namespace cordon
