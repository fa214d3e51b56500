#include "runtime/oci_cgroups.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <optional>
#include <set>

#include "common/file.h"
#include "common/text.h"
#include "runtime/cgroup_file.h"
#include "runtime/cgroup_mounts.h"
#include "runtime/host_root.h"
#include "runtime/oci_cgroup_writes.h"

namespace cordon {
namespace {

constexpr std::size_t kControlFileLimit = std::size_t{4} << 20;

std::string ReadLine(const std::string& path) {
  const Expected<std::string> text = ReadFile(path, kControlFileLimit);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

bool Has(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

/// A new cpuset holds nothing, and nothing may join it before it does (cpusets(7)).
Status InheritCpuset(const std::string& folder) {
  const std::string parent = folder.substr(0, folder.rfind('/'));
  for (const char* const file : {"/cpuset.cpus", "/cpuset.mems"}) {
    if (ReadLine(folder + file).empty()) {
      RETURN_IF_ERROR(WriteControl(folder + file, ReadLine(parent + file)));
    }
  }
  return {};
}

/// Switches every controller of `parent` on for the folders in it.
void EnableControllers(const std::string& parent) {
  for (const std::string& controller : Split(ReadLine(parent + "/cgroup.controllers"), ' ')) {
    if (!controller.empty()) {
      // What cannot be is missed when a limit is written.
      (void)WriteControl(parent + "/cgroup.subtree_control", "+" + controller);
    }
  }
}

/// Makes `path` below the hierarchy's mount, step by step. True when the last step was new.
Expected<bool> MakeFolders(const OciHierarchy& hierarchy, const std::string& path) {
  std::string folder = hierarchy.mount;
  bool is_new = false;
  for (const std::string& part : Split(path, '/')) {
    if (part.empty()) {
      continue;
    }
    if (hierarchy.is_v2()) {
      EnableControllers(folder);
    }
    folder += "/" + part;
    is_new = ::mkdir(folder.c_str(), 0755) == 0;
    if (const int mkdir_errno = is_new ? 0 : errno; !is_new && mkdir_errno != EEXIST) {
      return Fail(SystemError(mkdir_errno, "making the cgroup " + folder));
    }
    if (Has(hierarchy.controllers, "cpuset")) {
      RETURN_IF_ERROR(InheritCpuset(folder));
    }
  }
  return is_new;
}

bool MayBeLeftOut(const Error& error) {
  return (error.code == ErrorCode::kPermission || error.sys_errno == EROFS) && !IsRootOfHost();
}

constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 5'000'000};

Status RemoveTree(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.is_directory(error) && !entry.is_symlink(error)) {
      RETURN_IF_ERROR(RemoveTree(entry.path().string()));
    }
  }
  constexpr int kAttempts = 2000;
  for (int attempt = 0; ::rmdir(folder.c_str()) != 0; ++attempt) {
    const int rmdir_errno = errno;
    if (rmdir_errno == ENOENT) {
      break;
    }
    if (rmdir_errno != EBUSY || attempt == kAttempts) {
      return Fail(SystemError(rmdir_errno, "removing the cgroup " + folder));
    }
    (void)::nanosleep(&kPause, nullptr);
  }
  return {};
}

void AddProcesses(const std::string& folder, std::set<pid_t>& processes) {
  const Expected<std::string> text = ReadFile(folder + "/cgroup.procs", kControlFileLimit);
  for (const std::string& line : Split(text ? *text : std::string(), '\n')) {
    if (const auto pid = ParseUnsigned(line); pid && *pid > 0) {
      processes.insert(static_cast<pid_t>(*pid));
    }
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) {
      AddProcesses(entry.path().string(), processes);
    }
  }
}

struct Freezer {
  std::string file;
  bool is_v2 = false;
};

std::optional<Freezer> FindFreezer(const std::vector<OciCgroups::Place>& places) {
  for (const OciCgroups::Place& place : places) {
    if (Has(place.hierarchy.controllers, "freezer")) {
      return Freezer{place.folder + "/freezer.state", false};
    }
  }
  for (const OciCgroups::Place& place : places) {
    if (place.hierarchy.is_v2()) {
      return Freezer{place.folder + "/cgroup.freeze", true};
    }
  }
  return std::nullopt;
}

bool IsFrozenNow(const Freezer& freezer) {
  if (!freezer.is_v2) {
    return ReadLine(freezer.file) == "FROZEN";
  }
  const std::string folder = freezer.file.substr(0, freezer.file.rfind('/'));
  const Expected<std::string> events = ReadFile(folder + "/cgroup.events", kControlFileLimit);
  return events && events->find("frozen 1") != std::string::npos;
}

/// Whether it was asked to be frozen, be it by the folder itself.
bool IsFreezing(const Freezer& freezer) {
  const std::string state = ReadLine(freezer.file);
  return freezer.is_v2 ? state == "1" : state == "FROZEN" || state == "FREEZING";
}

Expected<Freezer> RequireFreezer(const std::vector<OciCgroups::Place>& places) {
  std::optional<Freezer> freezer = FindFreezer(places);
  if (!freezer) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "the container has no cgroup that can be frozen: neither a freezer of "
                          "cgroup v1 nor cgroup v2"));
  }
  return *std::move(freezer);
}

}  // namespace

std::vector<OciHierarchy> ParseOciHierarchies(std::string_view proc_self_cgroup,
                                              std::string_view mountinfo) {
  const std::vector<CgroupMount> mounts = ParseCgroupMounts(mountinfo);
  std::vector<OciHierarchy> found;
  for (const CgroupMembership& membership : ParseCgroupMemberships(proc_self_cgroup)) {
    OciHierarchy hierarchy{
        .controllers = membership.controllers, .mount = {}, .own = membership.path};
    const auto mount = std::ranges::find_if(mounts, [&](const CgroupMount& one) {
      const bool fits = hierarchy.is_v2() ? one.type == "cgroup2"
                                          : one.type == "cgroup" &&
                                                Has(one.options, hierarchy.controllers.front());
      return fits && (one.root == "/" || one.root == hierarchy.own);
    });
    if (mount == mounts.end()) {
      continue;
    }
    hierarchy.mount = mount->point;
    if (mount->root != "/") {
      hierarchy.own = "/";  // all that is shown is the caller's own
    }
    found.push_back(std::move(hierarchy));
  }
  return found;
}

Expected<OciCgroups> OciCgroups::Create(const std::vector<OciHierarchy>& hierarchies,
                                        const std::string& path) {
  if (Has(Split(path, '/'), "..")) {
    return Fail(InvalidInput("linux.cgroupsPath: " + Quote(path) + " leads out of its place"));
  }
  OciCgroups cgroups;
  for (const OciHierarchy& hierarchy : hierarchies) {
    const std::string full = path.starts_with('/') ? path : hierarchy.own + "/" + path;
    const Expected<bool> made = MakeFolders(hierarchy, full);
    if (!made) {
      if (MayBeLeftOut(made.error())) {
        continue;
      }
      (void)cgroups.Remove();
      return Fail(made.error());
    }
    std::string folder = hierarchy.mount;
    for (const std::string& part : Split(full, '/')) {
      folder += part.empty() ? "" : "/" + part;
    }
    cgroups.places_.push_back({hierarchy, folder});
    // All that is in there, and below, would be held and killed with the container.
    std::set<pid_t> processes;
    if (!*made) {
      AddProcesses(folder, processes);
    }
    if (!processes.empty()) {
      cgroups.places_.pop_back();
      (void)cgroups.Remove();
      return Fail(InvalidInput("linux.cgroupsPath: in " + folder +
                               ", or below it, there is a process already"));
    }
  }
  return cgroups;
}

OciCgroups OciCgroups::Open(const std::vector<OciHierarchy>& hierarchies,
                            const std::vector<std::string>& folders) {
  OciCgroups cgroups;
  for (const std::string& folder : folders) {
    for (const OciHierarchy& hierarchy : hierarchies) {
      if (folder.starts_with(hierarchy.mount + "/") && ::access(folder.c_str(), F_OK) == 0) {
        cgroups.places_.push_back({hierarchy, folder});
        break;
      }
    }
  }
  return cgroups;
}

const OciCgroups::Place* OciCgroups::FindController(const std::string& controller) const {
  const auto found = std::ranges::find_if(
      places_, [&](const Place& place) { return Has(place.hierarchy.controllers, controller); });
  return found == places_.end() ? V2() : &*found;
}

const OciCgroups::Place* OciCgroups::V2() const {
  const auto found =
      std::ranges::find_if(places_, [](const Place& place) { return place.hierarchy.is_v2(); });
  return found == places_.end() ? nullptr : &*found;
}

Status OciCgroups::Write(const std::string& controller, const std::string& files,
                         const std::string& value) const {
  const Place* const place = controller.empty() ? V2() : FindController(controller);
  if (place == nullptr) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          fmt::format("linux.resources: {} cannot be held: the container has no "
                                      "cgroup of the {} controller",
                                      files, controller)));
  }
  for (const std::string& file : Split(files, '|')) {
    const std::string path = place->folder + "/" + file;
    if (::access(path.c_str(), F_OK) == 0) {
      return WriteControl(path, value);
    }
  }
  return Fail(MakeError(ErrorCode::kUnsupported,
                        fmt::format("linux.resources: {} cannot be held: this kernel has no such "
                                    "file in {}",
                                    files, place->folder)));
}

/// v1 refuses a limit below what is used; v2 would kill.
Status OciCgroups::CheckMemoryFits(std::int64_t limit) const {
  const Place* const place = V2();
  const auto used =
      ParseUnsigned(place == nullptr ? "" : ReadLine(place->folder + "/memory.current"));
  if (limit > 0 && used && *used > static_cast<std::uint64_t>(limit)) {
    return Fail(InvalidInput(fmt::format(
        "linux.resources.memory: the limit is {} bytes, and {} are in use already", limit, *used)));
  }
  return {};
}

Status OciCgroups::Apply(const OciResources& resources) const {
  OciControllers controllers;
  for (const Place& place : places_) {
    controllers.has_v2 = controllers.has_v2 || place.hierarchy.is_v2();
    controllers.v1.insert(place.hierarchy.controllers.begin(), place.hierarchy.controllers.end());
  }
  ASSIGN_OR_RETURN(std::vector<OciCgroupWrite> writes, OciCgroupWrites(resources, controllers));
  if (resources.memory_check_before_update.value_or(false) && !controllers.v1.contains("memory")) {
    RETURN_IF_ERROR(CheckMemoryFits(resources.memory_limit.value_or(0)));
  }
  // Of two limits that bound each other either may have to be first: EINVAL, and EBUSY of memory,
  // are tried again after the others.
  std::vector<OciCgroupWrite> late;
  for (const OciCgroupWrite& write : writes) {
    const Status written = Write(write.controller, write.file, write.value);
    if (!written && (written.error().sys_errno == EINVAL || written.error().sys_errno == EBUSY)) {
      late.push_back(write);
    } else if (!written) {
      return written;
    }
  }
  for (const OciCgroupWrite& write : late) {
    RETURN_IF_ERROR(Write(write.controller, write.file, write.value));
  }
  if (resources.devices.empty()) {
    return {};
  }
  if (!controllers.v1.contains("devices")) {
    if (places_.empty() || !IsRootOfHost()) {
      return {};  // no cgroup, or a user namespace, where no device can be made or opened anyway
    }
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "linux.resources.devices: cordon-runtime needs the devices controller of "
                          "cgroup v1"));
  }
  for (const OciCgroupWrite& write : OciDeviceWrites(resources.devices)) {
    RETURN_IF_ERROR(Write(write.controller, write.file, write.value));
  }
  return {};
}

Expected<std::vector<UniqueFd>> OciCgroups::OpenTaskFiles() const {
  std::vector<UniqueFd> files;
  for (const Place& place : places_) {
    if (!place.hierarchy.is_v2()) {
      ASSIGN_OR_RETURN(UniqueFd file, OpenAt(AT_FDCWD, place.folder + "/tasks", O_WRONLY));
      files.push_back(std::move(file));
    }
  }
  return files;
}

Expected<UniqueFd> OciCgroups::OpenV2Folder() const {
  const Place* const place = V2();
  return place == nullptr ? Expected<UniqueFd>(UniqueFd())
                          : OpenAt(AT_FDCWD, place->folder, O_RDONLY | O_DIRECTORY);
}

std::vector<std::string> OciCgroups::folders() const {
  std::vector<std::string> list;
  list.reserve(places_.size());
  for (const Place& place : places_) {
    list.push_back(place.folder);
  }
  return list;
}

std::vector<pid_t> OciCgroups::Processes() const {
  std::set<pid_t> processes;
  // All hierarchies hold the same: one is enough, and the named ones are not always there.
  const Place* place = FindController("pids");
  if (place == nullptr && !places_.empty()) {
    place = &places_.front();
  }
  if (place != nullptr) {
    AddProcesses(place->folder, processes);
  }
  return {processes.begin(), processes.end()};
}

Status OciCgroups::Freeze() const {
  ASSIGN_OR_RETURN(const Freezer freezer, RequireFreezer(places_));
  constexpr int kAttempts = 1000;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    // v1 needs the word again where a task forked meanwhile (freezer-subsystem.rst).
    RETURN_IF_ERROR(WriteControl(freezer.file, freezer.is_v2 ? "1" : "FROZEN"));
    if (IsFrozenNow(freezer)) {
      return {};
    }
    (void)::nanosleep(&kPause, nullptr);
  }
  (void)Thaw();
  return Fail(SystemError(ETIMEDOUT, "freezing " + freezer.file));
}

Status OciCgroups::Thaw() const {
  ASSIGN_OR_RETURN(const Freezer freezer, RequireFreezer(places_));
  return WriteControl(freezer.file, freezer.is_v2 ? "0" : "THAWED");
}

bool OciCgroups::IsFrozen() const {
  const std::optional<Freezer> freezer = FindFreezer(places_);
  return freezer && IsFreezing(*freezer);
}

Status OciCgroups::Remove() const {
  for (const Place& place : places_) {
    RETURN_IF_ERROR(RemoveTree(place.folder));
  }
  return {};
}

}  // namespace cordon
