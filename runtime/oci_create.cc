#include "runtime/oci_create.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/file.h"
#include "common/text.h"
#include "runtime/oci_folder.h"
#include "runtime/oci_init.h"
#include "runtime/oci_page.h"
#include "runtime/oci_sources.h"

namespace cordon {
namespace {

std::vector<int> Numbers(const std::vector<UniqueFd>& files) {
  std::vector<int> numbers;
  numbers.reserve(files.size());
  for (const UniqueFd& file : files) {
    numbers.push_back(file.get());
  }
  return numbers;
}

OciTreeSources TreeSources(const OciSources& sources) {
  return {.root = sources.root.get(),
          .mounts = Numbers(sources.mounts),
          .devices = Numbers(sources.devices),
          .proc = sources.proc.get()};
}

std::vector<int> Kept(const OciInitContext& context) {
  std::vector<int> kept{context.sources.root, context.sources.proc, context.page_file,
                        context.runtime,      context.listener,     context.cgroup_folder};
  for (const std::vector<int>* list :
       {&context.sources.mounts, &context.sources.devices, &context.joined, &context.task_files}) {
    kept.insert(kept.end(), list->begin(), list->end());
  }
  std::erase(kept, -1);
  std::ranges::sort(kept);
  return kept;
}

std::vector<int> KeptForStart(const OciInitContext& context) {
  std::vector<int> kept{context.page_file, context.runtime, context.listener};
  std::erase(kept, -1);
  std::ranges::sort(kept);
  return kept;
}

void Reap(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Status WriteProcFile(pid_t pid, const char* file, const std::string& text) {
  const std::string path = fmt::format("/proc/{}/{}", pid, file);
  ASSIGN_OR_RETURN(const UniqueFd opened, OpenAt(AT_FDCWD, path, O_WRONLY));
  if (::write(opened.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, path + ": " + Quote(text)));
  }
  return {};
}

Status WriteMaps(pid_t pid, const OciContainerPlan& plan) {
  if (plan.uid_map.empty()) {
    return {};
  }
  RETURN_IF_ERROR(WriteProcFile(pid, "uid_map", plan.uid_map));
  return WriteProcFile(pid, "gid_map", plan.gid_map);
}

/// The processes between the first clone and kCreated, as the runtime sees them.
class Making {
 public:
  Making(const OciCreation& creation, UniqueFd channel)
      : creation_(creation), channel_(std::move(channel)) {}

  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;

  ~Making() {
    if (pid_ > 0) {
      (void)::kill(pid_, SIGKILL);
      Reap(pid_);
    }
  }

  /// Clones the container's process, or the one that joins namespaces and does so.
  Status Clone(const OciInitContext& context);
  /// Until the container is complete.
  Status Serve(OciRecord& record);

  pid_t Release() { return std::exchange(pid_, -1); }

  UniqueFd TakeChannel() { return std::move(channel_); }

 private:
  Expected<SetupMessage> Receive(std::array<int, kMaxSetupFds>& fds);
  Status Send(SetupMessageKind kind);

  const OciCreation& creation_;
  UniqueFd channel_;
  pid_t pid_ = -1;
};

Status Making::Clone(const OciInitContext& context) {
  const bool joins = !context.joined.empty() || !context.plan.time_offsets.empty();
  clone_args plain{};
  plain.exit_signal = SIGCHLD;
  const auto child = joins ? static_cast<pid_t>(::syscall(SYS_clone3, &plain, sizeof plain))
                           : CloneOciInit(context, 0);
  if (child < 0) {
    const int clone_errno = errno;
    return Fail(SystemError(clone_errno, "making the container's process"));
  }
  if (child == 0) {
    if (joins) {
      RunOciJoiner(context);
    }
    RunOciInit(context);
  }
  pid_ = child;
  return {};
}

Status Making::Send(SetupMessageKind kind) {
  if (const int error = SendSetupMessage(channel_.get(), {kind, LaunchStep::kNone, 0, 0});
      error != 0 && error != EPIPE) {
    return Fail(SystemError(error, "the container's channel"));
  }
  return {};  // one that is gone has said why, or is missed when it should say something
}

Expected<SetupMessage> Making::Receive(std::array<int, kMaxSetupFds>& fds) {
  SetupMessage message;
  switch (ReceiveSetupMessage(channel_.get(), message, fds)) {
    case Received::kMessage:
      break;
    case Received::kClosed:
      return Fail(MakeError(ErrorCode::kSystem, "the container's process ended unexpectedly"));
    default:
      return Fail(SystemError(EIO, "the container's channel"));
  }
  if (message.kind == SetupMessageKind::kFailed) {
    return Fail(DescribeOciFailure(creation_.plan, message));
  }
  return message;
}

Status Making::Serve(OciRecord& record) {
  const OciContainerPlan& plan = creation_.plan;
  std::array<int, kMaxSetupFds> fds{};
  if (!plan.joined.empty() || !plan.time_offsets.empty()) {
    ASSIGN_OR_RETURN(const SetupMessage note, Receive(fds));
    Reap(pid_);
    pid_ = note.value;
  }
  RETURN_IF_ERROR(WriteMaps(pid_, plan));
  if (plan.process.oom_score_adj) {
    RETURN_IF_ERROR(WriteOomScore(pid_, *plan.process.oom_score_adj));
  }
  record.pid = pid_;
  record.start_time = StartTimeOf(pid_).value_or(0);
  RETURN_IF_ERROR(creation_.take_record(record));
  RETURN_IF_ERROR(Send(SetupMessageKind::kProceed));
  while (true) {
    ASSIGN_OR_RETURN(const SetupMessage message, Receive(fds));
    std::array<UniqueFd, kMaxSetupFds> owned{UniqueFd(fds[0]), UniqueFd(fds[1])};
    if (message.kind == SetupMessageKind::kCreated) {
      return {};
    }
    if (message.kind == SetupMessageKind::kTerminal) {
      RETURN_IF_ERROR(creation_.take_terminal(std::move(owned[0])));
    }
    if (message.kind == SetupMessageKind::kRuleset) {
      creation_.take_ruleset(std::move(owned[0]));
    }
    if (message.kind == SetupMessageKind::kHooks) {
      const OciHooks& hooks = creation_.spec.hooks;
      RETURN_IF_ERROR(RunOciHooks(hooks.prestart, "prestart", record, OciStatus::kCreating));
      RETURN_IF_ERROR(
          RunOciHooks(hooks.create_runtime, "createRuntime", record, OciStatus::kCreating));
      RETURN_IF_ERROR(Send(SetupMessageKind::kProceed));
    }
  }
}

/// The end of what a hook said, for a message.
std::string LastWords(int file) {
  std::array<char, 1024> text{};
  const off_t size = ::lseek(file, 0, SEEK_END);
  const off_t from = std::max<off_t>(0, size - static_cast<off_t>(text.size()));
  const ssize_t length = ::pread(file, text.data(), text.size(), from);
  std::string words(text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  while (words.ends_with('\n')) {
    words.pop_back();
  }
  return words.empty() ? words : ": " + ToUtf8(words);
}

}  // namespace

Status WriteOomScore(pid_t pid, int score) {
  const std::string path = fmt::format("/proc/{}/oom_score_adj", pid);
  // What it is already needs no privilege.
  if (const Expected<std::string> now = ReadFile(path, 64);
      now && *now == std::to_string(score) + "\n") {
    return {};
  }
  const Status written = WriteProcFile(pid, "oom_score_adj", std::to_string(score));
  return written ? written : Fail(written.error().WithContext("process.oomScoreAdj"));
}

Status RunOciHooks(const std::vector<OciHook>& hooks, std::string_view kind,
                   const OciRecord& record, OciStatus status) {
  if (hooks.empty()) {
    return {};
  }
  const OciHookState state = SplitOciState(WriteOciState(record, status));
  const pid_t pid = status == OciStatus::kStopped ? 0 : record.pid;
  for (const OciHook& hook : hooks) {
    const UniqueFd errors(::memfd_create("hook", MFD_CLOEXEC));
    const int error = RunOciHook(OciHookCall(hook), state, pid, errors.get());
    if (error == 0) {
      continue;
    }
    const std::string name = fmt::format("{} hook {}", kind, Quote(hook.path));
    if (error == ECHILD) {
      return Fail(MakeError(ErrorCode::kSystem, name + " failed" + LastWords(errors.get())));
    }
    return Fail(error == ETIME ? MakeError(ErrorCode::kSystem,
                                           fmt::format("{} took longer than {} s and was killed",
                                                       name, hook.timeout_seconds.value_or(0)))
                               : SystemError(error, name));
  }
  return {};
}

CreatedContainer::CreatedContainer(CreatedContainer&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), channel_(std::move(other.channel_)) {}

CreatedContainer::~CreatedContainer() {
  if (pid_ > 0) {
    (void)::kill(pid_, SIGKILL);
    Reap(pid_);
  }
}

Status CreatedContainer::Release() {
  if (const int error =
          SendSetupMessage(channel_.get(), {SetupMessageKind::kGo, LaunchStep::kNone, 0, 0});
      error != 0) {
    return Fail(SystemError(error, "the container's process"));
  }
  // It closes its end once the caller's death is nothing to it any more.
  SetupMessage message;
  std::array<int, kMaxSetupFds> fds{};
  if (ReceiveSetupMessage(channel_.get(), message, fds) != Received::kClosed) {
    return Fail(MakeError(ErrorCode::kInternal, "the container's process went on talking"));
  }
  pid_ = -1;
  return {};
}

Expected<CreatedContainer> CreateOciContainer(OciCreation creation) {
  const OciContainerPlan& plan = creation.plan;
  ASSIGN_OR_RETURN(const OciSources sources, OpenOciSources(plan));
  ASSIGN_OR_RETURN(const OciPage page, OciPage::Create());
  ASSIGN_OR_RETURN(const std::vector<UniqueFd> task_files, creation.cgroups.OpenTaskFiles());
  ASSIGN_OR_RETURN(const UniqueFd cgroup_folder, creation.cgroups.OpenV2Folder());
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    const int pair_errno = errno;
    return Fail(SystemError(pair_errno, "socketpair"));
  }
  Making making(creation, UniqueFd(ends[0]));
  UniqueFd theirs(ends[1]);
  const OciTreeSources tree = TreeSources(sources);
  OciArguments arguments(plan.process);
  const OciConfinement confinement{plan.process,       creation.filter,     arguments,
                                   sources.proc.get(), plan.may_set_groups, -1};
  const std::vector<OciHookCall> create_hooks = OciHookCalls(creation.spec.hooks.create_container);
  const std::vector<OciHookCall> start_hooks = OciHookCalls(creation.spec.hooks.start_container);
  const OciHookState creating = SplitOciState(WriteOciState(creation.record, OciStatus::kCreating));
  const OciHookState created = SplitOciState(WriteOciState(creation.record, OciStatus::kCreated));
  OciInitContext context{.plan = plan,
                         .sources = tree,
                         .confinement = confinement,
                         .page = page.page(),
                         .page_file = page.file(),
                         .runtime = theirs.get(),
                         .listener = creation.start_listener,
                         .joined = Numbers(sources.joined),
                         .joined_flags = {},
                         .task_files = Numbers(task_files),
                         .cgroup_folder = cgroup_folder.get(),
                         .create_hooks = create_hooks,
                         .start_hooks = start_hooks,
                         .creating = creating,
                         .created = created,
                         .becomes_root = plan.HasNew(CLONE_NEWUSER),
                         .kept = {},
                         .kept_for_start = {}};
  for (const OciJoinedNamespace& space : plan.joined) {
    context.joined_flags.push_back(space.flag);
    context.becomes_root = context.becomes_root || space.flag == CLONE_NEWUSER;
  }
  context.kept = Kept(context);
  context.kept_for_start = KeptForStart(context);
  RETURN_IF_ERROR(making.Clone(context));
  theirs.Reset();
  OciRecord record = creation.record;
  RETURN_IF_ERROR(making.Serve(record));
  return CreatedContainer(making.Release(), making.TakeChannel());
}

}  // namespace cordon
