#include "runtime/systemd_scope.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <utility>

#include "common/child_process.h"
#include "common/file.h"
#include "common/text.h"
#include "runtime/cgroup_file.h"

namespace cordon {
namespace {

constexpr std::chrono::seconds kPatience{20};

/// The process's cgroup in the unified hierarchy, from its root as the caller sees it; empty for a
/// process that is gone.
std::string UnifiedCgroup(pid_t process) {
  constexpr std::size_t kLimit = 1 << 16;
  const Expected<std::string> text =
      ReadFile("/proc/" + std::to_string(process) + "/cgroup", kLimit);
  for (const std::string& line : Split(text.value_or(std::string()), '\n')) {
    if (line.starts_with("0::")) {
      return line.substr(3);
    }
  }
  return {};
}

}  // namespace

Expected<std::optional<ScopePlan>> PlanScope(CgroupManager manager, const std::string& slice,
                                             const CgroupLayout& layout, uid_t uid) {
  // sd_booted(3). On v1 and hybrid hosts folders beside systemd's do no harm.
  const bool runs_all =
      layout.v2 && layout.v1.empty() && ::access("/run/systemd/system", F_OK) == 0;
  if (manager == CgroupManager::kSystemd && !runs_all) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "--cgroup-manager systemd: systemd does not run this machine, or not "
                          "with cgroup v2 alone"));
  }
  if (manager == CgroupManager::kFolders || !runs_all) {
    return std::nullopt;
  }
  if (!slice.empty() && (!slice.ends_with(".slice") || slice.contains('/'))) {
    return Fail(InvalidInput("--cgroup-parent " + Quote(slice) +
                             ": systemd makes the cgroups here, so this is a slice such as "
                             "web.slice; or give --cgroup-manager cgroupfs"));
  }
  return ScopePlan{uid == 0 ? SystemdManager::kSystem : SystemdManager::kUser, slice,
                   layout.v2_root.value_or("")};
}

std::vector<std::string> ScopeRequest(const ScopePlan& plan, const std::string& unit,
                                      pid_t process) {
  // Name, signature and value of each property: org.freedesktop.systemd1(5). Of limits there is
  // only the default one of tasks to be lifted.
  std::vector<std::vector<std::string>> properties{
      {"Description", "s", "cordon sandbox " + unit},
      {"PIDs", "au", "1", std::to_string(process)},
      {"Delegate", "b", "true"},
      {"TasksMax", "t", std::to_string(~std::uint64_t{0})},
      {"CollectMode", "s", "inactive-or-failed"}};
  if (!plan.slice.empty()) {
    properties.push_back({"Slice", "s", plan.slice});
  }
  std::vector<std::string> words{"StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail",
                                 std::to_string(properties.size())};
  for (const std::vector<std::string>& property : properties) {
    words.insert(words.end(), property.begin(), property.end());
  }
  words.emplace_back("0");  // other units
  return words;
}

SystemdScope::SystemdScope(const ScopePlan& plan, std::string unit)
    : manager_(plan.manager), v2_root_(plan.v2_root), unit_(std::move(unit)) {}

Status SystemdScope::Call(const std::vector<std::string>& request) const {
  std::vector<std::string> command{"busctl",
                                   manager_ == SystemdManager::kUser ? "--user" : "--system",
                                   "--quiet",
                                   "call",
                                   "org.freedesktop.systemd1",
                                   "/org/freedesktop/systemd1",
                                   "org.freedesktop.systemd1.Manager"};
  command.insert(command.end(), request.begin(), request.end());
  const std::string asked =
      fmt::format("asking systemd for a cgroup ({} of {})", request.front(), unit_);
  const Expected<ProgramOutput> output = RunProgram(command, kPatience);
  if (!output) {
    return Fail(output.error().WithContext(asked));
  }
  if (output->exit_code != 0) {
    std::string reason = output->standard_error;
    while (!reason.empty() && reason.back() == '\n') {
      reason.pop_back();
    }
    const std::string_view what_to_do =
        manager_ == SystemdManager::kUser
            ? "; an ordinary user needs a manager of systemd that listens at "
              "$XDG_RUNTIME_DIR/bus: log in, or loginctl enable-linger"
            : "; --cgroup-manager cgroupfs does without";
    return Fail(MakeError(ErrorCode::kUnsupported,
                          fmt::format("{}: {}{}", asked, Quote(reason), what_to_do)));
  }
  return {};
}

/// Until the cgroup of `process` ends in `end`; its folder goes to `folder`.
Status SystemdScope::WaitFor(pid_t process, const std::string& end, std::string* folder) const {
  constexpr int kAttempts = 5000;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 2'000'000};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::string cgroup = UnifiedCgroup(process);
    if (cgroup.ends_with(end)) {
      *folder = v2_root_ + cgroup;
      return {};
    }
    if (cgroup.empty()) {
      return Fail(SystemError(ESRCH, "waiting for systemd to take a process into " + unit_));
    }
    (void)::nanosleep(&kPause, nullptr);
  }
  return Fail(MakeError(ErrorCode::kUnsupported,
                        "systemd took " + unit_ + " but put no process there in ten seconds"));
}

Expected<SystemdScope> SystemdScope::Start(const ScopePlan& plan, const std::string& name) {
  SystemdScope scope(plan, name + ".scope");
  // systemd removes what it left behind together with the scope.
  ASSIGN_OR_RETURN(scope.holder_, OwnerWatch::Start([] {}));
  const pid_t holder = scope.holder_.pid();
  RETURN_IF_ERROR(scope.Call(ScopeRequest(plan, scope.unit_, holder)));
  RETURN_IF_ERROR(scope.WaitFor(holder, "/" + scope.unit_, &scope.folder_));
  // A cgroup with processes of its own can have none with controllers below it.
  const std::string place = scope.folder_ + "/holder";
  if (::mkdir(place.c_str(), 0755) != 0) {
    const int mkdir_errno = errno;
    return Fail(SystemError(mkdir_errno, "making the cgroup " + place));
  }
  RETURN_IF_ERROR(WriteControl(place + "/cgroup.procs", std::to_string(holder)));
  return scope;
}

Status SystemdScope::Attach(pid_t process, const std::string& child) const {
  RETURN_IF_ERROR(
      Call({"AttachProcessesToUnit", "ssau", unit_, "/" + child, "1", std::to_string(process)}));
  std::string folder;
  return WaitFor(process, fmt::format("/{}/{}", unit_, child), &folder);
}

}  // namespace cordon
