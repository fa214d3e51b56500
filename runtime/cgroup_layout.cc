#include "runtime/cgroup_layout.h"

#include <algorithm>
#include <vector>

#include "common/text.h"

namespace cordon {
namespace {

/// One line of mountinfo, as far as it concerns cgroups.
struct CgroupMount {
  std::string root;  ///< the folder of the hierarchy that is mounted
  std::string point;
  std::string type;  ///< "cgroup" or "cgroup2"
  std::vector<std::string> options;
};

/// mountinfo writes space, tab, newline and backslash as \ooo (proc(5)).
std::string Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::vector<CgroupMount> ParseMounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  for (const std::string& line : Split(mountinfo, '\n')) {
    // 36 35 98:0 ROOT POINT OPTIONS [TAG…] - TYPE SOURCE SUPER_OPTIONS
    const std::vector<std::string> fields = Split(line, ' ');
    const auto dash = std::ranges::find(fields, "-");
    if (fields.size() < 9 || fields.end() - dash < 4) {
      continue;
    }
    if (*(dash + 1) == "cgroup" || *(dash + 1) == "cgroup2") {
      mounts.push_back(
          {Unescape(fields[3]), Unescape(fields[4]), *(dash + 1), Split(*(dash + 3), ',')});
    }
  }
  return mounts;
}

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
  const std::vector<CgroupMount> mounts = ParseMounts(mountinfo);
  CgroupLayout layout;
  for (const std::string& line : Split(proc_self_cgroup, '\n')) {
    // ID:CONTROLLER,…:PATH; a path may hold colons.
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
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
        for (const std::string& controller : Split(controllers, ',')) {
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
