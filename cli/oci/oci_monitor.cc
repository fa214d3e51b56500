#include "cli/oci/oci_monitor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "cli/oci/oci_left_behind.h"
#include "cli/oci/oci_names.h"
#include "cli/violation_json.h"
#include "common/file.h"
#include "runtime/call_judge.h"
#include "runtime/host_root.h"
#include "runtime/landlock_log.h"
#include "runtime/seccomp_notifier.h"
#include "runtime/setup_channel.h"

namespace cordon::cli {
namespace {

/// What watches over one container.
class Monitor {
 public:
  Monitor(OciMonitoring monitoring, UniqueFd listener, UniqueFd container, UniqueFd ruleset,
          pid_t first)
      : monitoring_(std::move(monitoring)),
        listener_(std::move(listener)),
        container_(std::move(container)),
        ruleset_(std::move(ruleset)),
        judge_([this] { return ReadSeccompOf(monitoring_.bundle); }),
        launched_{first} {
    if (ruleset_.valid()) {
      if (Expected<LandlockLog> log =
              LandlockLog::Open({[this](const Violation& violation) { Write(violation); },
                                 [this](const std::string& warning) { Say(warning); }})) {
        refusals_.emplace(*std::move(log));
        refusals_->NoteLauncher(first);
      }
    }
  }

  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor() = default;

  /// Until the container's first process has ended, and whoever else is under its filters.
  void Run() {
    while (!ended_ || !notifiers_.empty()) {
      HandleOnce();
    }
    if (refusals_) {
      refusals_->Finish();
    }
  }

 private:
  struct Waits {
    std::vector<pollfd> list;

    std::size_t Add(int descriptor) {
      list.push_back({descriptor, POLLIN, 0});
      return list.size() - 1;
    }

    bool Has(std::size_t index) const { return list[index].revents != 0; }
  };

  void HandleOnce();
  void Accept();
  bool Serve(int client);
  bool Notify(SeccompNotifier& notifier, short ready);
  Status AddNotifier(UniqueFd listener, pid_t process);

  void Say(const std::string& message) const {
    AppendLine(monitoring_.folder + "/cordon-monitor.log", monitoring_.name + ": " + message);
  }

  /// Each kind of violation when it first happens, once for each command that was started.
  void Write(const Violation& violation) {
    Violation shown = violation;
    // Not up to the engine.
    const auto first = std::ranges::find_if(
        shown.chain, [this](const ProcessLink& link) { return launched_.contains(link.process); });
    if (first != shown.chain.end()) {
      shown.chain.erase(first + 1, shown.chain.end());
    }
    const std::string line = ViolationJson(shown);
    if (::write(monitoring_.log.get(), line.data(), line.size()) !=
        static_cast<ssize_t>(line.size())) {
      Say("a violation could not be written down: " + shown.call);
    }
  }

  OciMonitoring monitoring_;
  UniqueFd listener_;
  UniqueFd container_;  ///< pidfd of its first process
  UniqueFd ruleset_;
  CallJudge judge_;
  std::set<pid_t> launched_;
  std::optional<LandlockLog> refusals_;  ///< nothing: they are not told
  std::vector<std::unique_ptr<SeccompNotifier>> notifiers_;
  std::vector<UniqueFd> clients_;
  bool ended_ = false;
};

void Monitor::HandleOnce() {
  Waits waits;
  const std::size_t door = waits.Add(listener_.get());
  const std::size_t end = waits.Add(ended_ ? -1 : container_.get());
  const std::size_t audit = waits.Add(refusals_ ? refusals_->fd() : -1);
  const std::size_t first_client = waits.list.size();
  for (const UniqueFd& client : clients_) {
    waits.Add(client.get());
  }
  const std::size_t first_notifier = waits.list.size();
  for (const auto& notifier : notifiers_) {
    waits.Add(notifier->fd());
  }
  if (::poll(waits.list.data(), waits.list.size(), -1) < 0) {
    return;  // a signal
  }
  ended_ = ended_ || waits.Has(end);
  if (refusals_ && waits.Has(audit)) {
    refusals_->Handle();
  }
  for (std::size_t i = notifiers_.size(); i-- > 0;) {
    if (!Notify(*notifiers_[i], waits.list[first_notifier + i].revents)) {
      notifiers_.erase(notifiers_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  for (std::size_t i = clients_.size(); i-- > 0;) {
    if (waits.Has(first_client + i) && !Serve(clients_[i].get())) {
      clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  if (waits.Has(door)) {
    Accept();
  }
}

void Monitor::Accept() {
  UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client.valid()) {
    return;
  }
  const SetupMessage hello{SetupMessageKind::kRuleset, LaunchStep::kNone,
                           monitoring_.reports == PolicyReports::kLive ? 1 : 0, 0};
  const std::array<int, 1> fds{ruleset_.get()};
  const int error = ruleset_.valid() ? SendSetupMessage(client.get(), hello, fds)
                                     : SendSetupMessage(client.get(), hello);
  if (error == 0) {
    clients_.push_back(std::move(client));
  }
}

/// False: the connection is done with.
bool Monitor::Serve(int client) {
  SetupMessage request;
  std::array<int, kMaxSetupFds> fds{};
  if (ReceiveSetupMessage(client, request, fds, MSG_DONTWAIT) != Received::kMessage) {
    return false;
  }
  UniqueFd listener(fds[0]);
  const UniqueFd unexpected(fds[1]);
  if (request.kind != SetupMessageKind::kConfined) {
    return false;
  }
  launched_.insert(request.value);
  if (refusals_) {
    refusals_->NoteLauncher(request.value);
  }
  if (listener.valid()) {
    if (const Status added = AddNotifier(std::move(listener), request.value); !added) {
      Say(added.error().message);
      return false;
    }
  }
  return SendSetupMessage(client, {SetupMessageKind::kGo, LaunchStep::kNone, 0, 0}) == 0;
}

Status Monitor::AddNotifier(UniqueFd listener, pid_t process) {
  auto notifier = std::make_unique<SeccompNotifier>(
      std::move(listener), process, judge_, nullptr,
      SeccompNotifier::Reports{
          .on_violation = [this](const Violation& violation) { Write(violation); },
          .on_audited = {},
          .on_warning = [this](const std::string& warning) { Say(warning); }});
  RETURN_IF_ERROR(notifier->Prepare());
  notifiers_.push_back(std::move(notifier));
  return {};
}

/// False: nobody is under that filter any more, or it cannot be answered for.
bool Monitor::Notify(SeccompNotifier& notifier, short ready) {
  if ((ready & POLLIN) != 0) {
    if (const Status handled = notifier.HandleOne(); !handled) {
      // Without a listener the kernel answers ENOSYS.
      Say(handled.error().message);
      return false;
    }
    return true;
  }
  return (ready & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

std::string FolderOf(const OciCall& call) {
  const char* const variable = std::getenv("CORDON_VIOLATIONS");
  for (const std::string& folder :
       {call.violation_folder, std::string(variable != nullptr ? variable : "")}) {
    if (!folder.empty()) {
      return folder;
    }
  }
  return DefaultViolationFolder();
}

}  // namespace

std::string DefaultViolationFolder() {
  if (IsRootOfHost()) {
    return "/var/log/cordon";
  }
  const char* const state = std::getenv("XDG_STATE_HOME");
  const char* const home = std::getenv("HOME");
  return state != nullptr && state[0] == '/'
             ? std::string(state) + "/cordon"
             : std::string(home != nullptr ? home : "/tmp") + "/.local/state/cordon";
}

Expected<OciMonitoring> PlanMonitoring(const OciCall& call, const OciSpec& spec,
                                       const std::string& id, const OciPolicy& policy,
                                       PolicyReports reports) {
  OciMonitoring monitoring;
  ASSIGN_OR_RETURN(monitoring.folder, PrepareOciFolder(FolderOf(call), "violations"));
  monitoring.name = OciContainerName(spec, id);
  monitoring.reports = reports;
  monitoring.bundle = policy.bundle();
  ASSIGN_OR_RETURN(monitoring.log,
                   OpenAt(AT_FDCWD, monitoring.folder + "/" + monitoring.name + ".violations.jsonl",
                          O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0640));
  return monitoring;
}

Status LeaveMonitor(const OciFolder& folder, OciMonitoring monitoring, pid_t process,
                    UniqueFd ruleset) {
  UniqueFd container(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!container.valid()) {
    const int open_errno = errno;
    return Fail(SystemError(open_errno, "the container's process"));
  }
  ASSIGN_OR_RETURN(UniqueFd listener, folder.ListenForWatched());
  const pid_t monitor = ::fork();
  if (monitor < 0) {
    const int fork_errno = errno;
    return Fail(SystemError(fork_errno, "making the container's monitor"));
  }
  if (monitor == 0) {
    OutliveCaller("cordon-monitor",
                  {listener.get(), container.get(), ruleset.get(), monitoring.log.get()});
    Monitor(std::move(monitoring), std::move(listener), std::move(container), std::move(ruleset),
            process)
        .Run();
    ::_exit(0);
  }
  return {};
}

}  // namespace cordon::cli
