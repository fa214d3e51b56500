#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/file_access.h"
#include "model/recording.h"

/// What SELinux asks for what a workload did. Source: every access check of 414 operations, logged
/// by Linux 6.1's auditallow.
namespace cordon {

/// The permissions on an object of class `file_class` that `access` needs. Every open brings
/// getattr, which libc's fopen and the loader ask for in some versions and not in others.
std::set<std::string> FilePermissions(FileClass file_class, FileAccessSet access);

/// What an ioctl on a file or socket asks.
struct IoctlCheck {
  std::string permission;  ///< "ioctl", or what the kernel maps this request to; empty: nothing
  std::optional<std::uint16_t> request;  ///< with "ioctl": the number that allowxperm names
};

IoctlCheck CheckOfIoctl(std::uint32_t request);

/// The class of a socket ("tcp_socket"), "socket" for a family without one of its own.
std::string SocketClass(int family, int type, int protocol);

/// "tcp", "udp", "dccp", "sctp" for a class whose ports have labels; nothing else.
std::optional<std::string_view> PortProtocol(std::string_view socket_class);

/// The permissions on the socket itself for one recorded operation.
std::set<std::string> SocketPermissions(std::string_view socket_class, SocketOperation operation);

/// A permission that follows from a system call having been made, whatever its object.
struct CallPermission {
  std::string target;  ///< "self" or a type
  std::string object_class;
  std::set<std::string> permissions;
};

/// What `call` as observed asks beyond files and sockets: process, IPC, key, BPF … permissions.
/// Nothing for a call that never succeeded.
std::vector<CallPermission> CallPermissions(Syscall call, const SyscallObservation& observation);

/// What the kernel asks without need when `call` is made: it goes on, or takes the lesser right,
/// when that is refused. A policy refuses it without a word.
std::vector<CallPermission> PassingPermissions(Syscall call, const SyscallObservation& observation);

/// The permission on the process itself that writing to this file of /proc needs ("setexec" for
/// /proc/self/attr/exec); nothing for another file.
std::optional<std::string_view> AttributeFilePermission(std::string_view path);

/// What fanotify_mark(2) asks of a file beyond watching it, by the flags of all calls.
struct MarkPermissions {
  std::set<std::string> file;        ///< of the marked file
  std::set<std::string> filesystem;  ///< of the file system that it is on
};

MarkPermissions PermissionsOfMarks(Syscall call, const SyscallObservation& observation);

/// Does making a socket of this class have the kernel load a module, where it is not built in?
bool IsModularSocket(std::string_view socket_class);

/// The ioctl requests that are made of sockets only.
bool IsSocketRequest(std::uint32_t request);

/// Socket permissions that `name` asks of whichever sockets the workload has: "setopt" for
/// setsockopt.
std::set<std::string> SocketCallPermissions(std::string_view name);

/// The domain that listens behind a well-known AF_UNIX socket path of the base system; nothing if
/// not known.
std::optional<std::string_view> PeerDomain(std::string_view path);

/// "capability" or "capability2" and the permission of "CAP_NET_BIND_SERVICE"; nothing for an
/// unknown name.
struct CapabilityPermission {
  std::string object_class;
  std::string permission;
};

std::optional<CapabilityPermission> PermissionOfCapability(std::string_view capability);

}  // namespace cordon
