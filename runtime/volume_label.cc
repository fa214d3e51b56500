#include "runtime/volume_label.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "common/file.h"
#include "common/text.h"

namespace cordon {
namespace {

constexpr const char* kAttribute = "security.selinux";
constexpr std::size_t kMaxDepth = 256;

/// Relabelling one of these, or all beneath it, takes the host's own programs their files.
constexpr std::array<std::string_view, 20> kSystemFolders{
    "/",    "/bin",  "/boot", "/dev", "/etc",  "/home", "/lib", "/lib64", "/media", "/mnt",
    "/opt", "/proc", "/root", "/run", "/sbin", "/srv",  "/sys", "/tmp",   "/usr",   "/var"};

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

using Folder = std::unique_ptr<DIR, CloseFolder>;

std::string LevelOf(std::string_view label) {
  // user:role:type:level, and a level may hold colons itself.
  const std::vector<std::string> fields = Split(label, ':');
  return fields.size() < 4 ? "s0" : Join({fields.begin() + 3, fields.end()}, ":");
}

Status LabelOne(int file, const std::string& path, const std::string& label) {
  // An O_PATH descriptor takes no fsetxattr(2); its magic link leads to just that inode.
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  if (::setxattr(link.c_str(), kAttribute, label.c_str(), label.size() + 1, 0) != 0) {
    const int label_errno = errno;
    return Fail(SystemError(label_errno, "writing the SELinux label of " + Quote(path)));
  }
  return {};
}

/// `entry` is O_PATH. Everything is on the file system `device`.
Status LabelTree(const UniqueFd& entry, const std::string& path, const std::string& label,
                 dev_t device, std::size_t depth) {
  struct stat status{};
  if (::fstat(entry.get(), &status) != 0) {
    const int stat_errno = errno;
    return Fail(SystemError(stat_errno, "labelling " + Quote(path)));
  }
  if (status.st_dev != device) {
    return {};
  }
  RETURN_IF_ERROR(LabelOne(entry.get(), path, label));
  if (!S_ISDIR(status.st_mode)) {
    return {};
  }
  if (depth >= kMaxDepth) {
    return Fail(MakeError(ErrorCode::kLimit, "labelling " + Quote(path) + ": more than " +
                                                 std::to_string(kMaxDepth) + " folders deep"));
  }
  ASSIGN_OR_RETURN(UniqueFd opened, OpenAt(entry.get(), ".", O_RDONLY | O_DIRECTORY));
  const Folder folder(::fdopendir(opened.get()));
  if (folder == nullptr) {
    const int open_errno = errno;
    return Fail(SystemError(open_errno, "reading " + Quote(path)));
  }
  (void)opened.Release();
  while (const dirent* found = ::readdir(folder.get())) {
    const std::string name = static_cast<const char*>(found->d_name);
    if (name == "." || name == "..") {
      continue;
    }
    const Expected<UniqueFd> below = OpenAt(entry.get(), name, O_PATH | O_NOFOLLOW);
    if (!below && below.error().sys_errno == ENOENT) {
      continue;  // removed meanwhile
    }
    if (!below) {
      return Fail(below.error());
    }
    std::string below_path = path;
    below_path.append("/").append(name);
    RETURN_IF_ERROR(LabelTree(*below, below_path, label, device, depth + 1));
  }
  return {};
}

}  // namespace

std::string VolumeLabel(std::string_view process_label, VolumeSharing sharing) {
  return "system_u:object_r:container_file_t:" +
         (sharing == VolumeSharing::kPrivate ? LevelOf(process_label) : std::string("s0"));
}

Status RelabelVolume(const std::string& path, const std::string& label) {
  if (std::ranges::find(kSystemFolders, path) != kSystemFolders.end()) {
    return Fail(InvalidInput("--volume " + Quote(path) +
                             ": z and Z would give this folder of the system another SELinux "
                             "label: name one that is the workload's"));
  }
  ASSIGN_OR_RETURN(const UniqueFd entry, OpenAt(AT_FDCWD, path, O_PATH | O_NOFOLLOW));
  struct stat status{};
  if (::fstat(entry.get(), &status) != 0) {
    const int stat_errno = errno;
    return Fail(SystemError(stat_errno, "labelling " + Quote(path)));
  }
  return LabelTree(entry, path, label, status.st_dev, 0);
}

}  // namespace cordon
