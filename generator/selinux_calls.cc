// What system calls ask by being made, apart from files and sockets: the second half of
// selinux_access.h.

#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <span>

#include "common/text.h"
#include "generator/selinux_access.h"
#include "model/syscall_signature.h"

namespace cordon {
namespace {

struct CallRow {
  std::string_view calls;  ///< blank-separated names
  std::string_view target;
  std::string_view object_class;
  std::string_view permissions;
};

constexpr auto kCallRows = std::to_array<CallRow>({
    {"fork vfork clone clone3", "self", "process", "fork sigchld"},
    {"setpgid", "self", "process", "setpgid"},
    {"getpgid getpgrp", "self", "process", "getpgid"},
    {"getsid", "self", "process", "getsession"},
    {"setpriority sched_setscheduler sched_setparam sched_setattr sched_setaffinity ioprio_set "
     "mbind set_mempolicy migrate_pages move_pages",
     "self", "process", "setsched"},
    {"sched_getscheduler sched_getparam sched_getattr sched_getaffinity ioprio_get "
     "sched_rr_get_interval",
     "self", "process", "getsched"},
    // One call reads and sets limits, and which it did is behind a pointer.
    {"setrlimit prlimit64", "self", "process", "setrlimit"},
    {"prlimit64", "self", "process", "getrlimit"},
    {"capget capset", "self", "process", "getcap"},
    {"capset", "self", "process", "setcap"},
    {"ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp", "self", "process", "ptrace"},
    {"userfaultfd", "self", "anon_inode", "create getattr ioctl read write"},
    {"io_uring_setup", "self", "anon_inode", "create getattr map read write"},
    {"pipe pipe2", "self", "fifo_file", "getattr read write"},
    // Of which file system is not recorded: a disk's, the kernel's own, one in memory.
    {"statfs statfs64 fstatfs fstatfs64 ustat", "fs_t", "filesystem", "getattr"},
    {"statfs statfs64 fstatfs fstatfs64 ustat", "proc_t", "filesystem", "getattr"},
    {"statfs statfs64 fstatfs fstatfs64 ustat", "tmpfs_t", "filesystem", "getattr"},
    // A queue is a file in a file system of its own.
    {"mq_open", "tmpfs_t", "dir", "search write add_name"},
    {"mq_unlink", "tmpfs_t", "dir", "search write remove_name"},
    {"mount move_mount fsmount", "fs_t", "filesystem", "mount remount"},
    {"mount move_mount fsmount", "tmpfs_t", "filesystem", "mount remount"},
    {"umount umount2", "fs_t", "filesystem", "unmount"},
    {"umount umount2", "tmpfs_t", "filesystem", "unmount"},
    {"shmget", "self", "shm", "create associate"},
    {"shmat", "self", "shm", "read unix_read unix_write write"},
    {"shmctl", "self", "shm", "associate destroy getattr setattr unix_read"},
    {"semget", "self", "sem", "create associate"},
    {"semop semtimedop semtimedop_time64", "self", "sem", "read unix_read unix_write write"},
    {"semctl", "self", "sem", "associate destroy getattr read setattr unix_read unix_write write"},
    {"msgget", "self", "msgq", "create associate"},
    {"msgsnd", "self", "msgq", "enqueue unix_write write"},
    {"msgsnd", "self", "msg", "send"},
    {"msgrcv", "self", "msgq", "read unix_read"},
    {"msgrcv", "self", "msg", "receive"},
    {"msgctl", "self", "msgq", "associate destroy getattr setattr unix_read"},
    {"add_key request_key keyctl", "self", "key", "create link read search setattr view write"},
    {"bpf", "self", "bpf", "map_create map_read map_write prog_load prog_run"},
    {"perf_event_open", "self", "perf_event", "cpu kernel open read write"},
    {"syslog", "kernel_t", "system", "syslog_read"},
    {"init_module finit_module", "self", "system", "module_load"},
});

/// What the kernel asks in passing: of whom changes modes or owners, or writes to a file, whether
/// set-id bits may stay (setattr_copy(), file_remove_privs()); of whom becomes a user, whether it
/// may become any; whether a queue may be longer than usual; whether code may be speculated on
/// less carefully, or looked at by BPF and events.
constexpr auto kPassingRows = std::to_array<CallRow>({
    {"chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat write pwrite64 truncate "
     "ftruncate",
     "self", "capability", "fsetid"},
    // Asked before whether the id is another one at all (__sys_setuid() in kernel/sys.c).
    {"setuid setuid32", "self", "capability", "setuid"},
    {"setgid setgid32", "self", "capability", "setgid"},
    {"mq_open", "self", "capability", "sys_resource"},
    {"bpf", "self", "capability2", "bpf perfmon"},
    {"bpf perf_event_open", "self", "capability", "sys_admin"},
    {"perf_event_open", "self", "capability2", "perfmon"},
});

struct AttributeFileRow {
  std::string_view file;
  std::string_view permission;
};

/// selinux_setprocattr() in security/selinux/hooks.c
constexpr auto kAttributeFiles = std::to_array<AttributeFileRow>({
    {"/attr/current", "setcurrent"},
    {"/attr/exec", "setexec"},
    {"/attr/fscreate", "setfscreate"},
    {"/attr/keycreate", "setkeycreate"},
    {"/attr/sockcreate", "setsockcreate"},
});

/// The recorded values of register argument `index` of `call`; nothing if it is not recorded. What
/// overflowed is given by its extremes and the OR of all, which is enough for flags.
std::optional<std::vector<std::uint64_t>> ScalarValues(Syscall call, std::string_view name,
                                                       const SyscallObservation& observation,
                                                       unsigned index) {
  const std::span<const ScalarArgument> scalars = RecordedScalars(call.arch, name);
  for (std::size_t position = 0; position < scalars.size(); ++position) {
    if (scalars[position].index != index || !scalars[position].member.empty()) {
      continue;
    }
    std::vector<std::uint64_t> values;
    if (observation.overflow.has_value() && position < observation.overflow->size()) {
      const ScalarRange& range = (*observation.overflow)[position];
      return std::vector<std::uint64_t>{range.minimum, range.maximum, range.bits_or};
    }
    for (const auto& [tuple, seen] : observation.tuples) {
      if (position < tuple.size()) {
        values.push_back(tuple[position]);
      }
    }
    return values;
  }
  return std::nullopt;
}

/// The permission for sending signal `number` (security/selinux/hooks.c selinux_task_kill).
std::string SignalPermission(std::uint64_t number) {
  switch (number) {
    case 0:
      return "signull";
    case SIGCHLD:
      return "sigchld";
    case SIGKILL:
      return "sigkill";
    case SIGSTOP:
      return "sigstop";
    default:
      return "signal";
  }
}

struct SignalCall {
  std::string_view name;
  unsigned index;  ///< of the signal's number
};

constexpr std::array<SignalCall, 6> kSignalCalls{{{"kill", 1},
                                                  {"tkill", 1},
                                                  {"tgkill", 2},
                                                  {"rt_sigqueueinfo", 1},
                                                  {"rt_tgsigqueueinfo", 2},
                                                  {"pidfd_send_signal", 1}}};

std::set<std::string> Signals(Syscall call, std::string_view name,
                              const SyscallObservation& observation) {
  for (const SignalCall& row : kSignalCalls) {
    if (row.name != name) {
      continue;
    }
    const std::optional<std::vector<std::uint64_t>> values =
        ScalarValues(call, name, observation, row.index);
    if (!values.has_value() || observation.overflow.has_value()) {
      return {"sigchld", "sigkill", "signal", "signull", "sigstop"};
    }
    std::set<std::string> permissions;
    for (const std::uint64_t value : *values) {
      permissions.insert(SignalPermission(value & 0xFFFFFFFFU));
    }
    return permissions;
  }
  return {};
}

/// The kernel sends SIGIO to the owner of a file in the name of who set it, and asks for that
/// (selinux_file_send_sigiotask). What is seen is that the owner was set.
std::set<std::string> OwnedFiles(Syscall call, std::string_view name,
                                 const SyscallObservation& observation) {
  constexpr std::uint64_t kSetOwnerEx = 15;  // F_SETOWN_EX: asm-generic/fcntl.h
  const std::optional<std::vector<std::uint64_t>> commands =
      name == "fcntl" || name == "fcntl64" ? ScalarValues(call, name, observation, 1)
                                           : std::nullopt;
  const bool sets = commands.has_value() && std::ranges::any_of(*commands, [](std::uint64_t one) {
                      return one == F_SETOWN || one == kSetOwnerEx;
                    });
  return sets ? std::set<std::string>{"signal"} : std::set<std::string>();
}

/// execmem and its kin: memory that is executable without being a file's, or was writable before.
std::set<std::string> ExecutableMemory(Syscall call, std::string_view name,
                                       const SyscallObservation& observation) {
  const bool map = name == "mmap" || name == "mmap2";
  if (!map && name != "mprotect" && name != "pkey_mprotect") {
    return {};
  }
  const std::optional<std::vector<std::uint64_t>> protections =
      ScalarValues(call, name, observation, 2);
  if (!protections.has_value()) {
    return {};
  }
  std::set<std::string> permissions;
  if (!map) {
    for (const std::uint64_t protection : *protections) {
      if ((protection & PROT_EXEC) != 0) {
        permissions.insert("execmem");
      }
      if ((protection & PROT_EXEC) != 0 && (protection & (PROT_GROWSDOWN | PROT_GROWSUP)) != 0) {
        permissions.insert("execstack");
      }
    }
    return permissions;
  }
  const std::optional<std::vector<std::uint64_t>> flags = ScalarValues(call, name, observation, 3);
  for (std::size_t i = 0; i < protections->size(); ++i) {
    const std::uint64_t flag = flags.has_value() && i < flags->size() ? (*flags)[i] : MAP_ANONYMOUS;
    const bool executable = ((*protections)[i] & PROT_EXEC) != 0;
    const bool writable = ((*protections)[i] & PROT_WRITE) != 0;
    if (executable &&
        ((flag & MAP_ANONYMOUS) != 0 || (writable && (flag & MAP_TYPE) == MAP_PRIVATE))) {
      permissions.insert("execmem");
    }
  }
  return permissions;
}

bool NamesCall(std::string_view list, std::string_view name) {
  for (const std::string& one : Split(list, ' ')) {
    if (one == name) {
      return true;
    }
  }
  return false;
}

/// Memory in huge pages is a file without a name, which is mapped before it turns out whether there
/// are any (ksys_mmap_pgoff() in mm/mmap.c).
bool AsksForHugePages(Syscall call, std::string_view name, const SyscallObservation& observation) {
  if (name != "mmap" && name != "mmap2") {
    return false;
  }
  const std::optional<std::vector<std::uint64_t>> flags = ScalarValues(call, name, observation, 3);
  return flags.has_value() &&
         std::ranges::any_of(*flags, [](std::uint64_t one) { return (one & MAP_HUGETLB) != 0; });
}

std::vector<CallPermission> RowsOf(std::span<const CallRow> rows, std::string_view name) {
  std::vector<CallPermission> found;
  for (const CallRow& row : rows) {
    if (NamesCall(row.calls, name)) {
      CallPermission permission{.target = std::string(row.target),
                                .object_class = std::string(row.object_class),
                                .permissions = {}};
      for (std::string& word : Split(row.permissions, ' ')) {
        permission.permissions.insert(std::move(word));
      }
      found.push_back(std::move(permission));
    }
  }
  return found;
}

}  // namespace

std::vector<CallPermission> PassingPermissions(Syscall call,
                                               const SyscallObservation& observation) {
  const std::optional<std::string_view> name = SyscallName(call);
  return name.has_value() && observation.results.contains(0) ? RowsOf(kPassingRows, *name)
                                                             : std::vector<CallPermission>();
}

std::optional<std::string_view> AttributeFilePermission(std::string_view path) {
  if (!path.starts_with("/proc/")) {
    return std::nullopt;
  }
  const auto* const row = std::ranges::find_if(
      kAttributeFiles, [path](const AttributeFileRow& one) { return path.ends_with(one.file); });
  return row == kAttributeFiles.end() ? std::nullopt : std::optional(row->permission);
}

MarkPermissions PermissionsOfMarks(Syscall call, const SyscallObservation& observation) {
  const std::optional<std::string_view> name = SyscallName(call);
  MarkPermissions permissions;
  if (name != "fanotify_mark" || !observation.results.contains(0)) {
    return permissions;
  }
  const std::optional<std::vector<std::uint64_t>> all = ScalarValues(call, *name, observation, 1);
  for (const std::uint64_t flags : all.value_or(std::vector<std::uint64_t>())) {
    if ((flags & FAN_MARK_MOUNT) != 0) {
      permissions.file.insert("watch_mount");
    }
    if ((flags & FAN_MARK_FILESYSTEM) != 0) {
      permissions.file.insert("watch_sb");
      permissions.filesystem.insert("watch");
    }
  }
  return permissions;
}

std::vector<CallPermission> CallPermissions(Syscall call, const SyscallObservation& observation) {
  const std::optional<std::string_view> name = SyscallName(call);
  if (!name.has_value() || !observation.results.contains(0)) {
    return {};
  }
  std::vector<CallPermission> found = RowsOf(kCallRows, *name);
  if (AsksForHugePages(call, *name, observation)) {
    found.push_back(
        {.target = "hugetlbfs_t", .object_class = "file", .permissions = {"map", "read", "write"}});
  }
  std::set<std::string> process = Signals(call, *name, observation);
  process.merge(OwnedFiles(call, *name, observation));
  process.merge(ExecutableMemory(call, *name, observation));
  if (!process.empty()) {
    found.push_back(
        {.target = "self", .object_class = "process", .permissions = std::move(process)});
  }
  return found;
}

}  // namespace cordon
