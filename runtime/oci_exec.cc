#include "runtime/oci_exec.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "common/file.h"
#include "runtime/launch_actions.h"
#include "runtime/oci_create.h"
#include "runtime/oci_init.h"
#include "runtime/oci_page.h"
#include "runtime/oci_sources.h"
#include "runtime/oci_start.h"
#include "runtime/oci_tree.h"
#include "runtime/setup_channel.h"
#include "runtime/terminal_actions.h"

namespace cordon {
namespace {

/// What was laid out before the clone.
struct EnterContext {
  const OciConfinement& confinement;
  HandoverPage& page;
  int runtime = -1;
  int container = -1;
  int namespaces = 0;  ///< CLONE_NEW* to enter
  std::vector<int> task_files;
  std::vector<int> kept;  ///< of the runtime's descriptors, ascending
};

StepResult TakeOwnTerminal(const EnterContext& context) {
  int master = -1;
  int slave = -1;
  if (context.confinement.plan.terminal) {
    const int root = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (const StepResult result = OpenMultiplexer(root, "/dev/pts/ptmx", master); !result.ok()) {
      return result;
    }
    (void)::close(root);
    const std::array<int, 1> made{master};
    if (SendSetupMessage(context.runtime, {SetupMessageKind::kTerminal, LaunchStep::kNone, 0, 0},
                         made) != 0) {
      return {LaunchStep::kTerminal, EPIPE, 0};
    }
  }
  return TakeTerminal(context.confinement.plan, master, slave);
}

[[noreturn]] void RunEntered(const EnterContext& context) {
  const auto require = [&](const StepResult& result) {
    if (!result.ok()) {
      ReportOciFailure(context.runtime, result);
    }
  };
  if ((context.namespaces & CLONE_NEWUSER) != 0) {
    require(BecomeRootInside(context.confinement.may_set_groups));
  }
  require(TakeOwnTerminal(context));
  require(ConfineOciProcess(context.confinement));
  const auto [first, second] = std::minmax({context.runtime, context.confinement.landlock_ruleset});
  CloseOthers(3 + context.confinement.plan.preserved_fds, std::array{first, second});
  if (SendSetupMessage(context.runtime, {SetupMessageKind::kCreated, LaunchStep::kNone, 0, 0}) !=
      0) {
    ::_exit(125);
  }
  AwaitOci(context.runtime, SetupMessageKind::kGo);
  (void)::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  ExecuteOciProcess(context.confinement, context.page);
}

/// Enters everything, and makes the process from there, as a child of the runtime.
[[noreturn]] void RunEnterer(const EnterContext& context) {
  const auto fail = [&](LaunchStep step) { ReportOciFailure(context.runtime, Failed(step)); };
  CloseOthers(3 + context.confinement.plan.preserved_fds, context.kept);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    fail(LaunchStep::kEnterNamespace);
  }
  // Before anything inside can see it: it is a copy of the runtime (CVE-2019-5736).
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  for (const int file : context.task_files) {
    if (::write(file, "0", 1) != 1) {
      fail(LaunchStep::kJoinCgroup);
    }
  }
  // All at once, each checked against the container's own user namespace (setns(2), Linux 5.8).
  if (::setns(context.container, context.namespaces) != 0) {
    fail(LaunchStep::kEnterNamespace);
  }
  clone_args arguments{};
  arguments.flags = CLONE_PARENT;
  const auto child = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (child == 0) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    AwaitOci(context.runtime, SetupMessageKind::kProceed);
    RunEntered(context);
  }
  if (child < 0) {
    fail(LaunchStep::kCloneWorkload);
  }
  (void)SendSetupMessage(context.runtime,
                         {SetupMessageKind::kNote, LaunchStep::kCloneWorkload, child, 0});
  ::_exit(0);
}

/// The namespaces of `record` that are not the caller's own: a user namespace cannot be entered
/// twice.
Expected<int> NamespacesToEnter(const OciRecord& record) {
  constexpr std::array<std::pair<const char*, int>, 8> kKinds{{{"user", CLONE_NEWUSER},
                                                               {"mnt", CLONE_NEWNS},
                                                               {"pid", CLONE_NEWPID},
                                                               {"uts", CLONE_NEWUTS},
                                                               {"ipc", CLONE_NEWIPC},
                                                               {"net", CLONE_NEWNET},
                                                               {"cgroup", CLONE_NEWCGROUP},
                                                               {"time", CLONE_NEWTIME}}};
  int flags = 0;
  for (const auto& [name, flag] : kKinds) {
    struct stat own{};
    struct stat theirs{};
    if (::stat(fmt::format("/proc/self/ns/{}", name).c_str(), &own) != 0) {
      continue;  // a kernel without them
    }
    const std::string path = fmt::format("/proc/{}/ns/{}", record.pid, name);
    if (::stat(path.c_str(), &theirs) != 0) {
      const int stat_errno = errno;
      return Fail(SystemError(stat_errno, path));
    }
    if (own.st_ino != theirs.st_ino || own.st_dev != theirs.st_dev) {
      flags |= flag;
    }
  }
  return flags;
}

void Reap(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// The runtime's side.
class Entering {
 public:
  Entering(const OciExecution& execution, UniqueFd channel)
      : execution_(execution), channel_(std::move(channel)) {}

  Entering(const Entering&) = delete;
  Entering& operator=(const Entering&) = delete;

  ~Entering() {
    if (pid_ > 0) {
      (void)::kill(pid_, SIGKILL);
      Reap(pid_);
    }
  }

  /// `cgroup_folder`: of v2; -1: none.
  Expected<pid_t> Run(const EnterContext& context, UniqueFd theirs, int cgroup_folder);

 private:
  Expected<SetupMessage> Receive(std::array<UniqueFd, kMaxSetupFds>& fds);
  Status Confine();

  const OciExecution& execution_;
  UniqueFd channel_;
  pid_t pid_ = -1;
};

Expected<SetupMessage> Entering::Receive(std::array<UniqueFd, kMaxSetupFds>& fds) {
  SetupMessage message;
  std::array<int, kMaxSetupFds> numbers{};
  const Received received = ReceiveSetupMessage(channel_.get(), message, numbers);
  for (std::size_t i = 0; i < fds.size(); ++i) {
    fds.at(i).Reset(numbers.at(i));
  }
  if (received != Received::kMessage) {
    return Fail(MakeError(ErrorCode::kSystem, "the process ended before it was ready"));
  }
  if (message.kind == SetupMessageKind::kFailed) {
    return Fail(
        DescribeOciProcessFailure(execution_.plan, {message.step, message.value, message.index}));
  }
  return message;
}

Status Entering::Confine() {
  std::array<UniqueFd, kMaxSetupFds> fds;
  while (true) {
    ASSIGN_OR_RETURN(const SetupMessage message, Receive(fds));
    if (message.kind == SetupMessageKind::kTerminal) {
      RETURN_IF_ERROR(execution_.take_terminal(std::move(fds[0])));
    }
    if (message.kind == SetupMessageKind::kCreated) {
      return {};
    }
  }
}

Expected<pid_t> Entering::Run(const EnterContext& context, UniqueFd theirs, int cgroup_folder) {
  clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  // From out here: where cgroup2 is mounted with nsdelegate, nobody may be moved into a cgroup
  // namespace from within it (cgroup_css_set_fork() in kernel/cgroup/cgroup.c).
  if (cgroup_folder >= 0) {
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup_folder);
  }
  const auto enterer = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (enterer < 0) {
    const int clone_errno = errno;
    return Fail(SystemError(clone_errno, "making a process"));
  }
  if (enterer == 0) {
    RunEnterer(context);
  }
  theirs.Reset();
  pid_ = enterer;
  std::array<UniqueFd, kMaxSetupFds> fds;
  ASSIGN_OR_RETURN(const SetupMessage note, Receive(fds));
  Reap(enterer);
  pid_ = note.value;
  if (execution_.plan.oom_score_adj) {
    RETURN_IF_ERROR(WriteOomScore(pid_, *execution_.plan.oom_score_adj));
  }
  (void)SendSetupMessage(channel_.get(), {SetupMessageKind::kProceed, LaunchStep::kNone, 0, 0});
  RETURN_IF_ERROR(Confine());
  RETURN_IF_ERROR(SetRlimitsOf(pid_, execution_.plan.rlimits));
  RETURN_IF_ERROR(execution_.take_pid(pid_));
  (void)SendSetupMessage(channel_.get(), {SetupMessageKind::kGo, LaunchStep::kNone, 0, 0});
  RETURN_IF_ERROR(AwaitOciExecution(channel_.get(), context.page, execution_.plan,
                                    execution_.take_listener, pid_));
  return std::exchange(pid_, -1);
}

}  // namespace

Expected<pid_t> ExecuteInOciContainer(const OciExecution& execution) {
  ASSIGN_OR_RETURN(const OciPage page, OciPage::Create());
  ASSIGN_OR_RETURN(const UniqueFd proc, OpenHostProc());
  ASSIGN_OR_RETURN(const std::vector<UniqueFd> task_files, execution.cgroups.OpenTaskFiles());
  ASSIGN_OR_RETURN(const UniqueFd cgroup_folder, execution.cgroups.OpenV2Folder());
  ASSIGN_OR_RETURN(const int namespaces, NamespacesToEnter(execution.record));
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    const int pair_errno = errno;
    return Fail(SystemError(pair_errno, "socketpair"));
  }
  UniqueFd theirs(ends[1]);
  OciArguments arguments(execution.plan);
  // A user namespace whose maps an ordinary user wrote has given setgroups(2) up.
  const Expected<std::string> set_groups =
      ReadFile(fmt::format("/proc/{}/setgroups", execution.record.pid), 64);
  const OciConfinement confinement{execution.plan,
                                   execution.filter,
                                   arguments,
                                   proc.get(),
                                   !set_groups || set_groups->starts_with("allow"),
                                   execution.landlock_ruleset};
  EnterContext context{
      .confinement = confinement,
      .page = page.page(),
      .runtime = theirs.get(),
      .container = execution.container,
      .namespaces = namespaces,
      .task_files = {},
      .kept = {theirs.get(), proc.get(), execution.container, execution.landlock_ruleset}};
  for (const UniqueFd& file : task_files) {
    context.task_files.push_back(file.get());
    context.kept.push_back(file.get());
  }
  std::erase(context.kept, -1);
  std::ranges::sort(context.kept);
  return Entering(execution, UniqueFd(ends[0]))
      .Run(context, std::move(theirs), cgroup_folder.get());
}

}  // namespace cordon
