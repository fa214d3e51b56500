#include "cli/oci/oci_learning.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/load_recording.h"
#include "cli/oci/oci_time.h"
#include "cli/oci/oci_tracer_link.h"
#include "common/file.h"
#include "common/text.h"
#include "model/recording_json.h"
#include "runtime/host_root.h"

namespace cordon::cli {
namespace {

std::string Annotation(const OciSpec& spec, const std::string& name) {
  const auto found = spec.annotations.find(name);
  return found == spec.annotations.end() ? std::string() : found->second;
}

/// Docker tells a runtime no name, but mounts files of the container's own folder, which has it.
std::string NameByDocker(const OciSpec& spec) {
  constexpr std::size_t kMost = std::size_t{4} << 20;
  const auto mount = std::ranges::find(spec.mounts, "/etc/hostname", &OciMount::destination);
  if (mount == spec.mounts.end()) {
    return {};
  }
  const std::filesystem::path folder = std::filesystem::path(mount->source).parent_path();
  const Expected<std::string> text = ReadFile((folder / "config.v2.json").string(), kMost);
  if (!text) {
    return {};
  }
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const auto name = json.is_object() ? json.find("Name") : json.end();
  if (!json.is_object() || name == json.end() || !name->is_string()) {
    return {};
  }
  const std::string value = name->get<std::string>();
  return value.starts_with('/') ? value.substr(1) : value;
}

std::string NameOf(const OciSpec& spec, const std::string& id) {
  for (const std::string& name :
       {Annotation(spec, "dev.cordon.name"), Annotation(spec, "io.kubernetes.cri.container-name"),
        Annotation(spec, "io.kubernetes.cri-o.ContainerName"), Annotation(spec, "nerdctl/name"),
        NameByDocker(spec)}) {
    // As strict as with ids: it becomes the name of a file.
    if (!name.empty() && !name.starts_with('.') && CheckContainerId(name)) {
      return name;
    }
  }
  return id;
}

std::string FolderOf(const OciCall& call, const OciSpec& spec) {
  const char* const variable = std::getenv("CORDON_RECORDINGS");
  for (const std::string& folder : {Annotation(spec, "dev.cordon.recordings"), call.learn_folder,
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
  const std::string path = learning.folder + "/cordon-learn.log";
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  const std::string line = fmt::format("{} {}: {}\n", UtcNow(), learning.name, message);
  (void)!::write(file.get(), line.data(), line.size());
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
  (void)::setsid();
  (void)::prctl(PR_SET_NAME, "cordon-tracer");
  (void)!::chdir("/");
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; null >= 0 && stream <= STDERR_FILENO; ++stream) {
    (void)::dup2(null, stream);
  }
  std::array<unsigned, 2> kept{static_cast<unsigned>(listener.get()),
                               static_cast<unsigned>(container.get())};
  std::ranges::sort(kept);
  unsigned first = STDERR_FILENO + 1;
  for (const unsigned one : kept) {
    if (one > first) {
      (void)::syscall(SYS_close_range, first, one - 1, 0);
    }
    first = one + 1;
  }
  (void)::syscall(SYS_close_range, first, ~0U, 0);
  (void)::signal(SIGIO, SIG_IGN);  // until it listens to signals
  sigset_t none;
  ::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
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
  learning.folder = FolderOf(call, spec);
  if (!learning.folder.starts_with('/')) {
    return Fail(InvalidInput("the folder for recordings, " + Quote(learning.folder) +
                             ", is no absolute path"));
  }
  std::error_code error;
  std::filesystem::create_directories(learning.folder, error);
  if (error) {
    return Fail(SystemError(error.value(), "the folder for recordings, " + Quote(learning.folder)));
  }
  learning.name = NameOf(spec, id);
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
