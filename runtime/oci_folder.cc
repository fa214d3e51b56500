#include "runtime/oci_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "common/file.h"
#include "common/text.h"
#include "model/oci_spec_json.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxId = 1024;
constexpr std::size_t kMaxRecord = std::size_t{16} << 20;
constexpr const char* kRecord = "/record.json";
constexpr const char* kConfig = "/config.json";
constexpr const char* kStart = "/start";
constexpr const char* kStartLater = "/start.new";
constexpr const char* kTracer = "/tracer";
constexpr const char* kMonitor = "/monitor";
constexpr const char* kPolicy = "/policy";
constexpr const char* kLock = "/lock";

/// A socket's name reached through a descriptor: engines' folders are longer than an address may
/// be (unix(7)).
sockaddr_un SocketAddress(int folder, const char* name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}{}", folder, name);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Expected<UniqueFd> MakeSocket() {
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    const int socket_errno = errno;
    return Fail(SystemError(socket_errno, "socket"));
  }
  return socket;
}

Expected<UniqueFd> TakeLock(const std::string& path) {
  ASSIGN_OR_RETURN(UniqueFd lock,
                   OpenAt(AT_FDCWD, path + kLock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  while (::flock(lock.get(), LOCK_EX) != 0) {
    const int flock_errno = errno;
    if (flock_errno != EINTR) {
      return Fail(SystemError(flock_errno, path + kLock));
    }
  }
  return lock;
}

Error Missing(const std::string& id) {
  return MakeError(ErrorCode::kNotFound, "container " + Quote(id, kMaxId) + " does not exist");
}

}  // namespace

Status CheckContainerId(std::string_view id) {
  const bool is_good = !id.empty() && id.size() <= kMaxId && id != "." && id != ".." &&
                       std::ranges::all_of(id, [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' ||
                                c == '.';
                       });
  if (is_good) {
    return {};
  }
  return Fail(InvalidInput(
      fmt::format("{} is no id of a container: at most {} letters, digits, '_', '+', '-' and '.'",
                  Quote(id, 100), kMaxId)));
}

Expected<OciFolder> OciFolder::Create(const std::string& root, const std::string& id) {
  RETURN_IF_ERROR(CheckContainerId(id));
  std::error_code error;
  std::filesystem::create_directories(root, error);
  OciFolder folder(root + "/" + id);
  if (::mkdir(folder.path_.c_str(), 0711) != 0) {
    const int mkdir_errno = errno;
    if (mkdir_errno == EEXIST) {
      return Fail(InvalidInput("a container with the id " + Quote(id) + " exists already"));
    }
    return Fail(SystemError(mkdir_errno, folder.path_));
  }
  Expected<UniqueFd> lock = TakeLock(folder.path_);
  if (!lock) {
    (void)folder.Remove();
    return Fail(lock.error());
  }
  folder.lock_ = *std::move(lock);
  return folder;
}

Expected<OciFolder> OciFolder::Look(const std::string& root, const std::string& id) {
  RETURN_IF_ERROR(CheckContainerId(id));
  OciFolder folder(root + "/" + id);
  struct stat status{};
  if (::lstat(folder.path_.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return Fail(Missing(id));
  }
  return folder;
}

Expected<OciFolder> OciFolder::Open(const std::string& root, const std::string& id) {
  ASSIGN_OR_RETURN(OciFolder folder, Look(root, id));
  Expected<UniqueFd> lock = TakeLock(folder.path_);
  if (!lock) {
    return Fail(lock.error().code == ErrorCode::kNotFound ? Missing(id) : lock.error());
  }
  folder.lock_ = *std::move(lock);
  // Who had the lock before may have removed it all.
  struct stat locked{};
  if (::fstat(folder.lock_.get(), &locked) != 0 || locked.st_nlink == 0) {
    return Fail(Missing(id));
  }
  return folder;
}

Status OciFolder::WriteConfig(std::string_view config) const {
  return WriteFileAtomically(path_ + kConfig, config, 0600);
}

Expected<std::string> OciFolder::ReadConfig() const {
  return ReadFile(path_ + kConfig, kMaxOciSpecBytes);
}

Status OciFolder::WriteRecord(const OciRecord& record) const {
  return WriteFileAtomically(path_ + kRecord, WriteOciRecord(record), 0600);
}

Expected<std::optional<OciRecord>> OciFolder::LoadRecord() const {
  const Expected<std::string> text = ReadFile(path_ + kRecord, kMaxRecord);
  if (!text) {
    if (text.error().code == ErrorCode::kNotFound) {
      return std::optional<OciRecord>();
    }
    return Fail(text.error());
  }
  ASSIGN_OR_RETURN(OciRecord record, ReadOciRecord(*text, path_ + kRecord));
  return std::optional(std::move(record));
}

Expected<UniqueFd> OciFolder::ListenAt(const char* name) const {
  ASSIGN_OR_RETURN(const UniqueFd folder, OpenAt(AT_FDCWD, path_, O_PATH | O_DIRECTORY));
  const sockaddr_un address = SocketAddress(folder.get(), name);
  ASSIGN_OR_RETURN(UniqueFd socket, MakeSocket());
  constexpr int kWaiting = 16;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod((path_ + name).c_str(), 0600) != 0 || ::listen(socket.get(), kWaiting) != 0) {
    const int bind_errno = errno;
    return Fail(SystemError(bind_errno, path_ + name));
  }
  return socket;
}

Expected<UniqueFd> OciFolder::ConnectTo(const char* name, const char* missing) const {
  ASSIGN_OR_RETURN(const UniqueFd folder, OpenAt(AT_FDCWD, path_, O_PATH | O_DIRECTORY));
  const sockaddr_un address = SocketAddress(folder.get(), name);
  ASSIGN_OR_RETURN(UniqueFd socket, MakeSocket());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int connect_errno = errno;
    if (connect_errno == ENOENT || connect_errno == ECONNREFUSED) {
      return Fail(MakeError(ErrorCode::kNotFound, missing));
    }
    return Fail(SystemError(connect_errno, path_ + name));
  }
  return socket;
}

Expected<UniqueFd> OciFolder::ListenForStart() const {
  return ListenAt(kStartLater);
}

Status OciFolder::OpenToStart() const {
  if (::rename((path_ + kStartLater).c_str(), (path_ + kStart).c_str()) != 0) {
    const int rename_errno = errno;
    return Fail(SystemError(rename_errno, path_ + kStart));
  }
  return {};
}

Expected<UniqueFd> OciFolder::ConnectToStart() const {
  return ConnectTo(kStart, "the container does not wait for its start");
}

Expected<UniqueFd> OciFolder::ListenForTraced() const {
  return ListenAt(kTracer);
}

Expected<UniqueFd> OciFolder::ConnectToTracer() const {
  return ConnectTo(kTracer, "the container's tracer is gone");
}

bool OciFolder::IsTraced() const {
  return ::access((path_ + kTracer).c_str(), F_OK) == 0;
}

Expected<UniqueFd> OciFolder::ListenForWatched() const {
  return ListenAt(kMonitor);
}

Expected<UniqueFd> OciFolder::ConnectToMonitor() const {
  return ConnectTo(kMonitor, "the container's monitor is gone, which knows what it is held to");
}

bool OciFolder::IsMonitored() const {
  return ::access((path_ + kMonitor).c_str(), F_OK) == 0;
}

Status OciFolder::WritePolicy(const std::map<std::string, std::string>& files) const {
  const std::string folder = PolicyFolder();
  if (::mkdir(folder.c_str(), 0700) != 0) {
    const int mkdir_errno = errno;
    return Fail(SystemError(mkdir_errno, folder));
  }
  for (const auto& [name, content] : files) {
    RETURN_IF_ERROR(WriteFileAtomically(folder + "/" + name, content, 0600));
  }
  return {};
}

std::string OciFolder::PolicyFolder() const {
  return path_ + kPolicy;
}

bool OciFolder::IsBeingMade() const {
  return ::access((path_ + kStartLater).c_str(), F_OK) == 0;
}

bool OciFolder::IsWaiting() const {
  return ::access((path_ + kStart).c_str(), F_OK) == 0;
}

void OciFolder::ForgetStart() const {
  (void)::unlink((path_ + kStart).c_str());
}

Status OciFolder::Remove() const {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error) {
    return Fail(SystemError(error.value(), "removing " + path_));
  }
  return {};
}

std::vector<std::string> ContainerIds(const std::string& root) {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && CheckContainerId(name) &&
        std::filesystem::exists(entry.path() / "lock", error)) {
      ids.push_back(name);
    }
  }
  std::ranges::sort(ids);
  return ids;
}

std::optional<std::uint64_t> StartTimeOf(pid_t pid) {
  const Expected<std::string> stat = ReadFile(fmt::format("/proc/{}/stat", pid), 4096);
  // The name, in parentheses, may hold anything.
  const std::size_t name_end = stat ? stat->rfind(") ") : std::string::npos;
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  const std::vector<std::string> fields = Split(stat->substr(name_end + 2), ' ');
  constexpr std::size_t kStart22 = 19;  // the state, field 3, comes first
  if (fields.size() <= kStart22 || fields[0] == "Z" || fields[0] == "X") {
    return std::nullopt;
  }
  return ParseUnsigned(fields[kStart22]);
}

Expected<std::optional<UniqueFd>> OpenContainerProcess(const OciRecord& record) {
  UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, record.pid, 0)));
  if (!process.valid()) {
    const int open_errno = errno;
    if (open_errno == ESRCH || open_errno == EINVAL) {
      return std::optional<UniqueFd>();
    }
    return Fail(SystemError(open_errno, "the container's process"));
  }
  // The descriptor holds whom it names; now see that it is the one meant.
  if (StartTimeOf(record.pid) != record.start_time) {
    return std::optional<UniqueFd>();
  }
  return std::optional(std::move(process));
}

}  // namespace cordon
