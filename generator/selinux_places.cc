#include "generator/selinux_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "generator/file_context_regex.h"
#include "generator/path_names.h"

namespace cordon {
namespace {

/// So many siblings that were read alike stand for their directory.
constexpr std::size_t kSiblingsForTree = 3;

struct SuffixRow {
  PrivateType type;
  std::string_view suffix;
};

constexpr auto kSuffixes = std::to_array<SuffixRow>({
    {PrivateType::kEntry, "exec"},
    {PrivateType::kConf, "conf"},
    {PrivateType::kLog, "log"},
    {PrivateType::kData, "data"},
    {PrivateType::kRun, "run"},
    {PrivateType::kTmp, "tmp"},
    {PrivateType::kTmpfs, "tmpfs"},
    {PrivateType::kPty, "devpts"},
});

/// Shared like those of hier(7), where a private type would take what others keep there.
constexpr auto kMoreSharedDirectories =
    std::to_array<std::string_view>({"/dev/shm", "/var/lock", "/var/run", "/var/www"});

/// Below these everything is the system's, whoever reads or writes it.
constexpr auto kSystemTrees = std::to_array<std::string_view>({
    "/bin",
    "/boot",
    "/dev",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/sbin",
    "/sys",
    "/usr",
});

/// Types that say no more than which part of the hierarchy a file is in.
constexpr auto kGeneralTypes = std::to_array<std::string_view>({
    "",           "admin_home_t", "default_t",   "etc_t",       "home_root_t",     "mnt_t",
    "root_t",     "tmp_t",        "tmpfs_t",     "unlabeled_t", "user_home_dir_t", "user_home_t",
    "user_tmp_t", "usr_t",        "var_cache_t", "var_lib_t",   "var_lock_t",      "var_log_t",
    "var_run_t",  "var_spool_t",  "var_t",
});

/// Entries of /etc that every program may depend on, even one that has their name.
constexpr auto kSharedEtc = std::to_array<std::string_view>({
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crontab",
    "default",
    "environment",
    "fstab",
    "gai.conf",
    "group",
    "gshadow",
    "host.conf",
    "hostname",
    "hosts",
    "init.d",
    "inputrc",
    "issue",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "login.defs",
    "machine-id",
    "mime.types",
    "motd",
    "mtab",
    "networks",
    "nsswitch.conf",
    "os-release",
    "pam.conf",
    "pam.d",
    "passwd",
    "profile",
    "protocols",
    "resolv.conf",
    "rpc",
    "security",
    "selinux",
    "services",
    "shadow",
    "shells",
    "ssl",
    "subgid",
    "subuid",
    "sudoers",
    "systemd",
    "terminfo",
    "timezone",
});

/// Programs that run anything: confining their file would confine every use of them.
constexpr auto kSharedPrograms = std::to_array<std::string_view>({
    "awk",     "bash", "busybox", "cat",  "cp",    "curl",   "dash",  "deno", "env",   "find",
    "gawk",    "git",  "gjs",     "grep", "guile", "head",   "java",  "ksh",  "ls",    "lua",
    "make",    "mawk", "mksh",    "mv",   "node",  "nodejs", "perl",  "php",  "pypy3", "python",
    "qjs",     "rm",   "ruby",    "sed",  "sh",    "sleep",  "socat", "tail", "tclsh", "test",
    "timeout", "true", "false",   "wget", "xargs", "zsh",
});

template <std::size_t N>
bool Contains(const std::array<std::string_view, N>& list, std::string_view value) {
  return std::ranges::find(list, value) != list.end();
}

bool InSystemTree(std::string_view path) {
  constexpr std::string_view kEtc = "/etc/";
  if (path.starts_with(kEtc)) {
    const std::string_view entry = path.substr(kEtc.size());
    return Contains(kSharedEtc, entry.substr(0, entry.find('/')));
  }
  return !IsAtOrBeneath(path, "/dev/shm") &&
         std::ranges::any_of(kSystemTrees,
                             [path](std::string_view tree) { return IsAtOrBeneath(path, tree); });
}

/// "python3.11" -> "python".
std::string_view WithoutVersion(std::string_view program) {
  return program.substr(0, program.find_last_not_of("0123456789.-") + 1);
}

/// The directory (or file) right below the deepest shared directory above `path`.
std::string Root(const std::string& path) {
  std::string root = path;
  for (std::string at = path; at != "/"; at = ParentPath(at)) {
    if (IsSharedDirectory(ParentPath(at))) {
      root = at;
      break;
    }
  }
  return root;
}

/// "redis-server" and "redis.conf" go with "redis": equal up to a separator or a plural.
bool SameName(std::string_view one, std::string_view other) {
  const std::string_view shorter = one.size() < other.size() ? one : other;
  const std::string_view longer = one.size() < other.size() ? other : one;
  return shorter.size() >= 3 && longer.starts_with(shorter) &&
         (longer.size() == shorter.size() ||
          std::string_view(".-_0123456789").contains(longer[shorter.size()]));
}

class PlaceFinder {
 public:
  PlaceFinder(const Recording& recording, const FileLabels& labels, std::string_view name)
      : recording_(recording), labels_(labels) {
    names_.insert(std::string(name));
  }

  WorkloadPlaces Find();

 private:
  void FindEntries();
  void FindWrittenRoots();
  void FindOwn();
  bool MakesTerminals() const;
  void FindTrees();
  void AddContexts();
  bool IsPassing(const FileKey& key, PrivateType type) const;
  bool IsOwn(const FileKey& key, FileAccessSet access) const;
  PrivateType TypeFor(const FileKey& key, FileAccessSet access) const;
  std::optional<PrivateType> TreeAbove(const std::string& path) const;
  bool BearsName(const std::string& root) const;

  const Recording& recording_;
  const FileLabels& labels_;
  std::set<std::string> names_;
  std::set<std::string> written_roots_;
  WorkloadPlaces places_;
};

void PlaceFinder::FindEntries() {
  for (const auto& [key, process] : recording_.processes) {
    if (!key.parent.empty() || !key.executable.starts_with('/')) {
      continue;
    }
    places_.entries.insert(key.executable);
    const std::string program = BaseName(key.executable);
    if (Contains(kSharedPrograms, WithoutVersion(program)) || Contains(kSharedPrograms, program)) {
      continue;
    }
    names_.insert(program);
    const FileKey file{key.executable, FileClass::kFile};
    const std::string type = labels_.TypeOf(file.path, file.file_class);
    if (type == "bin_t" || Contains(kGeneralTypes, type)) {
      places_.own.emplace(file, PrivateType::kEntry);
    }
  }
}

bool PlaceFinder::BearsName(const std::string& root) const {
  const std::string base = BaseName(root);
  return std::ranges::any_of(names_,
                             [&base](const std::string& name) { return SameName(base, name); });
}

void PlaceFinder::FindWrittenRoots() {
  for (const auto& [key, file] : recording_.files) {
    if (key.path.starts_with('/') && Changes(file.access) && !IsSharedDirectory(key.path)) {
      written_roots_.insert(Root(key.path));
    }
  }
}

bool PlaceFinder::IsOwn(const FileKey& key, FileAccessSet access) const {
  if (!key.path.starts_with('/') || InSystemTree(key.path) ||
      key.file_class == FileClass::kCharacter || key.file_class == FileClass::kBlock ||
      IsSharedDirectory(key.path) ||
      !Contains(kGeneralTypes, labels_.TypeOf(key.path, key.file_class))) {
    return false;
  }
  if (Changes(access)) {
    return true;
  }
  const bool used = access.HasAny({FileAccess::kOpen, FileAccess::kRead, FileAccess::kMap,
                                   FileAccess::kExecute, FileAccess::kMapExecute, FileAccess::kLock,
                                   FileAccess::kWatch, FileAccess::kReadLink});
  if (!used) {
    return false;  // looked at or walked through: no reason for a type of its own
  }
  const std::string root = Root(key.path);
  if (IsAtOrBeneath(root, "/etc")) {
    return BearsName(root);
  }
  if (IsAtOrBeneath(root, "/var") || IsAtOrBeneath(root, "/run")) {
    return BearsName(root) || written_roots_.contains(root);
  }
  return true;
}

PrivateType PlaceFinder::TypeFor(const FileKey& key, FileAccessSet access) const {
  if (!Changes(access)) {
    return PrivateType::kConf;
  }
  if (IsAtOrBeneath(key.path, "/tmp") || IsAtOrBeneath(key.path, "/var/tmp")) {
    return PrivateType::kTmp;
  }
  if (IsAtOrBeneath(key.path, "/run") || IsAtOrBeneath(key.path, "/var/run") ||
      IsAtOrBeneath(key.path, "/var/lock")) {
    return PrivateType::kRun;
  }
  if (IsAtOrBeneath(key.path, "/dev/shm")) {
    return PrivateType::kTmpfs;
  }
  const bool only_appends = access.Has(FileAccess::kAppend) && !access.Has(FileAccess::kWrite);
  const std::string directory = BaseName(ParentPath(key.path));
  if (IsAtOrBeneath(key.path, "/var/log") ||
      (only_appends && (key.path.ends_with(".log") || directory == "log" || directory == "logs"))) {
    return PrivateType::kLog;
  }
  return PrivateType::kData;
}

bool PlaceFinder::MakesTerminals() const {
  return std::ranges::any_of(
      std::array<std::string_view, 2>{"/dev/ptmx", "/dev/pts/ptmx"}, [this](std::string_view path) {
        const auto found =
            recording_.files.find({.path = std::string(path), .file_class = FileClass::kCharacter});
        return found != recording_.files.end() && found->second.access.Has(FileAccess::kOpen);
      });
}

void PlaceFinder::FindOwn() {
  const bool terminals = MakesTerminals();
  for (const auto& [key, file] : recording_.files) {
    if (terminals && key.file_class == FileClass::kCharacter && IsTerminalPath(key.path)) {
      // Whoever opens the multiplexer makes the others.
      places_.own.emplace(key, PrivateType::kPty);
    } else if (key.path.starts_with("memfd:") || key.path.starts_with("/memfd:")) {
      places_.own.emplace(key, PrivateType::kTmpfs);
    } else if (!places_.own.contains(key) && IsOwn(key, file.access)) {
      places_.own.emplace(key, TypeFor(key, file.access));
    }
  }
  // A directory that gets entries has the type of what is made in it, where that is one type.
  for (auto& [key, type] : places_.own) {
    if (key.file_class != FileClass::kDirectory || type != PrivateType::kData) {
      continue;
    }
    std::set<PrivateType> inside;
    for (auto it = places_.own.upper_bound(FileKey{key.path + "/", FileClass::kFile});
         it != places_.own.end() && it->first.path.starts_with(key.path + "/"); ++it) {
      if (it->second != PrivateType::kEntry && it->first.file_class != FileClass::kDirectory &&
          Changes(recording_.files.at(it->first).access)) {
        inside.insert(it->second);
      }
    }
    if (inside.size() == 1) {
      type = *inside.begin();
    }
  }
}

void PlaceFinder::FindTrees() {
  std::map<std::string, std::size_t> read_files;
  for (const auto& [key, type] : places_.own) {
    const std::string parent = ParentPath(key.path);
    if (type == PrivateType::kConf && key.file_class == FileClass::kFile &&
        !IsSharedDirectory(parent)) {
      ++read_files[parent];
    }
  }
  for (const auto& [key, type] : places_.own) {
    if (key.file_class != FileClass::kDirectory || IsPassing(key, type)) {
      continue;
    }
    const FileAccessSet access = recording_.files.at(key).access;
    const bool listed = access.Has(FileAccess::kRead) && read_files.contains(key.path);
    if (access.HasAny({FileAccess::kAddName, FileAccess::kRemoveName}) || listed) {
      places_.trees.emplace(key.path, type);
    }
  }
  for (const auto& [directory, count] : read_files) {
    if (count >= kSiblingsForTree) {
      places_.trees.emplace(directory, PrivateType::kConf);
    }
  }
}

std::optional<PrivateType> PlaceFinder::TreeAbove(const std::string& path) const {
  for (std::string at = path;; at = ParentPath(at)) {
    if (const auto found = places_.trees.find(at); found != places_.trees.end()) {
      return found->second;
    }
    if (at == "/") {
      return std::nullopt;
    }
  }
}

/// What is made in /tmp gets its type from the transition; file contexts leave it alone.
bool PlaceFinder::IsPassing(const FileKey& key, PrivateType type) const {
  const auto found = recording_.files.find(key);
  return type == PrivateType::kPty ||
         ((type == PrivateType::kTmp || type == PrivateType::kTmpfs) &&
          found != recording_.files.end() && found->second.access.Has(FileAccess::kCreate));
}

void PlaceFinder::AddContexts() {
  for (const auto& [directory, type] : places_.trees) {
    auto& [context_type, reasons] = places_.contexts[{TreeRegex(directory), std::nullopt}];
    context_type = type;
    // All that is beneath lies in one range by its names, with "/a-b" among that of "/a".
    for (auto own = places_.own.lower_bound(FileKey{.path = directory});
         own != places_.own.end() && own->first.path.starts_with(directory); ++own) {
      if (own->second == type && IsAtOrBeneath(own->first.path, directory)) {
        reasons.Add(own->first.path);
      }
    }
  }
  for (const auto& [key, type] : places_.own) {
    if (!key.path.starts_with('/') || key.path.starts_with("/memfd:") || IsPassing(key, type) ||
        TreeAbove(key.path) == type) {
      continue;
    }
    // Without a class: a rule of the target for exactly this path and class wins over ours instead
    // of being a conflict.
    const std::optional<FileClass> file_class = key.file_class == FileClass::kDirectory
                                                    ? std::optional(FileClass::kDirectory)
                                                    : std::nullopt;
    auto& [context_type, reasons] = places_.contexts[{PathRegex(key.path), file_class}];
    context_type = type;
    reasons.Add(key.path);
  }
}

WorkloadPlaces PlaceFinder::Find() {
  FindEntries();
  FindWrittenRoots();
  FindOwn();
  FindTrees();
  AddContexts();
  return std::move(places_);
}

}  // namespace

std::string_view Suffix(PrivateType type) {
  for (const SuffixRow& row : kSuffixes) {
    if (row.type == type) {
      return row.suffix;
    }
  }
  return "data";
}

bool Changes(FileAccessSet access) {
  return access.HasAny({FileAccess::kWrite, FileAccess::kAppend, FileAccess::kCreate,
                        FileAccess::kTruncate, FileAccess::kMapWrite, FileAccess::kSetattr,
                        FileAccess::kUnlink, FileAccess::kRename, FileAccess::kAddName,
                        FileAccess::kRemoveName, FileAccess::kReparent});
}

bool IsSharedDirectory(std::string_view path) {
  return IsSharedFolder(path) || Contains(kMoreSharedDirectories, path);
}

WorkloadPlaces FindPlaces(const Recording& recording, const FileLabels& labels,
                          std::string_view name) {
  return PlaceFinder(recording, labels, name).Find();
}

}  // namespace cordon
