#include "runtime/sandbox_place.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/file.h"
#include "common/text.h"
#include "runtime/own_folder.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxNameLength = 64;
constexpr int kBacklog = 16;
constexpr const char* kLock = "/lock";
constexpr const char* kSocket = "/control";

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// The user's folder: made where it is missing, the caller's own and nobody else's to write.
Expected<std::string> OwnFolder() {
  std::string folder = SandboxesFolder();
  RETURN_IF_ERROR(MakeOwnFolder(folder));
  return folder;
}

/// Takes the lock of `folder`, without waiting: -1 where another process holds it. Fails with
/// kNotFound where the folder is gone.
Expected<UniqueFd> TakeLock(const std::string& folder) {
  UniqueFd lock(::open((folder + kLock).c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock.valid()) {
    const int open_errno = errno;
    Error error = SystemError(open_errno, folder + kLock);
    error.code = open_errno == ENOENT ? ErrorCode::kNotFound : error.code;
    return Fail(std::move(error));
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    const int flock_errno = errno;
    if (flock_errno == EWOULDBLOCK) {
      return UniqueFd();
    }
    return Fail(SystemError(flock_errno, folder + kLock));
  }
  return lock;
}

/// One command at a time makes or removes places.
Expected<UniqueFd> Serialise(const std::string& folder) {
  ASSIGN_OR_RETURN(UniqueFd lock,
                   OpenAt(AT_FDCWD, folder + "/.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  while (::flock(lock.get(), LOCK_EX) != 0) {
    const int flock_errno = errno;
    if (flock_errno != EINTR) {
      return Fail(SystemError(flock_errno, folder + "/.lock"));
    }
  }
  return lock;
}

Expected<sockaddr_un> AddressOf(const std::string& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder + kSocket;
  if (path.size() >= sizeof address.sun_path) {
    return Fail(MakeError(ErrorCode::kLimit, path + " is too long for a socket's address"));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Expected<UniqueFd> ControlSocket(int flags) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!socket.valid()) {
    const int socket_errno = errno;
    return Fail(SystemError(socket_errno, "socket"));
  }
  return socket;
}

Expected<UniqueFd> Listen(const std::string& folder) {
  ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(folder));
  ASSIGN_OR_RETURN(UniqueFd socket, ControlSocket(SOCK_NONBLOCK));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    const int bind_errno = errno;
    return Fail(SystemError(bind_errno, folder + kSocket));
  }
  return socket;
}

void RemovePlace(const std::string& folder) noexcept {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

bool HasRecord(const std::string& folder) {
  return ::access((folder + std::string(kPlaceRecord)).c_str(), F_OK) == 0;
}

/// What is in `folder`; what nobody holds and has no record is removed. Needs Serialise().
Expected<KnownSandboxes> Look(const std::string& folder) {
  KnownSandboxes known;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!CheckSandboxName(name)) {
      continue;
    }
    const std::string place = entry.path().string();
    const Expected<UniqueFd> lock = TakeLock(place);
    if (!lock && lock.error().code == ErrorCode::kNotFound) {
      continue;  // its supervisor has removed it just now
    }
    if (!lock) {
      return Fail(lock.error());
    }
    if (!lock->valid()) {
      known.running.push_back(name);
    } else if (HasRecord(place)) {
      known.ended.push_back(name);
    } else {
      RemovePlace(place);
    }
  }
  if (error) {
    return Fail(SystemError(error.value(), folder));
  }
  std::ranges::sort(known.running);
  std::ranges::sort(known.ended);
  return known;
}

Error HasEnded(const std::string& name) {
  return MakeError(ErrorCode::kNotFound, "the sandbox " + Quote(name) + " has ended");
}

Error NoSuchSandbox(const std::string& name, std::string_view what,
                    const std::vector<std::string>& names) {
  return MakeError(
      ErrorCode::kNotFound,
      fmt::format("no sandbox called {} {}; {}", Quote(name), what,
                  names.empty() ? "there is none of this user" : "there is: " + Join(names, ", ")));
}

}  // namespace

std::string SandboxesFolder() {
  if (::geteuid() == 0) {
    return "/run/cordon";
  }
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR");
      runtime != nullptr && runtime[0] == '/') {
    return std::string(runtime) + "/cordon";
  }
  return fmt::format("/tmp/cordon-{}", ::geteuid());
}

std::string SandboxFolder(const std::string& name) {
  return SandboxesFolder() + "/" + name;
}

Status CheckSandboxName(std::string_view name) {
  const bool is_good = !name.empty() && name.size() <= kMaxNameLength &&
                       IsLetterOrDigit(name.front()) && std::ranges::all_of(name, [](char c) {
                         return IsLetterOrDigit(c) || c == '.' || c == '_' || c == '-';
                       });
  if (is_good) {
    return {};
  }
  return Fail(InvalidInput(fmt::format(
      "{} is no name of a sandbox: at most {} letters, digits, '.', '_' and '-', beginning with a "
      "letter or digit",
      Quote(name, 2 * kMaxNameLength), kMaxNameLength)));
}

Expected<SandboxPlace> SandboxPlace::Create(const std::string& name) {
  RETURN_IF_ERROR(CheckSandboxName(name));
  ASSIGN_OR_RETURN(const std::string folder, OwnFolder());
  ASSIGN_OR_RETURN(const UniqueFd serial, Serialise(folder));
  ASSIGN_OR_RETURN(const KnownSandboxes known, Look(folder));
  if (std::ranges::binary_search(known.running, name)) {
    return Fail(InvalidInput("a sandbox called '" + name + "' is running"));
  }
  if (std::ranges::binary_search(known.ended, name)) {
    return Fail(InvalidInput("a sandbox called '" + name + "' has ended and is kept: cordon rm " +
                             name + " removes it"));
  }
  SandboxPlace place;
  const std::string own = folder + "/" + name;
  if (::mkdir(own.c_str(), 0700) != 0) {
    const int mkdir_errno = errno;
    return Fail(SystemError(mkdir_errno, own));
  }
  place.name_ = name;
  place.folder_ = own;
  ASSIGN_OR_RETURN(place.lock_, TakeLock(own));
  ASSIGN_OR_RETURN(place.listener_, Listen(own));
  return place;
}

SandboxPlace::SandboxPlace(SandboxPlace&& other) noexcept
    : name_(std::move(other.name_)),
      folder_(std::exchange(other.folder_, {})),
      kept_(other.kept_),
      lock_(std::move(other.lock_)),
      listener_(std::move(other.listener_)) {}

SandboxPlace::~SandboxPlace() {
  if (!folder_.empty() && kept_ && HasRecord(folder_)) {
    (void)::unlink((folder_ + kSocket).c_str());
  } else if (!folder_.empty()) {
    RemovePlace(folder_);
  }
}

Expected<KnownSandboxes> FindSandboxes() {
  std::error_code error;
  if (!std::filesystem::exists(SandboxesFolder(), error)) {
    return KnownSandboxes();
  }
  ASSIGN_OR_RETURN(const std::string folder, OwnFolder());
  ASSIGN_OR_RETURN(const UniqueFd serial, Serialise(folder));
  return Look(folder);
}

Status RemoveEndedSandbox(const std::string& name) {
  RETURN_IF_ERROR(CheckSandboxName(name));
  ASSIGN_OR_RETURN(const std::string folder, OwnFolder());
  ASSIGN_OR_RETURN(const UniqueFd serial, Serialise(folder));
  ASSIGN_OR_RETURN(const KnownSandboxes known, Look(folder));
  if (std::ranges::binary_search(known.running, name)) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          fmt::format("the sandbox '{0}' is running: end it with cordon kill {0}, "
                                      "or use rm -f",
                                      name)));
  }
  if (!std::ranges::binary_search(known.ended, name)) {
    return Fail(NoSuchSandbox(name, "is kept", known.ended));
  }
  const std::string place = SandboxFolder(name);
  std::error_code error;
  std::filesystem::remove_all(place, error);
  return error ? Status(Fail(SystemError(error.value(), place))) : Status();
}

Expected<UniqueFd> ConnectToSandbox(const std::string& name) {
  RETURN_IF_ERROR(CheckSandboxName(name));
  ASSIGN_OR_RETURN(const KnownSandboxes known, FindSandboxes());
  if (std::ranges::binary_search(known.ended, name)) {
    return Fail(HasEnded(name));
  }
  if (!std::ranges::binary_search(known.running, name)) {
    return Fail(NoSuchSandbox(name, "is running", known.running));
  }
  ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(SandboxFolder(name)));
  ASSIGN_OR_RETURN(UniqueFd socket, ControlSocket(0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int connect_errno = errno;
    if (connect_errno == ENOENT || connect_errno == ECONNREFUSED) {
      return Fail(HasEnded(name));
    }
    return Fail(SystemError(connect_errno, "the sandbox " + Quote(name)));
  }
  return socket;
}

}  // namespace cordon
