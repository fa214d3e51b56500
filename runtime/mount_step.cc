#include "runtime/mount_step.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "common/text.h"
#include "runtime/mount_attributes.h"

namespace cordon {
namespace {

/// A mount is private unless it says otherwise, so these say nothing new.
constexpr std::array<std::string_view, 3> kNeutralOptions{"private", "rprivate", "defaults"};
constexpr std::array<std::string_view, 2> kSlaveOptions{"slave", "rslave"};
constexpr std::array<std::string_view, 2> kIdmapOptions{"idmap", "ridmap"};
constexpr std::array<std::string_view, 4> kPropagationOptions{"shared", "rshared", "unbindable",
                                                              "runbindable"};

template <std::size_t kSize>
bool Has(const std::array<std::string_view, kSize>& list, std::string_view option) {
  return std::ranges::find(list, option) != list.end();
}

bool HasParentStep(std::string_view path) {
  const std::vector<std::string> parts = Split(path, '/');
  return std::ranges::find(parts, "..") != parts.end();
}

}  // namespace

Expected<MountStep> PlanMount(const Mount& mount) {
  MountStep step;
  step.destination = mount.destination;
  step.source = mount.source;
  step.type = mount.type;
  if (mount.destination.empty() || mount.destination.front() != '/' ||
      HasParentStep(mount.destination)) {
    return Fail(InvalidInput("mount on " + Quote(mount.destination) +
                             ": the destination must be an absolute path without '..'"));
  }
  while (step.destination.size() > 1 && step.destination.back() == '/') {
    step.destination.pop_back();
  }
  step.kind = mount.type == "bind" ? MountKind::kBind : MountKind::kFileSystem;
  for (const std::string& option : mount.options) {
    if (option == "bind" || option == "rbind") {
      step.kind = MountKind::kBind;
      step.recursive = option == "rbind";
    } else if (const MountAttribute* attribute = FindMountAttribute(option)) {
      step.attributes_set = (step.attributes_set & ~attribute->clear) | attribute->set;
      step.attributes_clear |= attribute->clear;
    } else if (Has(kSlaveOptions, option)) {
      step.propagation = MountPropagation::kSlave;
    } else if (Has(kIdmapOptions, option)) {
      step.idmapped = true;
    } else if (Has(kPropagationOptions, option)) {
      return Fail(InvalidInput("mount on " + Quote(mount.destination) + ": propagation '" + option +
                               "' is not supported: a mount is private, or rslave"));
    } else if (!Has(kNeutralOptions, option)) {
      const std::size_t equals = option.find('=');
      std::string value = equals == std::string::npos ? "" : option.substr(equals + 1);
      // mount(8) has SELinux contexts, in which there are commas, in quotes, which fsconfig(2) does
      // not know.
      if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      step.parameters.emplace_back(option.substr(0, equals), std::move(value));
    }
  }
  if (step.kind == MountKind::kBind) {
    if (step.source.empty() || step.source.front() != '/') {
      return Fail(InvalidInput("mount on " + Quote(mount.destination) +
                               ": the source of a bind mount must be an absolute path"));
    }
    if (!step.parameters.empty()) {
      return Fail(InvalidInput("mount on " + Quote(mount.destination) + ": option '" +
                               step.parameters.front().first + "' means nothing to a bind mount"));
    }
    step.type.clear();
  } else if (step.type.empty()) {
    return Fail(InvalidInput("mount on " + Quote(mount.destination) + ": no file system type"));
  } else if (step.idmapped || step.propagation != MountPropagation::kPrivate) {
    return Fail(InvalidInput("mount on " + Quote(mount.destination) +
                             ": rslave and idmap are for bind mounts"));
  }
  return step;
}

}  // namespace cordon
