#include "tracer/capability_rules.h"

#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "common/file.h"
#include "common/text.h"
#include "observe/call_values.h"
#include "observe/process_memory.h"
#include "tracer/extended_attribute.h"

namespace cordon {
namespace {

struct CapabilityRow {
  std::string_view name;
  int number;
};

constexpr CapabilityRow kCapabilities[] = {
    {"CAP_BPF", CAP_BPF},
    {"CAP_CHOWN", CAP_CHOWN},
    {"CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE},
    {"CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH},
    {"CAP_FOWNER", CAP_FOWNER},
    {"CAP_FSETID", CAP_FSETID},
    {"CAP_KILL", CAP_KILL},
    {"CAP_MKNOD", CAP_MKNOD},
    {"CAP_NET_ADMIN", CAP_NET_ADMIN},
    {"CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE},
    {"CAP_NET_RAW", CAP_NET_RAW},
    {"CAP_PERFMON", CAP_PERFMON},
    {"CAP_SETFCAP", CAP_SETFCAP},
    {"CAP_SETGID", CAP_SETGID},
    {"CAP_SETPCAP", CAP_SETPCAP},
    {"CAP_SETUID", CAP_SETUID},
    {"CAP_SYSLOG", CAP_SYSLOG},
    {"CAP_SYS_ADMIN", CAP_SYS_ADMIN},
    {"CAP_SYS_BOOT", CAP_SYS_BOOT},
    {"CAP_SYS_CHROOT", CAP_SYS_CHROOT},
    {"CAP_SYS_MODULE", CAP_SYS_MODULE},
    {"CAP_SYS_NICE", CAP_SYS_NICE},
    {"CAP_SYS_PACCT", CAP_SYS_PACCT},
    {"CAP_SYS_RAWIO", CAP_SYS_RAWIO},
    {"CAP_SYS_RESOURCE", CAP_SYS_RESOURCE},
    {"CAP_SYS_TIME", CAP_SYS_TIME},
    {"CAP_SYS_TTY_CONFIG", CAP_SYS_TTY_CONFIG},
};

/// Requests of ioctl(2) that need a capability, whatever they are made of.
struct RequestRow {
  std::uint32_t request;
  std::string_view capability;
};

constexpr RequestRow kRequests[] = {
    {FIBMAP, "CAP_SYS_RAWIO"},         {SIOCADDRT, "CAP_NET_ADMIN"},
    {SIOCDELRT, "CAP_NET_ADMIN"},      {SIOCSIFADDR, "CAP_NET_ADMIN"},
    {SIOCSIFBRDADDR, "CAP_NET_ADMIN"}, {SIOCSIFDSTADDR, "CAP_NET_ADMIN"},
    {SIOCSIFFLAGS, "CAP_NET_ADMIN"},   {SIOCSIFHWADDR, "CAP_NET_ADMIN"},
    {SIOCSIFMETRIC, "CAP_NET_ADMIN"},  {SIOCSIFMTU, "CAP_NET_ADMIN"},
    {SIOCSIFNAME, "CAP_NET_ADMIN"},    {SIOCSIFNETMASK, "CAP_NET_ADMIN"},
};

/// Likewise options of SOL_SOCKET (sk_setsockopt() in net/core/sock.c).
constexpr RequestRow kSocketOptions[] = {
    {SO_MARK, "CAP_NET_RAW"},  // before Linux 5.17 CAP_NET_ADMIN
    {SO_RCVBUFFORCE, "CAP_NET_ADMIN"},
    {SO_SNDBUFFORCE, "CAP_NET_ADMIN"},
};

constexpr std::uint64_t kNamespacesForAdmin = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                              CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET |
                                              CLONE_NEWTIME;
constexpr int kNothingRead = -1;

/// The lowest port that needs no capability (ip(7), since Linux 4.11).
std::uint16_t FirstUnprivilegedPort() {
  constexpr std::uint16_t kDefault = 1024;
  constexpr std::size_t kMaxBytes = 64;
  const Expected<std::string> text =
      ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", kMaxBytes);
  if (!text.has_value()) {
    return kDefault;
  }
  const std::optional<std::uint64_t> port =
      ParseUnsigned(std::string_view(*text).substr(0, text->find('\n')));
  return port ? static_cast<std::uint16_t>(*port) : kDefault;
}

/// The register holds an id of 32 bits; -1 leaves the id as it is (chown(2)).
std::optional<std::uint32_t> IdArgument(std::uint64_t argument) {
  const auto id = static_cast<std::uint32_t>(argument);
  return id == 0xffffffff ? std::nullopt : std::optional(id);
}

const ResolvedPath* FirstPath(const CallFrame& frame) {
  return frame.files.empty() ? nullptr : frame.files.front().path.get();
}

std::optional<int> NumberOfCapability(std::string_view name) {
  const auto* const row = std::ranges::find(kCapabilities, name, &CapabilityRow::name);
  return row == std::end(kCapabilities) ? std::nullopt : std::optional(row->number);
}

}  // namespace

std::optional<std::string_view> DacCapability(const Credentials& credentials, const Inode& inode,
                                              unsigned want) {
  const bool overrides = credentials.HasCapability(CAP_DAC_OVERRIDE);
  const bool reads = credentials.HasCapability(CAP_DAC_READ_SEARCH);
  if (!overrides && !reads) {
    return std::nullopt;
  }
  unsigned shift = 0;
  if (credentials.file_uid() == inode.uid) {
    shift = 6;
  } else if (credentials.InGroup(inode.gid)) {
    shift = 3;
  }
  if (((inode.mode >> shift) & want) == want) {
    return std::nullopt;
  }
  // generic_permission() in fs/namei.c
  const bool read_search = S_ISDIR(inode.mode) ? (want & kWantWrite) == 0 : want == kWantRead;
  return read_search && reads ? "CAP_DAC_READ_SEARCH" : "CAP_DAC_OVERRIDE";
}

void NoteDacNeed(const Process& process, const Inode& inode, unsigned want, RecordingLog& log) {
  if (process.own_user_namespace) {
    return;
  }
  if (const auto capability = DacCapability(process.credentials, inode, want)) {
    const std::string_view verb = (want & kWantWrite) != 0  ? "write"
                                  : (want & kWantRead) != 0 ? "read"
                                                            : "search or execute";
    log.NoteCapability(std::string(*capability), fmt::format("{} {}", verb, inode.path));
  }
}

void CapabilityRules::Need(const TaskState& task, const CallFrame& frame, std::string_view name,
                           std::string_view reason) const {
  const std::optional<int> number = NumberOfCapability(name);
  if (number && !task.process->own_user_namespace && frame.credentials.HasCapability(*number)) {
    log_.NoteCapability(std::string(name), std::string(reason));
  }
}

void CapabilityRules::BeforeCall(const TaskState& task, CallFrame& frame) const {
  frame.credentials = task.process->credentials;
  frame.before = kNothingRead;
  if (frame.signature->effect == SyscallEffect::kPriority) {
    errno = 0;
    const int nice = ::getpriority(PRIO_PROCESS, static_cast<id_t>(task.id));
    frame.before = errno == 0 ? nice : kNothingRead;
  } else if (frame.signature->effect == SyscallEffect::kLimit) {
    const bool prlimit = frame.signature->name == "prlimit64";
    const auto resource = static_cast<__rlimit_resource>(frame.meant.arguments[prlimit ? 1 : 0]);
    rlimit limit{};
    if (::prlimit(task.process->id, resource, nullptr, &limit) == 0) {
      frame.before = static_cast<std::int64_t>(limit.rlim_max);
    }
  }
}

void CapabilityRules::AfterSuccess(const TaskState& task, const CallFrame& frame) const {
  using Rule = void (CapabilityRules::*)(const TaskState&, const CallFrame&) const;
  static constexpr std::pair<SyscallEffect, Rule> kRules[] = {
      {SyscallEffect::kBind, &CapabilityRules::AfterBind},
      {SyscallEffect::kSocket, &CapabilityRules::AfterSocket},
      {SyscallEffect::kClone, &CapabilityRules::AfterClone},
      {SyscallEffect::kUnshare, &CapabilityRules::AfterClone},
      {SyscallEffect::kCredentials, &CapabilityRules::AfterCredentials},
      {SyscallEffect::kOwner, &CapabilityRules::AfterOwner},
      {SyscallEffect::kSetattr, &CapabilityRules::AfterSetattr},
      {SyscallEffect::kMakeNode, &CapabilityRules::AfterMakeNode},
      {SyscallEffect::kKill, &CapabilityRules::AfterKill},
      {SyscallEffect::kLimit, &CapabilityRules::AfterLimit},
      {SyscallEffect::kPriority, &CapabilityRules::AfterPriority},
      {SyscallEffect::kPrctl, &CapabilityRules::AfterPrctl},
      {SyscallEffect::kIoctl, &CapabilityRules::AfterIoctl},
  };
  if (!frame.signature->capability.empty()) {
    Need(task, frame, frame.signature->capability, frame.signature->name);
  }
  const auto* const rule =
      std::ranges::find(kRules, frame.signature->effect, &std::pair<SyscallEffect, Rule>::first);
  if (rule != std::end(kRules)) {
    (this->*rule->second)(task, frame);
  }
  if (frame.signature->name == "setsockopt") {
    AfterSocketOption(task, frame);
  }
}

void CapabilityRules::AfterIoctl(const TaskState& task, const CallFrame& frame) const {
  const auto* const row = std::ranges::find(
      kRequests, static_cast<std::uint32_t>(frame.meant.arguments[1]), &RequestRow::request);
  if (row != std::end(kRequests)) {
    Need(task, frame, row->capability, fmt::format("ioctl {:#x}", row->request));
  }
}

void CapabilityRules::AfterSocketOption(const TaskState& task, const CallFrame& frame) const {
  const auto* const row = std::ranges::find(
      kSocketOptions, static_cast<std::uint32_t>(frame.meant.arguments[2]), &RequestRow::request);
  if (static_cast<int>(frame.meant.arguments[1]) == SOL_SOCKET && row != std::end(kSocketOptions)) {
    Need(task, frame, row->capability, fmt::format("socket option {}", row->request));
  }
}

void CapabilityRules::AfterBind(const TaskState& task, const CallFrame& frame) const {
  static const std::uint16_t kFirstUnprivileged = FirstUnprivilegedPort();
  if (frame.address && frame.address->port != 0 && frame.address->port < kFirstUnprivileged) {
    Need(task, frame, "CAP_NET_BIND_SERVICE", fmt::format("bind port {}", frame.address->port));
  }
}

void CapabilityRules::AfterSocket(const TaskState& task, const CallFrame& frame) const {
  const auto family = static_cast<int>(frame.meant.arguments[0]);
  const bool raw = (frame.meant.arguments[1] & kSocketTypeMask) == SOCK_RAW;
  if (family == AF_PACKET || (raw && (family == AF_INET || family == AF_INET6))) {
    Need(task, frame, "CAP_NET_RAW", family == AF_PACKET ? "packet socket" : "raw socket");
  }
}

void CapabilityRules::AfterClone(const TaskState& task, const CallFrame& frame) const {
  // clone3's flags are the recorded tuple; clone's and unshare's are the first argument.
  const bool in_memory = frame.signature->name == "clone3";
  const std::uint64_t flags =
      in_memory ? (frame.tuple.empty() ? 0 : frame.tuple.front()) : frame.meant.arguments[0];
  if (!frame.signature->scalars.empty() && (flags & kNamespacesForAdmin) != 0 &&
      (flags & CLONE_NEWUSER) == 0) {
    Need(task, frame, "CAP_SYS_ADMIN", fmt::format("{} of a new namespace", frame.signature->name));
  }
}

void CapabilityRules::AfterCredentials(const TaskState& task, const CallFrame& frame) const {
  const Credentials& before = frame.credentials;
  const Credentials& after = task.process->credentials;
  if (before.uids != after.uids) {
    Need(task, frame, "CAP_SETUID",
         fmt::format("{} to {}", frame.signature->name, after.effective_uid()));
  }
  if (before.gids != after.gids) {
    Need(task, frame, "CAP_SETGID", fmt::format("{} to {}", frame.signature->name, after.gids[1]));
  }
  if (frame.signature->name.starts_with("setgroups")) {
    Need(task, frame, "CAP_SETGID",
         frame.signature->name);  // asked even when nothing changes (kernel/groups.c)
  }
}

void CapabilityRules::AfterOwner(const TaskState& task, const CallFrame& frame) const {
  const ResolvedPath* const path = FirstPath(frame);
  if (path == nullptr || !path->exists()) {
    return;
  }
  const std::size_t first = frame.signature->name == "fchownat" ? 2 : 1;
  const std::optional<std::uint32_t> uid = IdArgument(frame.meant.arguments[first]);
  const std::optional<std::uint32_t> gid = IdArgument(frame.meant.arguments[first + 1]);
  const bool owns = frame.credentials.file_uid() == path->status.st_uid;
  // chown_ok() and chgrp_ok() in fs/attr.c
  const bool uid_needs = uid && !(owns && *uid == path->status.st_uid);
  const bool gid_needs =
      gid && !(owns && (*gid == path->status.st_gid || frame.credentials.InGroup(*gid)));
  if (uid_needs || gid_needs) {
    Need(task, frame, "CAP_CHOWN", fmt::format("change the owner of {}", path->key.path));
  }
}

void CapabilityRules::AfterSetattr(const TaskState& task, const CallFrame& frame) const {
  const ResolvedPath* const path = FirstPath(frame);
  if (path != nullptr && path->exists() && frame.credentials.file_uid() != path->status.st_uid) {
    Need(task, frame, "CAP_FOWNER", fmt::format("change attributes of {}", path->key.path));
  }
  const std::uint64_t mode = ArgumentWithRole(frame, ArgumentRole::kFileMode).value_or(0);
  if (path != nullptr && path->exists() && (mode & S_ISGID) != 0 &&
      !frame.credentials.InGroup(path->status.st_gid)) {
    Need(task, frame, "CAP_FSETID", fmt::format("set-group-ID on {}", path->key.path));
  }
  const std::optional<std::string> name = ExtendedAttribute(task, frame);
  if (name == "security.capability") {
    Need(task, frame, "CAP_SETFCAP", frame.signature->name);
  } else if (name && (name->starts_with("trusted.") || name->starts_with("security."))) {
    Need(task, frame, "CAP_SYS_ADMIN", fmt::format("{} of {}", frame.signature->name, *name));
  }
}

void CapabilityRules::AfterMakeNode(const TaskState& task, const CallFrame& frame) const {
  const auto mode =
      static_cast<mode_t>(ArgumentWithRole(frame, ArgumentRole::kFileMode).value_or(0));
  if (S_ISCHR(mode) || S_ISBLK(mode)) {
    Need(task, frame, "CAP_MKNOD", "make a device node");
  }
}

void CapabilityRules::AfterKill(const TaskState& task, const CallFrame& frame) const {
  const auto target = static_cast<std::int32_t>(frame.meant.arguments[0]);
  if (target <= 0) {
    return;  // a group: who was in it cannot be told afterwards
  }
  const Expected<ProcessStatus> status = ReadProcessStatus(target);
  if (!status.has_value()) {
    return;
  }
  // kill_ok_by_cred() in kernel/signal.c
  const auto& mine = frame.credentials.uids;
  const auto& theirs = status->credentials.uids;
  const bool same =
      mine[1] == theirs[2] || mine[1] == theirs[0] || mine[0] == theirs[2] || mine[0] == theirs[0];
  if (!same) {
    Need(task, frame, "CAP_KILL", "signal a process of another user");
  }
}

void CapabilityRules::AfterLimit(const TaskState& task, const CallFrame& frame) const {
  const bool prlimit = frame.signature->name == "prlimit64";
  const std::size_t resource = prlimit ? 1 : 0;
  const bool own = !prlimit || frame.meant.arguments[0] == 0 ||
                   static_cast<pid_t>(frame.meant.arguments[0]) == task.process->id;
  if (!own || frame.before == kNothingRead) {
    return;  // already unlimited, or not read
  }
  rlimit limit{};
  if (::prlimit(task.process->id, static_cast<__rlimit_resource>(frame.meant.arguments[resource]),
                nullptr, &limit) == 0 &&
      limit.rlim_max > static_cast<rlim_t>(frame.before)) {
    Need(task, frame, "CAP_SYS_RESOURCE", "raise a hard limit");
  }
}

void CapabilityRules::AfterPriority(const TaskState& task, const CallFrame& frame) const {
  constexpr int kRealtimeFirst = 1;  // SCHED_FIFO, SCHED_RR
  constexpr int kRealtimeLast = 2;
  const auto policy = static_cast<int>(frame.meant.arguments[1]);
  if (frame.signature->name == "sched_setscheduler" && policy >= kRealtimeFirst &&
      policy <= kRealtimeLast) {
    Need(task, frame, "CAP_SYS_NICE", "real-time scheduling");
    return;
  }
  errno = 0;
  const int nice = ::getpriority(PRIO_PROCESS, static_cast<id_t>(task.id));
  if (errno == 0 && nice < frame.before) {
    Need(task, frame, "CAP_SYS_NICE", "raise its own priority");
  }
}

void CapabilityRules::AfterPrctl(const TaskState& task, const CallFrame& frame) const {
  if (frame.meant.arguments[0] == PR_CAPBSET_DROP) {
    Need(task, frame, "CAP_SETPCAP", "drop from the bounding set");
  }
}

}  // namespace cordon
