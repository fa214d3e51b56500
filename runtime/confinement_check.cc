#include "runtime/confinement_check.h"

#include <fmt/format.h>
#include <linux/mount.h>
#include <linux/sched.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/file.h"
#include "common/text.h"
#include "runtime/guard.h"

namespace cordon {
namespace {

constexpr std::size_t kProcFileLimit = std::size_t{1} << 20;
constexpr std::size_t kMountsLimit = std::size_t{64} << 20;

struct NamespaceLink {
  std::string_view name;  ///< in /proc/PID/ns
  std::uint64_t flag;
};

/// Those that clone makes; the cgroup and time namespaces come later.
constexpr std::array<NamespaceLink, 6> kNamespaceLinks{{{"user", CLONE_NEWUSER},
                                                        {"mnt", CLONE_NEWNS},
                                                        {"net", CLONE_NEWNET},
                                                        {"uts", CLONE_NEWUTS},
                                                        {"ipc", CLONE_NEWIPC},
                                                        {"pid", CLONE_NEWPID}}};

constexpr std::array<std::pair<std::uint64_t, const char*>, 4> kAttributeNames{
    {{MOUNT_ATTR_RDONLY, "ro"},
     {MOUNT_ATTR_NOSUID, "nosuid"},
     {MOUNT_ATTR_NODEV, "nodev"},
     {MOUNT_ATTR_NOEXEC, "noexec"}}};

/// Real, effective, saved and file system id.
std::string FourTimes(std::optional<std::uint32_t> id) {
  return id ? fmt::format("{0}\t{0}\t{0}\t{0}", *id) : "mapped";
}

std::multiset<std::string> GroupsOf(const std::string& field) {
  const std::vector<std::string> words = Split(field, ' ');
  std::multiset<std::string> groups(words.begin(), words.end());
  groups.erase("");
  return groups;
}

std::multiset<std::string> Groups(const LaunchPlan& plan) {
  std::multiset<std::string> groups;
  for (const gid_t group : plan.groups) {
    const std::optional<std::uint32_t> outside = OutsideId(plan.gid_maps, group);
    groups.insert(outside ? std::to_string(*outside) : "mapped");
  }
  return groups;
}

struct MountLine {
  std::string id;
  std::string parent;
  std::string place;
  std::set<std::string> options;  ///< of the mount, not of the file system
  std::string type;
};

/// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" (proc(5)).
std::optional<MountLine> ReadMountLine(const std::string& line) {
  const std::vector<std::string> fields = Split(line, ' ');
  const auto dash = std::ranges::find(fields, "-");
  if (fields.size() < 6 || fields.end() - dash < 2) {
    return std::nullopt;
  }
  const std::vector<std::string> options = Split(fields[5], ',');
  return MountLine{fields[0], fields[1], fields[4], {options.begin(), options.end()}, *(dash + 1)};
}

/// The mount that is seen on `place`, whose path is walked as the kernel does: from each mount to
/// what is mounted on it. Others of the same place may lie below what covers them, as the host's
/// /dev/pts below the sandbox's /dev. nullptr for none.
const MountLine* MountSeenOn(const std::multimap<std::string, MountLine>& mounts,
                             const std::string& place) {
  const MountLine* seen = &mounts.find("/")->second;
  for (std::size_t end = place.find('/', 1); seen->place != place;) {
    const std::string prefix = place.substr(0, end);
    const auto [begin, behind] = mounts.equal_range(prefix);
    for (auto above = begin; above != behind;) {
      above = std::find_if(begin, behind,
                           [&](const auto& entry) { return entry.second.parent == seen->id; });
      seen = above == behind ? seen : &above->second;
    }
    if (end == std::string::npos) {
      break;
    }
    end = place.find('/', end + 1);
  }
  return seen->place == place ? seen : nullptr;
}

/// Whether it is masked, or made read-only: another mount is on it then.
bool IsCovered(const LaunchPlan& plan, const std::string& place) {
  return std::ranges::find(plan.masked_paths, place) != plan.masked_paths.end() ||
         std::ranges::find(plan.readonly_paths, place) != plan.readonly_paths.end();
}

std::map<std::string, std::string> Fields(std::string_view status_text) {
  std::map<std::string, std::string> fields;
  for (const std::string& line : Split(status_text, '\n')) {
    const std::size_t colon = line.find(":\t");
    if (colon != std::string::npos) {
      fields[line.substr(0, colon)] = line.substr(colon + 2);
    }
  }
  return fields;
}

}  // namespace

Status CheckConfinement(std::string_view status_text, const LaunchPlan& plan) {
  const std::map<std::string, std::string> fields = Fields(status_text);
  const std::uint64_t effective = plan.ExpectedEffective();
  std::vector<std::pair<std::string, std::string>> expected{
      {"Seccomp", plan.filter.empty() && plan.base_filter.empty() ? "" : "2"},
      {"Uid", FourTimes(OutsideId(plan.uid_maps, plan.uid))},
      {"Gid", FourTimes(OutsideId(plan.gid_maps, plan.gid))},
      {"NoNewPrivs", plan.no_new_privileges ? "1" : ""},
      {"CapInh", fmt::format("{:016x}", 0)},
      {"CapPrm", fmt::format("{:016x}", effective)},
      {"CapEff", fmt::format("{:016x}", effective)},
      {"CapBnd", fmt::format("{:016x}", plan.capabilities)},
      {"CapAmb", fmt::format("{:016x}", 0)},
  };
  for (const auto& [name, value] : expected) {
    const auto found = fields.find(name);
    const std::string actual = found == fields.end() ? "missing" : found->second;
    if (!value.empty() && actual != value) {
      return Fail(MakeError(
          ErrorCode::kInternal,
          fmt::format("the workload's {} is {} instead of {}: what was planned is not in force",
                      name, actual, value)));
    }
  }
  const auto groups = fields.find("Groups");
  if (plan.set_groups && (groups == fields.end() || GroupsOf(groups->second) != Groups(plan))) {
    return Fail(MakeError(ErrorCode::kInternal,
                          "the workload's supplementary groups are not those that were planned"));
  }
  return {};
}

Status CheckMounts(std::string_view mountinfo_text, const LaunchPlan& plan) {
  std::multimap<std::string, MountLine> mounts;  // by place
  for (const std::string& line : Split(mountinfo_text, '\n')) {
    if (std::optional<MountLine> mount = ReadMountLine(line)) {
      const std::string place = mount->place;
      mounts.emplace(place, *std::move(mount));
    }
  }
  if (const std::size_t roots = mounts.count("/"); roots != 1) {
    return Fail(MakeError(ErrorCode::kInternal,
                          fmt::format("the workload has {} mounts on '/' instead of one", roots)));
  }
  if (plan.root_readonly && !mounts.find("/")->second.options.contains("ro")) {
    return Fail(MakeError(ErrorCode::kInternal, "the workload's root is not read-only"));
  }
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    const MountStep& step = plan.mounts[i];
    const MountLine* const found = MountSeenOn(mounts, step.destination);
    const bool hidden =
        std::any_of(plan.mounts.begin() + static_cast<std::ptrdiff_t>(i) + 1, plan.mounts.end(),
                    [&](const MountStep& later) { return later.destination == step.destination; });
    if (found == nullptr || hidden || IsCovered(plan, step.destination)) {
      continue;
    }
    if (step.kind == MountKind::kFileSystem && found->type != step.type) {
      return Fail(MakeError(ErrorCode::kInternal,
                            fmt::format("{} on {} in the workload's tree instead of {}",
                                        Quote(found->type), Quote(step.destination), step.type)));
    }
    for (const auto& [bit, name] : kAttributeNames) {
      if ((step.attributes_set & bit) != 0 && !found->options.contains(name)) {
        return Fail(MakeError(
            ErrorCode::kInternal,
            fmt::format("the workload's mount on {} is not {}", Quote(step.destination), name)));
      }
    }
  }
  return {};
}

Status CheckNamespacesOf(pid_t pid, const LaunchPlan& plan) {
  for (const NamespaceLink& link : kNamespaceLinks) {
    std::error_code error;
    const std::string name(link.name);
    const auto theirs =
        std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/" + name, error);
    if (error) {
      return Fail(SystemError(error.value(), "reading the sandbox's namespace " + name));
    }
    const auto own = std::filesystem::read_symlink("/proc/self/ns/" + name, error);
    const bool wanted = (plan.clone_flags & link.flag) != 0;
    if (error || (own != theirs) != wanted) {
      return Fail(MakeError(ErrorCode::kInternal,
                            "the sandbox's " + name + " namespace is " +
                                (wanted ? "the host's: what was planned is not in force"
                                        : "not the host's, as was planned")));
    }
  }
  return {};
}

Status CheckConfinementOf(pid_t pid, const LaunchPlan& plan) {
  if (!Holds(Guard::kConfinement)) {
    return {};
  }
  const std::string folder = "/proc/" + std::to_string(pid);
  ASSIGN_OR_RETURN(const std::string status, ReadFile(folder + "/status", kProcFileLimit));
  RETURN_IF_ERROR(CheckConfinement(status, plan));
  const Expected<std::string> mounts = ReadFile(folder + "/mountinfo", kMountsLimit);
  if (!mounts) {
    // Of a process that has ended, and has no mount namespace any more, it fails with EINVAL.
    return Fail(MakeError(
        ErrorCode::kSystem,
        "the process has ended, or cannot be checked any more: " + mounts.error().message));
  }
  RETURN_IF_ERROR(CheckMounts(*mounts, plan));
  for (const auto& [name, planned] : {std::pair{"cgroup", plan.cgroup_namespace},
                                      std::pair{"time", !plan.time_offsets.empty()}}) {
    std::error_code error;
    const auto theirs = std::filesystem::read_symlink(folder + "/ns/" + name, error);
    // An ordinary user may not look into a process that is shut against tracing.
    if (planned && !error &&
        theirs == std::filesystem::read_symlink(std::string("/proc/self/ns/") + name, error)) {
      return Fail(MakeError(ErrorCode::kInternal, std::string("the workload's ") + name +
                                                      " namespace is the host's: what was "
                                                      "planned is not in force"));
    }
  }
  if (!plan.selinux_label.empty()) {
    ASSIGN_OR_RETURN(std::string label, ReadFile(folder + "/attr/exec", kProcFileLimit));
    while (!label.empty() && (label.back() == '\0' || label.back() == '\n')) {
      label.pop_back();
    }
    if (label != plan.selinux_label) {
      return Fail(MakeError(ErrorCode::kInternal, "the workload's SELinux label for execve is " +
                                                      Quote(label) + " instead of " +
                                                      Quote(plan.selinux_label)));
    }
  }
  return {};
}

}  // namespace cordon
