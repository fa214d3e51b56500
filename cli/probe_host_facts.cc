#include <dlfcn.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "cli/host_facts.h"
#include "common/file.h"
#include "common/forked_task.h"
#include "common/text.h"

namespace cordon::cli {
namespace {

constexpr std::size_t kFileLimit = std::size_t{1} << 20;

std::optional<std::string> Line(const std::string& path) {
  Expected<std::string> text = ReadFile(path, kFileLimit);
  if (!text) {
    return std::nullopt;
  }
  text->resize(std::min(text->find('\n'), text->size()));
  return *std::move(text);
}

std::optional<std::uint64_t> Number(const std::string& path) {
  const std::optional<std::string> line = Line(path);
  return line ? ParseUnsigned(*line) : std::nullopt;
}

std::optional<int> Setting(const std::string& path) {
  const std::optional<std::uint64_t> number = Number(path);
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::set<std::string> Words(const std::optional<std::string>& line) {
  std::set<std::string> words;
  for (const std::string& word : Split(line.value_or(""), ' ')) {
    if (!word.empty()) {
      words.insert(word);
    }
  }
  return words;
}

bool Exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool OnPath(const std::string& program) {
  const char* const path = std::getenv("PATH");
  return std::ranges::any_of(Split(path != nullptr ? path : "/usr/bin:/bin", ':'),
                             [&](const std::string& folder) {
                               return ::access(Join({folder, program}, "/").c_str(), X_OK) == 0;
                             });
}

std::string Kernel() {
  utsname name{};
  (void)::uname(&name);
  return Join({name.sysname, name.release, name.machine}, " ");
}

/// With arguments that every kernel refuses: the errno tells whether it knows the call.
std::set<std::string> MissingCalls() {
  struct Call {
    const char* name;
    long number;
  };

  constexpr std::array<Call, 8> kCalls{{{"clone3", SYS_clone3},
                                        {"close_range", SYS_close_range},
                                        {"mount_setattr", SYS_mount_setattr},
                                        {"move_mount", SYS_move_mount},
                                        {"open_tree", SYS_open_tree},
                                        {"openat2", SYS_openat2},
                                        {"pidfd_open", SYS_pidfd_open},
                                        {"pidfd_send_signal", SYS_pidfd_send_signal}}};
  std::set<std::string> missing;
  for (const Call& call : kCalls) {
    if (::syscall(call.number, -1L, 0L, ~0L, ~0L, ~0L) < 0 && errno == ENOSYS) {
      missing.insert(call.name);
    }
  }
  return missing;
}

/// unshare(2) in a child: its errno, or 0.
int TryNamespaces(int first, int second) {
  const Expected<std::string> result = RunForked(
      [&] {
        const bool made = ::unshare(first) == 0 && (second == 0 || ::unshare(second) == 0);
        return std::to_string(made ? 0 : errno);
      },
      "trying namespaces");
  return result ? std::atoi(result->c_str()) : ECHILD;
}

ControllerUse UseOf(const CgroupLayout& layout, const std::string& name) {
  if (const auto v1 = layout.v1.find(name); v1 != layout.v1.end()) {
    return ::access(v1->second.c_str(), W_OK) == 0 ? ControllerUse::kUsable
                                                   : ControllerUse::kNotDelegated;
  }
  if (!layout.v2) {
    return ControllerUse::kMissing;
  }
  // On v2 every cgroup can be frozen; another controller must reach this one.
  const bool has =
      name == "freezer" || Words(Line(*layout.v2 + "/cgroup.controllers")).contains(name);
  if (!has) {
    const bool exists =
        Words(Line(layout.v2_root.value_or("") + "/cgroup.controllers")).contains(name);
    return exists ? ControllerUse::kNotDelegated : ControllerUse::kMissing;
  }
  return ::access(layout.v2->c_str(), W_OK) == 0 &&
                 ::access((*layout.v2 + "/cgroup.subtree_control").c_str(), W_OK) == 0
             ? ControllerUse::kUsable
             : ControllerUse::kNotDelegated;
}

/// subuid(5): a line begins with the user's name or number.
bool HasRange(const std::string& path, uid_t uid) {
  const Expected<std::string> text = ReadFile(path, kFileLimit);
  if (!text) {
    return false;
  }
  const passwd* const entry = ::getpwuid(uid);
  const std::string by_name = entry != nullptr ? std::string(entry->pw_name) + ":" : ":";
  const std::string by_number = std::to_string(uid) + ":";
  return std::ranges::any_of(Split(*text, '\n'), [&](const std::string& line) {
    return line.starts_with(by_number) || (by_name != ":" && line.starts_with(by_name));
  });
}

bool HasLibrary(const char* name) {
  void* const library = ::dlopen(name, RTLD_LAZY | RTLD_LOCAL);
  if (library != nullptr) {
    ::dlclose(library);
  }
  return library != nullptr;
}

}  // namespace

Expected<HostFacts> ProbeHostFacts() {
  HostFacts facts;
  ASSIGN_OR_RETURN(facts.features, ProbeHost());
  const uid_t uid = facts.features.uid;
  facts.trace = ReadTraceSurroundings();
  facts.kernel = Kernel();
  facts.in_container = Exists("/.dockerenv") || Exists("/run/.containerenv");
  facts.missing_calls = MissingCalls();
  facts.seccomp_actions = Words(Line("/proc/sys/kernel/seccomp/actions_avail"));

  facts.max_user_namespaces = Number("/proc/sys/user/max_user_namespaces");
  facts.unprivileged_user_namespaces = Setting("/proc/sys/kernel/unprivileged_userns_clone");
  facts.apparmor_restricts = Setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  constexpr int kOthers = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID;
  facts.user_namespace_errno = TryNamespaces(CLONE_NEWUSER, kOthers);
  facts.namespaces_errno = uid == 0 ? TryNamespaces(kOthers, 0) : facts.user_namespace_errno;
  facts.time_namespaces = Exists("/proc/self/ns/time");
  facts.idmapped_mounts = !facts.missing_calls.contains("mount_setattr");

  const CgroupLayout& cgroups = facts.features.cgroups;
  facts.has_cgroup_v1 = !cgroups.v1.empty();
  facts.has_cgroup_v2 = cgroups.v2.has_value();
  for (const char* const name : {"memory", "cpu", "pids", "freezer"}) {
    facts.controllers[name] = UseOf(cgroups, name);
  }
  facts.systemd = Exists("/run/systemd/system");

  facts.subordinate_ids = HasRange("/etc/subuid", uid) && HasRange("/etc/subgid", uid);
  for (const char* const name : {"newuidmap", "newgidmap", "pasta", "ip", "nsenter"}) {
    if (OnPath(name)) {
      facts.programs.insert(name);
    }
  }
  facts.libnftables = HasLibrary("libnftables.so.1");
  const UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  facts.tun_errno = tun.valid() ? 0 : errno;
  return facts;
}

}  // namespace cordon::cli
