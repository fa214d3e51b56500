#include "runtime/oci_mount_step.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "common/text.h"
#include "model/oci_spec_json.h"
#include "runtime/mount_attributes.h"

namespace cordon {
namespace {

/// Words of mount(8) that ask for what is so anyway, or for no more than silence.
constexpr std::array<std::string_view, 8> kNeutralOptions{
    "defaults", "async", "loud", "silent", "nolazytime", "nomand", "noiversion", "symfollow"};

/// Of a file system, not of a mount; fsconfig(2) takes them by these names.
constexpr std::array<std::string_view, 4> kSuperblockFlags{"sync", "dirsync", "lazytime", "mand"};

void Apply(const MountAttribute& option, std::uint64_t& set, std::uint64_t& clear) {
  set = (set & ~option.clear) | option.set;
  clear = (clear & ~option.set) | option.clear;
}

Error Mistake(const OciMount& mount, const std::string& what) {
  return InvalidInput("mount on " + Quote(mount.destination) + ": " + what);
}

/// False for what only the file system knows.
bool TakeOption(const std::string& option, OciMountStep& step) {
  if (const MountAttribute* attribute = FindMountAttribute(option)) {
    Apply(*attribute, step.attributes_set, step.attributes_clear);
    return true;
  }
  if (option == "bind" || option == "rbind") {
    step.kind = OciMountKind::kBind;
    step.recursive = option == "rbind";
    return true;
  }
  if (option == "remount") {
    step.kind = OciMountKind::kRemount;
    return true;
  }
  if (option == "idmap" || option == "ridmap") {
    step.idmapped = true;
    step.idmapped_below = option == "ridmap";
    return true;
  }
  if (option == "tmpcopyup") {
    step.copy_up = true;
    return true;
  }
  if (const auto mode = OciPropagationFromName(option)) {
    step.propagation = mode;
    return true;
  }
  if (option.starts_with('r')) {
    if (const MountAttribute* attribute = FindMountAttribute(std::string_view(option).substr(1))) {
      Apply(*attribute, step.below_set, step.below_clear);
      return true;
    }
  }
  return std::ranges::find(kNeutralOptions, option) != kNeutralOptions.end();
}

Status CheckBind(const OciMount& mount, const OciMountStep& step) {
  if (step.source.empty()) {
    return Fail(Mistake(mount, "a bind mount needs a source"));
  }
  if (step.copy_up) {
    return Fail(Mistake(mount, "tmpcopyup is for a tmpfs"));
  }
  for (const auto& [name, value] : step.parameters) {
    if (std::ranges::find(kSuperblockFlags, name) == kSuperblockFlags.end()) {
      return Fail(Mistake(mount, "option '" + name + "' means nothing to a bind mount"));
    }
  }
  return {};
}

Status CheckCgroup(const OciMount& mount, const OciMountStep& step) {
  // Settings of the whole host's tree, which the kernel takes from nobody in a container.
  constexpr std::array<std::string_view, 3> kOfTheHost{"nsdelegate", "memory_recursiveprot",
                                                       "memory_localevents"};
  for (const auto& [name, value] : step.parameters) {
    if (std::ranges::find(kOfTheHost, name) == kOfTheHost.end()) {
      return Fail(Mistake(mount, "option '" + name + "' means nothing to cgroups"));
    }
  }
  return {};
}

}  // namespace

Expected<OciMountStep> PlanOciMount(const OciMount& mount) {
  OciMountStep step;
  // The words alone: what is a link is seen inside the root. Others compare them.
  step.destination = (std::filesystem::path("/") / mount.destination).lexically_normal().string();
  while (step.destination.ends_with('/')) {
    step.destination.pop_back();
  }
  if (step.destination.empty()) {
    return Fail(Mistake(mount, "the root itself is what root.path says"));
  }
  step.source = mount.source;
  step.type = mount.type;
  step.uid_mappings = mount.uid_mappings;
  step.gid_mappings = mount.gid_mappings;
  if (mount.type == "bind") {
    step.kind = OciMountKind::kBind;
  } else if (mount.type == "cgroup" || mount.type == "cgroup2") {
    step.kind = OciMountKind::kCgroup;
  }
  for (const std::string& option : mount.options) {
    if (!TakeOption(option, step)) {
      const std::size_t equals = option.find('=');
      step.parameters.emplace_back(option.substr(0, equals), equals == std::string::npos
                                                                 ? std::string()
                                                                 : option.substr(equals + 1));
    }
  }
  if (step.kind == OciMountKind::kBind) {
    RETURN_IF_ERROR(CheckBind(mount, step));
    // mount(2) ignores them here, and so does everybody.
    step.parameters.clear();
    return step;
  }
  if (step.idmapped || !step.uid_mappings.empty()) {
    return Fail(Mistake(mount, "ids are mapped for bind mounts only"));
  }
  if (step.kind == OciMountKind::kCgroup) {
    RETURN_IF_ERROR(CheckCgroup(mount, step));
  }
  if (step.kind == OciMountKind::kRemount && (step.propagation || !step.parameters.empty())) {
    return Fail(Mistake(mount, "remount changes the attributes of a mount and nothing else"));
  }
  if (step.kind == OciMountKind::kFileSystem && step.type.empty()) {
    return Fail(Mistake(mount, "no type of file system"));
  }
  if (step.copy_up && step.type != "tmpfs") {
    return Fail(Mistake(mount, "tmpcopyup is for a tmpfs"));
  }
  return step;
}

}  // namespace cordon
