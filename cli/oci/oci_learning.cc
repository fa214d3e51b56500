#include "cli/oci/oci_learning.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "cli/load_recording.h"
#include "cli/oci/oci_left_behind.h"
#include "cli/oci/oci_names.h"
#include "cli/oci/oci_tracer_link.h"
#include "common/file.h"
#include "model/recording_json.h"
#include "runtime/host_root.h"

namespace cordon::cli {
namespace {

std::string FolderOf(const OciCall& call, const OciSpec& spec) {
  const char* const variable = std::getenv("CORDON_RECORDINGS");
  for (const std::string& folder : {OciAnnotation(spec, "dev.cordon.recordings"), call.learn_folder,
                                    std::string(variable != nullptr ? variable : "")}) {
    if (!folder.empty()) {
      return folder;
    }
  }
  return DefaultRecordingFolder();
}

std::map<std::string, std::string> BindsOf(const OciSpec& spec) {
  std::map<std::string, std::string> binds;
  for (const OciMount& mount : spec.mounts) {
    const bool is_bind = mount.type == "bind" || std::ranges::any_of(mount.options, [](auto& one) {
                           return one == "bind" || one == "rbind";
                         });
    if (is_bind) {
      binds[mount.destination] = mount.source;
    }
  }
  return binds;
}

/// Where processes of the container come to be traced.
class SocketGate final : public ProcessGate {
 public:
  SocketGate(UniqueFd listener, UniqueFd container, TracerHello hello)
      : listener_(std::move(listener)), container_(std::move(container)), hello_(hello) {
    TellOf(listener_.get());
  }

  bool Await() override {
    while (true) {
      std::vector<pollfd> waits{{container_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
      for (const UniqueFd& connection : connections_) {
        waits.push_back({connection.get(), POLLIN, 0});
      }
      if (::poll(waits.data(), waits.size(), -1) < 0) {
        continue;  // a signal
      }
      if (waits[0].revents != 0) {
        return false;
      }
      Accept();
      for (std::size_t i = connections_.size(); i-- > 0;) {
        char byte = 0;
        const ssize_t length =
            ::recv(connections_[i].get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC);
        if (length > 0) {
          return true;
        }
        Drop(i, length);
      }
    }
  }

  std::optional<pid_t> Next() override {
    Accept();
    for (std::size_t i = connections_.size(); i-- > 0;) {
      TraceRequest request;
      const ssize_t length = ::recv(connections_[i].get(), &request, sizeof request, MSG_DONTWAIT);
      if (length == sizeof request) {
        current_ = connections_[i].get();
        return request.process;
      }
      Drop(i, length);
    }
    return std::nullopt;
  }

  void Answer(const Status& seized) override {
    const TraceAnswer answer{seized ? 0 : std::max(seized.error().sys_errno, 1)};
    (void)::send(current_, &answer, sizeof answer, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

 private:
  /// SIGIO when there is something to read, so that a wait for traced tasks comes back.
  static void TellOf(int socket) {
    (void)::fcntl(socket, F_SETOWN, ::getpid());
    (void)::fcntl(socket, F_SETFL, O_NONBLOCK | O_ASYNC);
  }

  void Accept() {
    int socket = -1;
    while ((socket = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
      TellOf(socket);
      (void)::send(socket, &hello_, sizeof hello_, MSG_NOSIGNAL | MSG_DONTWAIT);
      connections_.emplace_back(socket);
    }
  }

  /// What is closed, or was sent what is no request.
  void Drop(std::size_t index, ssize_t length) {
    if (length >= 0 || (errno != EAGAIN && errno != EINTR)) {
      connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(index));
    }
  }

  UniqueFd listener_;
  UniqueFd container_;  ///< pidfd of its first process
  TracerHello hello_;
  std::vector<UniqueFd> connections_;
  int current_ = -1;
};

void Log(const OciLearning& learning, const std::string& message) {
  AppendLine(learning.folder + "/cordon-learn.log", learning.name + ": " + message);
}

/// Adds `recording` to what earlier containers of that name left.
Status Save(const OciLearning& learning, Recording recording) {
  const std::string path = fmt::format("{}/{}.recording.json", learning.folder, learning.name);
  // Two containers of one name, of two engines.
  ASSIGN_OR_RETURN(const UniqueFd lock,
                   OpenAt(AT_FDCWD, learning.folder + "/.lock", O_RDWR | O_CREAT, 0644));
  while (::flock(lock.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  if (::access(path.c_str(), F_OK) == 0) {
    ASSIGN_OR_RETURN(const Recording before, LoadRecording(path));
    recording.Merge(before);
  }
  return WriteFileAtomically(path, WriteRecording(recording));
}

Status Trace(const OciLearning& learning, SocketGate& gate) {
  ASSIGN_OR_RETURN(const LearningRun run, RecordContainer(learning.record, gate));
  return std::holds_alternative<NotExecuted>(run.outcome) ? Status()
                                                          : Save(learning, run.recording);
}

/// Takes over the process: nothing of the caller's stays open, nothing of it is waited for.
[[noreturn]] void BecomeTracer(const OciLearning& learning, UniqueFd listener, UniqueFd container) {
  OutliveCaller("cordon-tracer", {listener.get(), container.get()});
  SocketGate gate(std::move(listener), std::move(container),
                  {learning.record.tier, learning.record.window.address});
  if (const Status traced = Trace(learning, gate); !traced) {
    Log(learning, traced.error().message);
  }
  ::_exit(0);
}

}  // namespace

std::string DefaultRecordingFolder() {
  if (IsRootOfHost()) {
    return "/var/lib/cordon/recordings";
  }
  const char* const data = std::getenv("XDG_DATA_HOME");
  const char* const home = std::getenv("HOME");
  return data != nullptr && data[0] == '/'
             ? std::string(data) + "/cordon/recordings"
             : std::string(home != nullptr ? home : "/tmp") + "/.local/share/cordon/recordings";
}

Expected<std::optional<OciLearning>> PlanLearning(const OciCall& call, const OciSpec& spec,
                                                  const std::string& id, OciFilter& filter) {
  if (!call.learns || !spec.process) {
    return std::optional<OciLearning>();
  }
  OciLearning learning;
  ASSIGN_OR_RETURN(learning.folder, PrepareOciFolder(FolderOf(call, spec), "recordings"));
  learning.name = OciContainerName(spec, id);
  ContainerRecordOptions& record = learning.record;
  record.command = spec.process->arguments;
  record.binds = BindsOf(spec);
  record.tier = TierFor(filter);
  record.window = StubWindow::Choose();
  record.filtered = !filter.program.empty();
  record.profile = OpenToTracer(record.tier, record.window, filter);
  return std::optional(std::move(learning));
}

Status LeaveTracer(const OciFolder& folder, OciLearning learning, pid_t process) {
  learning.record.root = process;
  UniqueFd container(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!container.valid()) {
    const int open_errno = errno;
    return Fail(SystemError(open_errno, "the container's process"));
  }
  ASSIGN_OR_RETURN(UniqueFd listener, folder.ListenForTraced());
  const pid_t tracer = ::fork();
  if (tracer < 0) {
    const int fork_errno = errno;
    return Fail(SystemError(fork_errno, "making the container's tracer"));
  }
  if (tracer == 0) {
    BecomeTracer(learning, std::move(listener), std::move(container));
  }
  return {};
}

}  // namespace cordon::cli
