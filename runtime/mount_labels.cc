#include "runtime/mount_labels.h"

#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "common/file.h"

namespace cordon {
namespace {

constexpr std::size_t kLabelLimit = 4096;

/// mount(8), "mount options for selinux"
constexpr std::array<std::string_view, 4> kLabelParameters{"context", "defcontext", "fscontext",
                                                           "rootcontext"};

bool HasLabel(const MountStep& mount) {
  return std::ranges::any_of(mount.parameters, [](const auto& parameter) {
    return std::ranges::find(kLabelParameters, parameter.first) != kLabelParameters.end();
  });
}

std::string WithoutEnd(std::string label) {
  while (!label.empty() && (label.back() == '\0' || label.back() == '\n')) {
    label.pop_back();
  }
  return label;
}

}  // namespace

std::string FileLabel(const std::string& path) {
  std::array<char, kLabelLimit> label{};
  const ssize_t length = ::lgetxattr(path.c_str(), "security.selinux", label.data(), label.size());
  return length <= 0 ? "" : WithoutEnd({label.data(), static_cast<std::size_t>(length)});
}

std::string ProcessLabel(pid_t pid) {
  // Without an LSM that labels, reading fails with EINVAL (proc_pid_attr(5)).
  const Expected<std::string> label =
      ReadFile("/proc/" + std::to_string(pid) + "/attr/current", kLabelLimit);
  return label ? WithoutEnd(*label) : "";
}

void LabelMounts(LaunchPlan& plan) {
  for (MountStep& mount : plan.mounts) {
    if (mount.kind != MountKind::kFileSystem || mount.type != "tmpfs" || HasLabel(mount)) {
      continue;
    }
    const std::string root = plan.root_path == "/" ? "" : plan.root_path;
    if (std::string label = FileLabel(root + mount.destination); !label.empty()) {
      mount.parameters.emplace_back("rootcontext", std::move(label));
    }
  }
}

}  // namespace cordon
