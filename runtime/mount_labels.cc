#include "runtime/mount_labels.h"

#include <sys/xattr.h>

#include <array>
#include <string>

#include "common/file.h"

namespace cordon {
namespace {

constexpr std::size_t kLabelLimit = 4096;

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
    if (mount.kind != MountKind::kFileSystem || mount.type != "tmpfs") {
      continue;
    }
    const std::string root = plan.root_path == "/" ? "" : plan.root_path;
    if (std::string label = FileLabel(root + mount.destination); !label.empty()) {
      mount.parameters.emplace_back("rootcontext", std::move(label));
    }
  }
}

}  // namespace cordon
