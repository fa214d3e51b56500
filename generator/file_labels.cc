#include "generator/file_labels.h"

#include <fmt/format.h>
#include <selinux/label.h>
#include <selinux/selinux.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <optional>

#include "common/text.h"
#include "common/unique_fd.h"
#include "generator/path_names.h"

namespace cordon {
namespace {

/// Where Linux systems mount the file systems that keep no labels of their own (FHS 3.0, systemd's
/// mount-setup.c). The deepest mount above a path decides, so deeper ones stand first.
struct KnownMount {
  std::string_view path;
  std::string_view filesystem;
};

constexpr auto kKnownMounts = std::to_array<KnownMount>({
    {"/proc/sys/fs/binfmt_misc", "binfmt_misc"},
    {"/sys/fs/cgroup", "cgroup2"},
    {"/sys/fs/selinux", "selinuxfs"},
    {"/sys/fs/pstore", "pstore"},
    {"/sys/fs/bpf", "bpf"},
    {"/sys/fs/fuse/connections", "fusectl"},
    {"/sys/kernel/debug", "debugfs"},
    {"/sys/kernel/tracing", "tracefs"},
    {"/sys/kernel/security", "securityfs"},
    {"/sys/kernel/config", "configfs"},
    {"/dev/hugepages", "hugetlbfs"},
    {"/dev/mqueue", "mqueue"},
    {"/dev/shm", "tmpfs"},
    {"/sys", "sysfs"},
    {"/proc", "proc"},
});

mode_t ModeOf(FileClass file_class) {
  switch (file_class) {
    case FileClass::kFile:
      return S_IFREG;
    case FileClass::kDirectory:
      return S_IFDIR;
    case FileClass::kSymlink:
      return S_IFLNK;
    case FileClass::kCharacter:
      return S_IFCHR;
    case FileClass::kBlock:
      return S_IFBLK;
    case FileClass::kFifo:
      return S_IFIFO;
    case FileClass::kSocket:
      return S_IFSOCK;
    case FileClass::kAnonymous:
      return 0;
  }
  return 0;
}

/// The type of "user:role:type:range".
std::string TypeInContext(std::string_view context) {
  const std::vector<std::string> parts = Split(context, ':');
  return parts.size() >= 3 ? parts[2] : std::string();
}

int DropMessage(int /*type*/, const char* /*format*/, ...) {
  return 0;
}  // NOLINT(cert-dcl50-cpp): libselinux's type

std::vector<std::pair<std::string, std::string>> ParseSubstitutions(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& line : Split(text, '\n')) {
    std::vector<std::string> words;
    for (std::string& word : Split(line, ' ')) {
      if (!word.empty()) {
        words.push_back(std::move(word));
      }
    }
    if (words.size() == 2 && words[0].starts_with('/')) {
      pairs.emplace_back(words[0], words[1]);
    }
  }
  std::ranges::stable_sort(
      pairs, [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  return pairs;
}

/// A path below /proc/TASK.
struct TaskPath {
  bool own = false;        ///< the workload's own task, which recordings write as /proc/self
  std::string_view below;  ///< "net/tcp"
};

std::optional<TaskPath> BelowTask(std::string_view path) {
  constexpr std::string_view kProc = "/proc/";
  if (!path.starts_with(kProc)) {
    return std::nullopt;
  }
  std::string_view rest = path.substr(kProc.size());
  const std::size_t end = std::min(rest.find('/'), rest.size());
  const std::string_view task = rest.substr(0, end);
  const bool number =
      !task.empty() && std::ranges::all_of(task, [](unsigned char c) { return std::isdigit(c); });
  if (!number && task != "self" && task != "thread-self") {
    return std::nullopt;
  }
  return TaskPath{.own = !number,
                  .below = end == rest.size() ? std::string_view() : rest.substr(end + 1)};
}

}  // namespace

std::string BaseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

void FileLabels::Close::operator()(selabel_handle* handle) const {
  selabel_close(handle);
}

Expected<FileLabels> FileLabels::Create(std::string_view file_contexts,
                                        std::string_view substitutions, const PolicyFacts& facts) {
  // libselinux reads files only; a memory file has a name in /proc/self/fd and none of the
  // companions (.bin, .subs) that it would look for.
  const UniqueFd file(memfd_create("file_contexts", MFD_CLOEXEC));
  if (!file.valid()) {
    return Fail(SystemError(errno, "memfd_create"));
  }
  std::string_view rest = file_contexts;
  while (!rest.empty()) {
    const ssize_t written = write(file.get(), rest.data(), rest.size());
    if (written < 0) {
      return Fail(SystemError(errno, "write to a memory file"));
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  selinux_callback silent{};
  silent.func_log = &DropMessage;
  selinux_set_callback(SELINUX_CB_LOG, silent);
  const std::string path = fmt::format("/proc/self/fd/{}", file.get());
  const std::array<selinux_opt, 1> options{{{SELABEL_OPT_PATH, path.c_str()}}};
  FileLabels labels;
  labels.handle_.reset(selabel_open(SELABEL_CTX_FILE, options.data(), options.size()));
  if (labels.handle_ == nullptr) {
    return Fail(
        InvalidInput("the file contexts of the SELinux target could not be read by libselinux"));
  }
  labels.substitutions_ = ParseSubstitutions(substitutions);
  labels.filesystem_prefixes_ = facts.filesystem_prefixes;
  labels.filesystem_types_ = facts.filesystem_types;
  return labels;
}

std::string FileLabels::Substituted(const std::string& path) const {
  for (const auto& [alias, original] : substitutions_) {
    if (IsAtOrBeneath(path, alias)) {
      return original + path.substr(alias.size());
    }
  }
  return path;
}

std::string FileLabels::GenfsType(std::string_view filesystem, std::string_view path) const {
  const FilesystemPrefix* best = nullptr;
  for (const FilesystemPrefix& candidate : filesystem_prefixes_) {
    // The kernel compares prefixes of the string, not of components (security/selinux/ss/services.c
    // __security_genfs_sid).
    if (candidate.filesystem == filesystem && path.starts_with(candidate.prefix) &&
        (best == nullptr || candidate.prefix.size() > best->prefix.size())) {
      best = &candidate;
    }
  }
  return best == nullptr ? std::string() : best->type;
}

std::optional<std::string> FileLabels::UnlabelledFilesystemType(std::string_view path,
                                                                FileClass file_class) const {
  const std::optional<TaskPath> task = BelowTask(path);
  if (task.has_value() && (task->below == "net" || task->below.starts_with("net/"))) {
    // selinux_genfs_get_sid strips the task's part from the entries that proc_net makes.
    return GenfsType("proc", fmt::format("/{}", task->below));
  }
  const bool link_to_task =
      task.has_value() && task->below.empty() && file_class == FileClass::kSymlink;
  if (task.has_value() && !link_to_task) {
    return task->own ? "self" : "";
  }
  for (const KnownMount& mount : kKnownMounts) {
    if (!IsAtOrBeneath(path, mount.path)) {
      continue;
    }
    const std::string_view inside =
        path.size() == mount.path.size() ? "/" : path.substr(mount.path.size());
    std::string type = GenfsType(mount.filesystem, inside);
    if (type.empty()) {
      const auto found = filesystem_types_.find(std::string(mount.filesystem));
      type = found == filesystem_types_.end() ? std::string() : found->second;
    }
    if (!type.empty()) {
      return type;
    }
  }
  return std::nullopt;
}

std::string FileLabels::Look(const std::string& path, FileClass file_class) const {
  const auto key = std::pair(path, file_class);
  if (const auto found = cache_.find(key); found != cache_.end()) {
    return found->second;
  }
  char* context = nullptr;
  std::string type;
  if (selabel_lookup_raw(handle_.get(), &context, Substituted(path).c_str(),
                         static_cast<int>(ModeOf(file_class))) == 0) {
    type = TypeInContext(context);
    freecon(context);
  }
  cache_.emplace(key, type);
  return type;
}

bool FileLabels::Names(const std::string& path, FileClass file_class) const {
  const std::string type = Look(path, file_class);
  return !type.empty() && type != "default_t";
}

std::string FileLabels::TypeOf(const std::string& path, FileClass file_class) const {
  if (std::optional<std::string> type = UnlabelledFilesystemType(path, file_class);
      type.has_value()) {
    return *type;
  }
  std::string type = Look(path, file_class);
  if (type.empty() && path != "/") {
    return TypeOf(ParentPath(path), FileClass::kDirectory);
  }
  return type;
}

}  // namespace cordon
