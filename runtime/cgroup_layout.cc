#include "runtime/cgroup_layout.h"

#include <algorithm>
#include <vector>

#include "common/text.h"
#include "runtime/cgroup_mounts.h"

namespace cordon {
namespace {

/// The folder of cgroup `path` below `mount`, or nothing when the mount shows another part of the
/// hierarchy.
std::optional<std::string> FolderOf(const CgroupMount& mount, const std::string& path) {
  if (mount.root == "/") {
    return path == "/" ? mount.point : mount.point + path;
  }
  if (path == mount.root) {
    return mount.point;
  }
  if (path.starts_with(mount.root + "/")) {
    return mount.point + path.substr(mount.root.size());
  }
  return std::nullopt;
}

}  // namespace

CgroupLayout ParseCgroupLayout(std::string_view proc_self_cgroup, std::string_view mountinfo) {
  const std::vector<CgroupMount> mounts = ParseCgroupMounts(mountinfo);
  CgroupLayout layout;
  for (const auto& [controllers, path] : ParseCgroupMemberships(proc_self_cgroup)) {
    for (const CgroupMount& mount : mounts) {
      const std::optional<std::string> folder = FolderOf(mount, path);
      if (!folder) {
        continue;
      }
      if (controllers.empty() && mount.type == "cgroup2" && !layout.v2) {
        layout.v2 = folder;
        layout.v2_root = mount.point;
      }
      if (!controllers.empty() && mount.type == "cgroup") {
        for (const std::string& controller : controllers) {
          if (std::ranges::find(mount.options, controller) != mount.options.end()) {
            layout.v1.try_emplace(controller, *folder);
            layout.v1_roots.try_emplace(controller, mount.point);
          }
        }
      }
    }
  }
  return layout;
}

Expected<CgroupLayout> BelowParent(CgroupLayout layout, const std::string& parent) {
  std::vector<std::string> parts = Split(parent, '/');
  std::erase(parts, "");
  if (parts.empty() || std::ranges::any_of(parts, [](const std::string& part) {
        return part == "." || part == "..";
      })) {
    return Fail(InvalidInput("--cgroup-parent " + Quote(parent) +
                             ": expected a path such as /services/web, without '..'"));
  }
  const std::string path = "/" + Join(parts, "/");
  const bool from_root = parent.front() == '/';
  for (auto& [controller, folder] : layout.v1) {
    folder = (from_root ? layout.v1_roots.at(controller) : folder) + path;
  }
  if (layout.v2) {
    layout.v2 = (from_root ? *layout.v2_root : *layout.v2) + path;
  }
  layout.placement = CgroupPlacement::kExactly;
  return layout;
}

}  // namespace cordon
