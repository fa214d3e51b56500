#include "generator/selinux_access.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>

#include "common/text.h"

namespace cordon {
namespace {

// --- files ---

/// For these inode classes, this access asks these permissions (blank-separated).
struct FileRow {
  FileAccess access;
  std::string_view classes;  ///< letters: f file, d dir, l lnk, c chr, b blk, p fifo, s sock
  std::string_view permissions;
};

constexpr auto kFileRows = std::to_array<FileRow>({
    {FileAccess::kOpen, "fdcbps", "open getattr"},
    {FileAccess::kRead, "fdcbps", "read getattr"},
    {FileAccess::kRead, "l", "read"},
    {FileAccess::kWrite, "fcbps", "write getattr"},
    {FileAccess::kAppend, "fcbps", "append getattr"},
    {FileAccess::kCreate, "fdlcbps", "create"},
    {FileAccess::kTruncate, "fcb", "write open"},
    // The kernel opens a program with FMODE_EXEC, then maps it.
    {FileAccess::kExecute, "f", "execute read open getattr map"},
    {FileAccess::kMap, "fcb", "map read"},
    {FileAccess::kMapWrite, "fcb", "map read write"},
    {FileAccess::kMapExecute, "fcb", "map read execute"},
    {FileAccess::kExecModified, "fcb", "execmod"},
    {FileAccess::kGetattr, "fdlcbps", "getattr"},
    {FileAccess::kSetattr, "fdlcbps", "setattr"},
    {FileAccess::kUnlink, "flcbps", "unlink"},
    {FileAccess::kUnlink, "d", "rmdir"},
    {FileAccess::kRename, "fdlcbps", "rename"},
    {FileAccess::kLink, "flcbps", "link getattr"},
    {FileAccess::kLock, "fdcbps", "lock"},
    {FileAccess::kWatch, "fdlcbps", "watch read"},
    {FileAccess::kWatchReads, "fdlcbps", "watch watch_reads read"},
    {FileAccess::kMount, "fdcbps", "mounton"},
    {FileAccess::kSearch, "d", "search"},
    {FileAccess::kReadLink, "l", "read"},
    {FileAccess::kAddName, "d", "search write add_name"},
    {FileAccess::kRemoveName, "d", "search write remove_name"},
    {FileAccess::kReparent, "d", "write reparent"},
    {FileAccess::kConnect, "s", "write"},
    // Which of read, write and execute access(2) asked for is not recorded; without open none of
    // them lets a byte through.
    {FileAccess::kTestAccess, "fdcbps", "getattr read"},
});

char ClassLetter(FileClass file_class) {
  constexpr std::string_view kLetters = "fdlcbps";  // in the order of FileClass
  const auto index = static_cast<std::size_t>(file_class);
  return index < kLetters.size() ? kLetters[index] : '?';
}

std::set<std::string> WordSet(std::string_view words) {
  std::set<std::string> set;
  for (std::string& word : Split(words, ' ')) {
    if (!word.empty()) {
      set.insert(std::move(word));
    }
  }
  return set;
}

// --- ioctls ---

struct IoctlRow {
  std::uint32_t request;
  std::string_view permission;
};

/// Requests that selinux_file_ioctl maps to something else than `ioctl`.
constexpr auto kIoctlRows = std::to_array<IoctlRow>({
    {0x1, "getattr"},         // FIBMAP
    {0x2, "getattr"},         // FIGETBSZ
    {0x541B, "getattr"},      // FIONREAD
    {0x80086601, "getattr"},  // FS_IOC_GETFLAGS
    {0x80087601, "getattr"},  // FS_IOC_GETVERSION
    {0x40086602, "setattr"},  // FS_IOC_SETFLAGS
    {0x40087602, "setattr"},  // FS_IOC_SETVERSION
    {0x5421, ""},             // FIONBIO
    {0x5452, ""},             // FIOASYNC
    {0x80046601, "getattr"},  // FS_IOC32_GETFLAGS
});

// --- sockets ---

struct SocketRow {
  int family;
  int type;      ///< 0: any
  int protocol;  ///< -1: any
  std::string_view object_class;
};

/// security/selinux/hooks.c socket_type_to_security_class, with the extended_socket_class
/// capability; the first row that fits holds.
constexpr auto kSocketRows = std::to_array<SocketRow>({
    {AF_UNIX, SOCK_DGRAM, -1, "unix_dgram_socket"},
    {AF_UNIX, SOCK_RAW, -1, "unix_dgram_socket"},
    {AF_UNIX, 0, -1, "unix_stream_socket"},
    {AF_INET, SOCK_STREAM, IPPROTO_SCTP, "sctp_socket"},
    {AF_INET6, SOCK_STREAM, IPPROTO_SCTP, "sctp_socket"},
    {AF_INET, SOCK_STREAM, -1, "tcp_socket"},
    {AF_INET6, SOCK_STREAM, -1, "tcp_socket"},
    {AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP, "sctp_socket"},
    {AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP, "sctp_socket"},
    {AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "icmp_socket"},
    {AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, "icmp_socket"},
    {AF_INET, SOCK_DGRAM, -1, "udp_socket"},
    {AF_INET6, SOCK_DGRAM, -1, "udp_socket"},
    {AF_INET, SOCK_DCCP, -1, "dccp_socket"},
    {AF_INET6, SOCK_DCCP, -1, "dccp_socket"},
    {AF_INET, 0, -1, "rawip_socket"},
    {AF_INET6, 0, -1, "rawip_socket"},
    {AF_NETLINK, 0, NETLINK_ROUTE, "netlink_route_socket"},
    {AF_NETLINK, 0, NETLINK_SOCK_DIAG, "netlink_tcpdiag_socket"},
    {AF_NETLINK, 0, NETLINK_NFLOG, "netlink_nflog_socket"},
    {AF_NETLINK, 0, NETLINK_XFRM, "netlink_xfrm_socket"},
    {AF_NETLINK, 0, NETLINK_SELINUX, "netlink_selinux_socket"},
    {AF_NETLINK, 0, NETLINK_ISCSI, "netlink_iscsi_socket"},
    {AF_NETLINK, 0, NETLINK_AUDIT, "netlink_audit_socket"},
    {AF_NETLINK, 0, NETLINK_FIB_LOOKUP, "netlink_fib_lookup_socket"},
    {AF_NETLINK, 0, NETLINK_CONNECTOR, "netlink_connector_socket"},
    {AF_NETLINK, 0, NETLINK_NETFILTER, "netlink_netfilter_socket"},
    {AF_NETLINK, 0, NETLINK_DNRTMSG, "netlink_dnrt_socket"},
    {AF_NETLINK, 0, NETLINK_KOBJECT_UEVENT, "netlink_kobject_uevent_socket"},
    {AF_NETLINK, 0, NETLINK_GENERIC, "netlink_generic_socket"},
    {AF_NETLINK, 0, NETLINK_SCSITRANSPORT, "netlink_scsitransport_socket"},
    {AF_NETLINK, 0, NETLINK_RDMA, "netlink_rdma_socket"},
    {AF_NETLINK, 0, NETLINK_CRYPTO, "netlink_crypto_socket"},
    {AF_NETLINK, 0, -1, "netlink_socket"},
    {AF_PACKET, 0, -1, "packet_socket"},
    {AF_KEY, 0, -1, "key_socket"},
    {AF_VSOCK, 0, -1, "vsock_socket"},
    {AF_ALG, 0, -1, "alg_socket"},
    {AF_CAN, 0, -1, "can_socket"},
    {AF_BLUETOOTH, 0, -1, "bluetooth_socket"},
    {AF_TIPC, 0, -1, "tipc_socket"},
    {AF_XDP, 0, -1, "xdp_socket"},
});

struct NamedWords {
  std::string_view name;
  std::string_view words;
};

/// Calls on sockets that ask one permission more than reading and writing do.
constexpr auto kSocketCalls = std::to_array<NamedWords>({
    {"setsockopt", "setopt"},
    {"getsockopt", "getopt"},
    {"shutdown", "shutdown"},
    {"getsockname", "getattr"},
    {"getpeername", "getattr"},
    {"flock", "lock"},
});

/// Sockets of the base system, and the reference policy's domain that listens there.
constexpr auto kPeers = std::to_array<NamedWords>({
    {"/dev/log", "syslogd_t"},
    {"/run/systemd/journal/dev-log", "syslogd_t"},
    {"/run/systemd/journal/socket", "syslogd_t"},
    {"/run/systemd/journal/stdout", "syslogd_t"},
    {"/run/systemd/notify", "init_t"},
    {"/run/nscd/socket", "nscd_t"},
    {"/run/dbus/system_bus_socket", "system_dbusd_t"},
    {"/run/postgresql/.s.PGSQL.5432", "postgresql_t"},
    {"/run/mysqld/mysqld.sock", "mysqld_t"},
    {"/run/redis/redis-server.sock", "redis_t"},
    {"/run/docker.sock", "dockerd_t"},
});

}  // namespace

std::set<std::string> FilePermissions(FileClass file_class, FileAccessSet access) {
  std::set<std::string> permissions;
  for (const FileRow& row : kFileRows) {
    if (access.Has(row.access) && row.classes.contains(ClassLetter(file_class))) {
      permissions.merge(WordSet(row.permissions));
    }
  }
  return permissions;
}

IoctlCheck CheckOfIoctl(std::uint32_t request) {
  for (const IoctlRow& row : kIoctlRows) {
    if (row.request == request) {
      return {.permission = std::string(row.permission), .request = std::nullopt};
    }
  }
  return {.permission = "ioctl", .request = static_cast<std::uint16_t>(request & 0xFFFFU)};
}

std::string SocketClass(int family, int type, int protocol) {
  for (const SocketRow& row : kSocketRows) {
    if (row.family == family && (row.type == 0 || row.type == type) &&
        (row.protocol == -1 || row.protocol == protocol)) {
      return std::string(row.object_class);
    }
  }
  return "socket";
}

std::optional<std::string_view> PortProtocol(std::string_view socket_class) {
  constexpr std::array<NamedWords, 4> kProtocols{{{"tcp_socket", "tcp"},
                                                  {"udp_socket", "udp"},
                                                  {"sctp_socket", "sctp"},
                                                  {"dccp_socket", "dccp"}}};
  for (const NamedWords& row : kProtocols) {
    if (row.name == socket_class) {
      return row.words;
    }
  }
  return std::nullopt;
}

std::set<std::string> SocketPermissions(std::string_view socket_class, SocketOperation operation) {
  switch (operation) {
    case SocketOperation::kCreate: {
      // Sockets, unlike files, are asked for read and write at every call.
      std::set<std::string> permissions{"create", "getattr", "read", "write"};
      if (socket_class.starts_with("netlink_")) {
        permissions.insert("nlmsg_read");
      }
      if (socket_class == "unix_dgram_socket") {
        permissions.insert("sendto");  // to the other end of a pair
      }
      return permissions;
    }
    case SocketOperation::kBind:
      return {"bind"};
    case SocketOperation::kConnect:
      return {"connect"};
    case SocketOperation::kListen:
      return {"listen"};
    case SocketOperation::kAccept:
      return {"accept", "getattr", "read", "write"};
    case SocketOperation::kSend:
      return {"write"};
  }
  return {};
}

bool IsModularSocket(std::string_view socket_class) {
  constexpr std::array<std::string_view, 5> kBuiltIn{"netlink_route_socket", "tcp_socket",
                                                     "udp_socket", "unix_dgram_socket",
                                                     "unix_stream_socket"};
  return std::ranges::find(kBuiltIn, socket_class) == kBuiltIn.end();
}

bool IsSocketRequest(std::uint32_t request) {
  constexpr std::uint32_t kSocketType = 0x89;  // linux/sockios.h
  return (request >> 8U) == kSocketType;
}

std::set<std::string> SocketCallPermissions(std::string_view name) {
  for (const NamedWords& row : kSocketCalls) {
    if (row.name == name) {
      return WordSet(row.words);
    }
  }
  return {};
}

std::optional<std::string_view> PeerDomain(std::string_view path) {
  for (const NamedWords& row : kPeers) {
    if (row.name == path) {
      return row.words;
    }
  }
  return std::nullopt;
}

std::optional<CapabilityPermission> PermissionOfCapability(std::string_view capability) {
  constexpr std::string_view kPrefix = "CAP_";
  constexpr std::array<std::string_view, 9> kSecondClass{
      "mac_override", "mac_admin", "syslog", "wake_alarm",        "block_suspend",
      "audit_read",   "perfmon",   "bpf",    "checkpoint_restore"};
  if (!capability.starts_with(kPrefix)) {
    return std::nullopt;
  }
  std::string permission(capability.substr(kPrefix.size()));
  std::ranges::transform(permission, permission.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool second = std::ranges::find(kSecondClass, permission) != kSecondClass.end();
  return CapabilityPermission{.object_class = second ? "capability2" : "capability",
                              .permission = std::move(permission)};
}

}  // namespace cordon
