#include "runtime/flag_names.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <span>
#include <string_view>

#include "model/socket_names.h"

// To add names: a row in the table of its kind, from the header that the row's man page names. A
// value that is not in a table is shown as a number, so a table need not be complete.

namespace cordon {
namespace {

struct NamedValue {
  std::uint64_t value;
  std::string_view name;
};

#define CORDON_NAME(constant)                       \
  NamedValue {                                      \
    static_cast<std::uint64_t>(constant), #constant \
  }

constexpr std::array kOpenFlags{CORDON_NAME(O_CREAT),   CORDON_NAME(O_EXCL),
                                CORDON_NAME(O_NOCTTY),  CORDON_NAME(O_TRUNC),
                                CORDON_NAME(O_APPEND),  CORDON_NAME(O_NONBLOCK),
                                CORDON_NAME(O_TMPFILE), CORDON_NAME(O_DIRECTORY),
                                CORDON_NAME(O_SYNC),    CORDON_NAME(O_DSYNC),
                                CORDON_NAME(O_DIRECT),  CORDON_NAME(O_NOFOLLOW),
                                CORDON_NAME(O_NOATIME), CORDON_NAME(O_CLOEXEC),
                                CORDON_NAME(O_PATH),    NamedValue{0100000, "O_LARGEFILE"}};
constexpr std::array kAccessModes{CORDON_NAME(R_OK), CORDON_NAME(W_OK), CORDON_NAME(X_OK)};
constexpr std::array kAtFlags{CORDON_NAME(AT_SYMLINK_NOFOLLOW), CORDON_NAME(AT_REMOVEDIR),
                              CORDON_NAME(AT_SYMLINK_FOLLOW), CORDON_NAME(AT_NO_AUTOMOUNT),
                              CORDON_NAME(AT_EMPTY_PATH)};
constexpr std::array kProtections{CORDON_NAME(PROT_READ), CORDON_NAME(PROT_WRITE),
                                  CORDON_NAME(PROT_EXEC)};
constexpr std::array kMapFlags{
    CORDON_NAME(MAP_PRIVATE),   CORDON_NAME(MAP_SHARED),    CORDON_NAME(MAP_FIXED),
    CORDON_NAME(MAP_ANONYMOUS), CORDON_NAME(MAP_GROWSDOWN), CORDON_NAME(MAP_LOCKED),
    CORDON_NAME(MAP_NORESERVE), CORDON_NAME(MAP_POPULATE),  CORDON_NAME(MAP_NONBLOCK),
    CORDON_NAME(MAP_STACK),     CORDON_NAME(MAP_HUGETLB)};
constexpr std::array kCloneFlags{CORDON_NAME(CLONE_VM),
                                 CORDON_NAME(CLONE_FS),
                                 CORDON_NAME(CLONE_FILES),
                                 CORDON_NAME(CLONE_SIGHAND),
                                 CORDON_NAME(CLONE_PTRACE),
                                 CORDON_NAME(CLONE_VFORK),
                                 CORDON_NAME(CLONE_PARENT),
                                 CORDON_NAME(CLONE_THREAD),
                                 CORDON_NAME(CLONE_NEWNS),
                                 CORDON_NAME(CLONE_SYSVSEM),
                                 CORDON_NAME(CLONE_SETTLS),
                                 CORDON_NAME(CLONE_PARENT_SETTID),
                                 CORDON_NAME(CLONE_CHILD_CLEARTID),
                                 CORDON_NAME(CLONE_UNTRACED),
                                 CORDON_NAME(CLONE_CHILD_SETTID),
                                 CORDON_NAME(CLONE_NEWCGROUP),
                                 CORDON_NAME(CLONE_NEWUTS),
                                 CORDON_NAME(CLONE_NEWIPC),
                                 CORDON_NAME(CLONE_NEWUSER),
                                 CORDON_NAME(CLONE_NEWPID),
                                 CORDON_NAME(CLONE_NEWNET),
                                 CORDON_NAME(CLONE_IO)};
constexpr std::array kMountFlags{
    CORDON_NAME(MS_RDONLY), CORDON_NAME(MS_NOSUID),  CORDON_NAME(MS_NODEV),
    CORDON_NAME(MS_NOEXEC), CORDON_NAME(MS_REMOUNT), CORDON_NAME(MS_NOATIME),
    CORDON_NAME(MS_BIND),   CORDON_NAME(MS_MOVE),    CORDON_NAME(MS_REC),
    CORDON_NAME(MS_SILENT), CORDON_NAME(MS_PRIVATE), CORDON_NAME(MS_SLAVE),
    CORDON_NAME(MS_SHARED), CORDON_NAME(MS_RELATIME)};
constexpr std::array kSocketFlags{CORDON_NAME(SOCK_NONBLOCK), CORDON_NAME(SOCK_CLOEXEC)};
constexpr std::array kIpProtocols{CORDON_NAME(IPPROTO_IP),     CORDON_NAME(IPPROTO_ICMP),
                                  CORDON_NAME(IPPROTO_TCP),    CORDON_NAME(IPPROTO_UDP),
                                  CORDON_NAME(IPPROTO_ICMPV6), CORDON_NAME(IPPROTO_SCTP),
                                  CORDON_NAME(IPPROTO_RAW)};
constexpr std::array kPrctlOptions{CORDON_NAME(PR_SET_PDEATHSIG),
                                   CORDON_NAME(PR_GET_PDEATHSIG),
                                   CORDON_NAME(PR_GET_DUMPABLE),
                                   CORDON_NAME(PR_SET_DUMPABLE),
                                   CORDON_NAME(PR_GET_KEEPCAPS),
                                   CORDON_NAME(PR_SET_KEEPCAPS),
                                   CORDON_NAME(PR_SET_NAME),
                                   CORDON_NAME(PR_GET_NAME),
                                   CORDON_NAME(PR_GET_SECCOMP),
                                   CORDON_NAME(PR_SET_SECCOMP),
                                   CORDON_NAME(PR_CAPBSET_READ),
                                   CORDON_NAME(PR_CAPBSET_DROP),
                                   CORDON_NAME(PR_GET_SECUREBITS),
                                   CORDON_NAME(PR_SET_SECUREBITS),
                                   CORDON_NAME(PR_SET_TIMERSLACK),
                                   CORDON_NAME(PR_GET_TIMERSLACK),
                                   CORDON_NAME(PR_SET_CHILD_SUBREAPER),
                                   CORDON_NAME(PR_GET_CHILD_SUBREAPER),
                                   CORDON_NAME(PR_SET_NO_NEW_PRIVS),
                                   CORDON_NAME(PR_GET_NO_NEW_PRIVS),
                                   CORDON_NAME(PR_SET_MM),
                                   CORDON_NAME(PR_CAP_AMBIENT),
                                   CORDON_NAME(PR_SET_PTRACER),
                                   CORDON_NAME(PR_SET_SPECULATION_CTRL),
                                   CORDON_NAME(PR_SET_THP_DISABLE),
                                   NamedValue{0x53564d41, "PR_SET_VMA"}};
constexpr std::array kFcntlCommands{
    CORDON_NAME(F_DUPFD),      CORDON_NAME(F_GETFD),         CORDON_NAME(F_SETFD),
    CORDON_NAME(F_GETFL),      CORDON_NAME(F_SETFL),         CORDON_NAME(F_GETLK),
    CORDON_NAME(F_SETLK),      CORDON_NAME(F_SETLKW),        CORDON_NAME(F_SETOWN),
    CORDON_NAME(F_GETOWN),     CORDON_NAME(F_SETSIG),        CORDON_NAME(F_SETLEASE),
    CORDON_NAME(F_GETLEASE),   CORDON_NAME(F_NOTIFY),        CORDON_NAME(F_SETPIPE_SZ),
    CORDON_NAME(F_GETPIPE_SZ), CORDON_NAME(F_DUPFD_CLOEXEC), CORDON_NAME(F_ADD_SEALS),
    CORDON_NAME(F_GET_SEALS)};
constexpr std::array kIoctls{
    CORDON_NAME(TCGETS),    CORDON_NAME(TCSETS),     CORDON_NAME(TCSETSW),
    CORDON_NAME(TCSETSF),   CORDON_NAME(TIOCGWINSZ), CORDON_NAME(TIOCSWINSZ),
    CORDON_NAME(TIOCGPGRP), CORDON_NAME(TIOCSPGRP),  CORDON_NAME(TIOCSTI),
    CORDON_NAME(TIOCSCTTY), CORDON_NAME(TIOCNOTTY),  CORDON_NAME(TIOCLINUX),
    CORDON_NAME(TIOCGPTN),  CORDON_NAME(TIOCSPTLCK), CORDON_NAME(FIONREAD),
    CORDON_NAME(FIONBIO),   CORDON_NAME(FIOCLEX),    CORDON_NAME(FIOASYNC)};
constexpr std::array kSocketLevels{CORDON_NAME(SOL_SOCKET), CORDON_NAME(IPPROTO_IP),
                                   CORDON_NAME(IPPROTO_TCP), CORDON_NAME(IPPROTO_UDP),
                                   CORDON_NAME(IPPROTO_IPV6)};
constexpr std::array kSocketOptions{
    CORDON_NAME(SO_REUSEADDR), CORDON_NAME(SO_ERROR),        CORDON_NAME(SO_DONTROUTE),
    CORDON_NAME(SO_BROADCAST), CORDON_NAME(SO_SNDBUF),       CORDON_NAME(SO_RCVBUF),
    CORDON_NAME(SO_KEEPALIVE), CORDON_NAME(SO_OOBINLINE),    CORDON_NAME(SO_LINGER),
    CORDON_NAME(SO_REUSEPORT), CORDON_NAME(SO_PASSCRED),     CORDON_NAME(SO_RCVTIMEO),
    CORDON_NAME(SO_SNDTIMEO),  CORDON_NAME(SO_BINDTODEVICE), CORDON_NAME(SO_ATTACH_FILTER),
    CORDON_NAME(SO_MARK),      CORDON_NAME(SO_ATTACH_BPF),   CORDON_NAME(SO_INCOMING_CPU)};
constexpr std::array kSeccompOperations{
    CORDON_NAME(SECCOMP_SET_MODE_STRICT), CORDON_NAME(SECCOMP_SET_MODE_FILTER),
    CORDON_NAME(SECCOMP_GET_ACTION_AVAIL), CORDON_NAME(SECCOMP_GET_NOTIF_SIZES)};
constexpr std::array kSeccompFlags{
    CORDON_NAME(SECCOMP_FILTER_FLAG_TSYNC), CORDON_NAME(SECCOMP_FILTER_FLAG_LOG),
    CORDON_NAME(SECCOMP_FILTER_FLAG_SPEC_ALLOW), CORDON_NAME(SECCOMP_FILTER_FLAG_NEW_LISTENER),
    CORDON_NAME(SECCOMP_FILTER_FLAG_TSYNC_ESRCH)};
constexpr std::array kKeyOperations{
    CORDON_NAME(KEYCTL_GET_KEYRING_ID), CORDON_NAME(KEYCTL_JOIN_SESSION_KEYRING),
    CORDON_NAME(KEYCTL_UPDATE),         CORDON_NAME(KEYCTL_REVOKE),
    CORDON_NAME(KEYCTL_SEARCH),         CORDON_NAME(KEYCTL_READ)};
constexpr std::array kTraceRequests{
    NamedValue{0, "PTRACE_TRACEME"},   NamedValue{1, "PTRACE_PEEKTEXT"},
    NamedValue{2, "PTRACE_PEEKDATA"},  NamedValue{4, "PTRACE_POKETEXT"},
    NamedValue{5, "PTRACE_POKEDATA"},  NamedValue{7, "PTRACE_CONT"},
    NamedValue{16, "PTRACE_ATTACH"},   NamedValue{17, "PTRACE_DETACH"},
    NamedValue{0x4206, "PTRACE_SEIZE"}};

#undef CORDON_NAME

std::optional<std::string> OneOf(std::span<const NamedValue> names, std::uint64_t value) {
  const auto found = std::ranges::find(names, value, &NamedValue::value);
  return found == names.end() ? std::nullopt : std::optional(std::string(found->name));
}

/// `first`: what stands before the flags, or nothing.
std::string SetOf(std::span<const NamedValue> names, std::uint64_t value, std::string first = {}) {
  std::string text = std::move(first);
  const auto add = [&text](std::string_view part) {
    text += (text.empty() ? "" : "|") + std::string(part);
  };
  std::uint64_t left = value;
  // Names of several bits (O_TMPFILE, O_SYNC) before those that are part of them.
  for (const bool several : {true, false}) {
    for (const NamedValue& named : names) {
      const bool has_several = (named.value & (named.value - 1)) != 0;
      if (has_several == several && named.value != 0 && (left & named.value) == named.value) {
        add(named.name);
        left &= ~named.value;
      }
    }
  }
  if (left != 0) {
    add(fmt::format("{:#x}", left));
  }
  return text.empty() ? "0" : text;
}

std::string OpenFlags(std::uint64_t value) {
  constexpr std::array<std::string_view, 4> kModes{"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
  return SetOf(kOpenFlags, value & ~std::uint64_t{O_ACCMODE},
               std::string(kModes.at(value & O_ACCMODE)));
}

std::string Upper(std::string_view prefix, std::string_view word) {
  std::string upper(prefix);
  std::ranges::transform(word, std::back_inserter(upper), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return upper;
}

std::optional<std::string> OfSocket(std::size_t index, std::uint64_t value, std::uint64_t family) {
  if (index == 0) {
    const auto name = SocketFamilyName(static_cast<int>(value));
    return name ? std::optional(Upper("AF_", *name)) : std::nullopt;
  }
  if (index == 1) {
    const auto name = SocketTypeName(static_cast<int>(value) & 0xf);
    return name ? std::optional(
                      SetOf(kSocketFlags, value & ~std::uint64_t{0xf}, Upper("SOCK_", *name)))
                : std::nullopt;
  }
  return index == 2 && (family == AF_INET || family == AF_INET6) ? OneOf(kIpProtocols, value)
                                                                 : std::nullopt;
}

/// clone(2): the low byte is the signal at its end.
std::string CloneFlags(std::uint64_t value) {
  const auto signal = static_cast<int>(value & 0xff);
  const char* const name = signal == 0 ? nullptr : ::sigabbrev_np(signal);
  std::string text = SetOf(kCloneFlags, value & ~std::uint64_t{0xff});
  if (name != nullptr) {
    text = (text == "0" ? "" : text + "|") + "SIG" + name;
  }
  return text;
}

std::optional<std::string> OfCall(std::string_view name, std::size_t index,
                                  const SyscallInvocation& invocation) {
  const std::uint64_t value = static_cast<std::uint32_t>(invocation.arguments.at(index));
  if (name == "socket" || name == "socketpair") {
    return OfSocket(index, value, static_cast<std::uint32_t>(invocation.arguments[0]));
  }
  if (name == "clone" && index == 0) {
    return CloneFlags(value);
  }
  if ((name == "unshare" && index == 0) || (name == "setns" && index == 1)) {
    return SetOf(kCloneFlags, value);
  }
  if ((name == "mount" && index == 3) || (name == "umount2" && index == 1)) {
    return name == "mount" ? std::optional(SetOf(kMountFlags, value)) : std::nullopt;
  }
  if (name == "setsockopt" && index == 2) {
    return invocation.arguments[1] == SOL_SOCKET ? OneOf(kSocketOptions, value) : std::nullopt;
  }

  struct Row {
    std::string_view call;
    std::size_t index;
    std::span<const NamedValue> names;
  };

  static constexpr std::array kRows{Row{"fcntl", 1, kFcntlCommands},
                                    Row{"fcntl64", 1, kFcntlCommands},
                                    Row{"ioctl", 1, kIoctls},
                                    Row{"keyctl", 0, kKeyOperations},
                                    Row{"prctl", 0, kPrctlOptions},
                                    Row{"ptrace", 0, kTraceRequests},
                                    Row{"seccomp", 0, kSeccompOperations},
                                    Row{"setsockopt", 1, kSocketLevels}};
  const auto* const row = std::ranges::find_if(kRows, [&](const Row& candidate) {
    return candidate.call == name && candidate.index == index;
  });
  if (row != kRows.end()) {
    return OneOf(row->names, value);
  }
  return name == "seccomp" && index == 1 ? std::optional(SetOf(kSeccompFlags, value))
                                         : std::nullopt;
}

}  // namespace

std::optional<std::string> NamedArgument(const SyscallInvocation& invocation,
                                         const SyscallSignature& signature, std::size_t index) {
  const std::uint64_t value = static_cast<std::uint32_t>(invocation.arguments.at(index));
  switch (signature.roles.at(index)) {
    case ArgumentRole::kOpenFlags:
      return OpenFlags(value);
    case ArgumentRole::kAtFlags:
      return SetOf(kAtFlags, value);
    case ArgumentRole::kAccessMode:
      return value == F_OK ? "F_OK" : SetOf(kAccessModes, value);
    case ArgumentRole::kProtection:
      return value == 0 ? "PROT_NONE" : SetOf(kProtections, value);
    case ArgumentRole::kMapFlags:
      return SetOf(kMapFlags, value);
    default:
      return OfCall(signature.name, index, invocation);
  }
}

}  // namespace cordon
