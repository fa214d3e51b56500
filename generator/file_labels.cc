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

/// May `regex` be of the form `ONE|OTHER` as a whole?
bool HasAlternatives(std::string_view regex) {
  int depth = 0;
  for (std::size_t at = 0; at < regex.size(); ++at) {
    const char c = regex[at];
    if (c == '\\') {
      ++at;
    } else if (c == '[') {
      return regex.contains('|');  // parentheses may stand for themselves in there
    } else if (c == '(' || c == ')') {
      depth += c == '(' ? 1 : -1;
    } else if (c == '|' && depth <= 0) {
      return true;
    }
  }
  return false;
}

/// What every path begins with that the regular expression at the beginning of `line` matches.
std::string LiteralBeginning(std::string_view line) {
  const std::size_t start = line.find_first_not_of(" \t");
  if (start == std::string_view::npos || line[start] != '/') {
    return {};
  }
  const std::string_view regex = line.substr(start, line.find_first_of(" \t", start) - start);
  std::string literal;
  if (HasAlternatives(regex)) {
    return literal;  // each may begin in another way
  }
  for (std::size_t at = 0; at < regex.size(); ++at) {
    const char c = regex[at];
    if (c == '\\' && at + 1 < regex.size() &&
        std::ispunct(static_cast<unsigned char>(regex[at + 1])) != 0) {
      literal += regex[++at];
    } else if (std::string_view("\\.^$?*+|[](){}").contains(c)) {
      // These say that the character before them may be missing.
      if (c == '?' || c == '*' || c == '{') {
        literal.resize(literal.empty() ? 0 : literal.size() - 1);
      }
      break;
    } else {
      literal += c;
    }
  }
  return literal;
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

Expected<FileLabels::Handle> FileLabels::Open(std::string_view file_contexts) {
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
  Handle handle(selabel_open(SELABEL_CTX_FILE, options.data(), options.size()));
  if (handle == nullptr) {
    return Fail(
        InvalidInput("the file contexts of the SELinux target could not be read by libselinux"));
  }
  return handle;
}

Expected<FileLabels> FileLabels::Create(std::string_view file_contexts,
                                        std::string_view substitutions, const PolicyFacts& facts) {
  FileLabels labels;
  ASSIGN_OR_RETURN(labels.all_, Open(file_contexts));
  for (std::string& line : Split(file_contexts, '\n')) {
    const std::size_t start = line.find_first_not_of(" \t");
    if (start == std::string::npos || line[start] == '#') {
      continue;
    }
    labels.lines_.push_back({.literal = LiteralBeginning(line),
                             .text = std::move(line),
                             .place = labels.lines_.size()});
  }
  std::ranges::sort(labels.lines_, {}, &Line::literal);
  labels.substitutions_ = ParseSubstitutions(substitutions);
  labels.filesystem_prefixes_ = facts.filesystem_prefixes;
  labels.filesystem_types_ = facts.filesystem_types;
  return labels;
}

/// A line that matches a path in a folder has a literal that the folder's name begins with, or that
/// begins with it. The folder is the deepest above the path that a literal goes into: so there are
/// no more of them than lines.
selabel_handle* FileLabels::HandleFor(const std::string& path) const {
  const auto from = [this](std::string_view literal) {
    return std::ranges::lower_bound(lines_, literal, {}, &Line::literal);
  };
  std::string folder = "/";
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string deeper = path.substr(0, slash + 1);
    const auto line = from(deeper);
    if (line == lines_.end() || !line->literal.starts_with(deeper)) {
      break;
    }
    folder = deeper;
  }
  if (folder == "/") {
    return all_.get();
  }
  if (const auto found = handles_.find(folder); found != handles_.end()) {
    return found->second.get();
  }
  std::vector<const Line*> some;
  for (std::size_t size = 0; size < folder.size(); ++size) {
    const std::string_view literal = std::string_view(folder).substr(0, size);
    for (auto line = from(literal); line != lines_.end() && line->literal == literal; ++line) {
      some.push_back(&*line);
    }
  }
  for (auto line = from(folder); line != lines_.end() && line->literal.starts_with(folder);
       ++line) {
    some.push_back(&*line);
  }
  // The last of the lines that match wins.
  std::ranges::sort(some, {}, &Line::place);
  std::string text;
  for (const Line* line : some) {
    text += line->text + "\n";
  }
  Expected<Handle> handle = Open(text);
  return handles_.emplace(folder, handle.has_value() ? std::move(*handle) : nullptr)
      .first->second.get();
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
  const std::string substituted = Substituted(path);
  selabel_handle* const some = HandleFor(substituted);
  if (selabel_lookup_raw(some == nullptr ? all_.get() : some, &context, substituted.c_str(),
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
