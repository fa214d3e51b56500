#include "generator/selinux_rules.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "generator/file_context_regex.h"
#include "generator/path_names.h"
#include "generator/policy_comment.h"
#include "generator/selinux_access.h"
#include "generator/selinux_container.h"
#include "generator/selinux_rule_builder.h"

namespace cordon {
namespace {

/// Attributes of the reference policy that make system tools (restorecon, logrotate, backup,
/// tmpreaper) handle a private type; those the target lacks are left out.
struct AttributeRow {
  PrivateType type;
  std::array<std::string_view, 3> attributes;
};

constexpr auto kFileAttributes =
    std::to_array<std::string_view>({"file_type", "non_auth_file_type", "non_security_file_type"});

constexpr auto kAttributes = std::to_array<AttributeRow>({
    {PrivateType::kEntry, {"entry_type", "exec_type", ""}},
    {PrivateType::kConf, {"configfile", "", ""}},
    {PrivateType::kLog, {"logfile", "", ""}},
    {PrivateType::kRun, {"pidfile", "", ""}},
    {PrivateType::kTmp, {"tmpfile", "polymember", ""}},
    {PrivateType::kTmpfs, {"tmpfsfile", "", ""}},
    {PrivateType::kPty, {"ptynode", "", ""}},
});

/// The ELF loaders ("ld-linux-x86-64.so.2", "ld-musl-x86_64.so.1") are mapped by the kernel, not
/// executed as programs.
bool IsLoader(const std::string& path) {
  const std::string base = BaseName(path);
  return base.starts_with("ld-") || base.starts_with("ld64.so") || base.starts_with("ld.so");
}

}  // namespace

std::set<std::string> RuleBuilder::Known(const std::string& object_class,
                                         const std::set<std::string>& permissions) {
  if (!target_.facts.classes.contains(object_class)) {
    rules_.dropped.insert(fmt::format("class {}", object_class));
    return {};
  }
  std::set<std::string> known;
  for (const std::string& permission : permissions) {
    if (target_.facts.HasPermission(object_class, permission)) {
      known.insert(permission);
    } else {
      rules_.dropped.insert(fmt::format("permission {} of class {}", permission, object_class));
    }
  }
  return known;
}

bool RuleBuilder::HasType(const std::string& type) {
  if (type == "self" || rules_.policy.types.contains(type) || target_.facts.types.contains(type) ||
      target_.facts.aliases.contains(type)) {
    return true;
  }
  rules_.dropped.insert(fmt::format("type {}", type));
  return false;
}

void RuleBuilder::Allow(const std::string& target, const std::string& object_class,
                        const std::set<std::string>& permissions, const std::string& place) {
  if (HasType(target)) {
    rules_.policy.Allow({rules_.policy.domain, target, object_class},
                        Known(object_class, permissions), place);
  }
}

void RuleBuilder::Record(RecordedAccess access, const std::string& target) {
  if (!HasType(target)) {
    return;
  }
  access.permissions = Known(access.object_class, access.permissions);
  if (access.permissions.empty()) {
    return;
  }
  Allow(target, access.object_class, access.permissions, access.place);
  if (access.permissions.contains("ioctl")) {
    IoctlRule& rule =
        rules_.policy.allow_ioctl[{rules_.policy.domain, target, access.object_class}];
    rule.requests.insert(access.requests.begin(), access.requests.end());
    rule.reasons.Add(access.place);
  }
  access.target = target;
  rules_.accesses.push_back(std::move(access));
}

// --- types ---

void RuleBuilder::DeclareDomain() {
  SelinuxType& domain = rules_.policy.types[rules_.policy.domain];
  if (target_.facts.attributes.contains("domain")) {
    domain.attributes.insert("domain");
  }
  domain.reasons.Add("the workload's processes");
  // Without this attribute the categories that keep containers apart mean nothing.
  const std::string constrained = "mcs_constrained_type";
  if (InContainer() && target_.facts.attributes.contains(constrained)) {
    domain.attributes.insert(constrained);
  }
  for (const std::string& role : {std::string("system_r"), std::string("unconfined_r")}) {
    // Engines start containers in the system's role, whoever runs them.
    if (target_.facts.roles.contains(role) && (!InContainer() || role == "system_r")) {
      rules_.policy.role_types[role].insert(rules_.policy.domain);
    }
  }
}

void RuleBuilder::DeclarePrivateTypes() {
  for (const auto& [key, type] : places_.own) {
    SelinuxType& declared = rules_.policy.types[TypeName(type)];
    declared.reasons.Add(key.path);
    const auto add = [&](std::string_view attribute) {
      if (target_.facts.attributes.contains(std::string(attribute))) {
        declared.attributes.insert(std::string(attribute));
      }
    };
    std::ranges::for_each(kFileAttributes, add);
    for (const AttributeRow& row : kAttributes) {
      if (row.type == type) {
        std::ranges::for_each(row.attributes, add);
      }
    }
    // A new file's type must be allowed on its file system: the disk's, and tmpfs where /run, /tmp
    // and /dev/shm may be one.
    const std::vector<std::string> filesystems = type == PrivateType::kPty
                                                     ? std::vector<std::string>{"devpts_t"}
                                                     : std::vector<std::string>{"fs_t", "tmpfs_t"};
    for (const std::string& filesystem : filesystems) {
      if (HasType(filesystem)) {
        rules_.policy.Allow({TypeName(type), filesystem, "filesystem"},
                            Known("filesystem", {"associate"}),
                            "labels of this type may be stored");
      }
    }
  }
}

/// The type that the target gives by exactly this file context.
std::optional<std::string> RuleBuilder::TypeInTarget(const FileContextKey& key) const {
  const auto found =
      std::ranges::find_if(target_.facts.file_patterns, [&key](const FilePattern& pattern) {
        return pattern.regex == key.regex && pattern.file_class == key.file_class;
      });
  return found == target_.facts.file_patterns.end() ? std::nullopt : std::optional(found->type);
}

/// File contexts that together match what `key` does, each of which wins over one like `key`:
/// libselinux takes the one with the longer literal beginning, without a pattern, or with a class.
std::vector<FileContextKey> RuleBuilder::MoreSpecific(const FileContextKey& key) const {
  constexpr std::string_view kTree = "(/.*)?";
  if (key.regex.ends_with(kTree) && !key.file_class.has_value()) {
    const std::string directory = key.regex.substr(0, key.regex.size() - kTree.size());
    return {{.regex = directory, .file_class = FileClass::kDirectory},
            {.regex = directory + "/.*", .file_class = std::nullopt}};
  }
  std::vector<FileContextKey> keys;
  for (const auto& [own, type] : places_.own) {
    if (!key.file_class.has_value() && PathRegex(own.path) == key.regex) {
      keys.push_back({.regex = key.regex, .file_class = own.file_class});
    }
  }
  return keys;
}

void RuleBuilder::AddFileContexts() {
  for (const auto& [key, context] : places_.contexts) {
    const std::optional<std::string> conflict = TypeInTarget(key);
    const std::vector<FileContextKey> keys =
        conflict.has_value() ? MoreSpecific(key) : std::vector<FileContextKey>{key};
    if (keys.empty() || std::ranges::any_of(keys, [this](const FileContextKey& narrower) {
          return TypeInTarget(narrower).has_value();
        })) {
      rules_.blind_spots.insert(
          fmt::format("{} has a file context in the target already ({}), which stays", key.regex,
                      conflict.value_or("")));
      continue;
    }
    for (const FileContextKey& narrower : keys) {
      rules_.policy.file_contexts.emplace(narrower,
                                          FileContextRule{TypeName(context.first), context.second});
    }
  }
}

Expected<FileLabels> RuleBuilder::LabelsOfTarget() const {
  return TargetLabels(target_, FileContextsText(target_.facts.file_patterns));
}

Expected<FileLabels> RuleBuilder::LabelsWithOurs() const {
  std::vector<FilePattern> patterns = target_.facts.file_patterns;
  for (const auto& [key, context] : rules_.policy.file_contexts) {
    patterns.push_back({.regex = key.regex, .file_class = key.file_class, .type = context.type});
  }
  return TargetLabels(target_, FileContextsText(std::move(patterns)));
}

std::string RuleBuilder::TypeOf(const FileKey& key) const {
  // What is made in /tmp has no file context: its type is that of the transition. Terminals have
  // one of a transition always.
  const auto own = places_.own.find(key);
  if (own != places_.own.end() &&
      (own->second == PrivateType::kPty ||
       ((own->second == PrivateType::kTmp || own->second == PrivateType::kTmpfs) &&
        !labels_->Names(key.path, key.file_class)))) {
    return TypeName(own->second);
  }
  return labels_->TypeOf(key.path, key.file_class);
}

// --- files ---

/// Bound and connected AF_UNIX paths are files too, whether or not the recording lists them as
/// such.
void RuleBuilder::AddSocketFiles() {
  for (const auto& [key, socket] : recording_.sockets) {
    if (key.family != AF_UNIX || !key.address.starts_with('/')) {
      continue;
    }
    const FileKey file{key.address, FileClass::kSocket};
    if (key.operation == SocketOperation::kBind && Happened(socket, {0})) {
      files_[file].access.Add(FileAccess::kCreate);
      files_[{ParentPath(key.address), FileClass::kDirectory}].access.Add(FileAccess::kAddName);
    } else if ((key.operation == SocketOperation::kConnect ||
                key.operation == SocketOperation::kSend) &&
               Happened(socket, {0, EINPROGRESS, EAGAIN, ECONNREFUSED})) {
      files_[file].access.Add(FileAccess::kConnect);
    }
  }
}

void RuleBuilder::AddProgramFiles() {
  for (const auto& [key, process] : recording_.processes) {
    if (key.executable.starts_with('/')) {
      files_[{key.executable, FileClass::kFile}].access.Add(FileAccess::kExecute);
      if (!key.parent.empty()) {
        executed_inside_.insert(key.executable);
      }
    }
    for (const std::string& interpreter : process.interpreters) {
      if (interpreter.starts_with('/')) {
        files_[{interpreter, FileClass::kFile}].access.Add(FileAccess::kExecute);
        if (!IsLoader(interpreter)) {
          executed_inside_.insert(interpreter);
        }
      }
    }
  }
}

void RuleBuilder::AddFileIoctls(const FileObservation& file, RecordedAccess* access) {
  if (!file.access.Has(FileAccess::kIoctl)) {
    return;
  }
  for (const std::uint32_t request : file.ioctls) {
    IoctlCheck check = CheckOfIoctl(request);
    if (!check.permission.empty()) {
      access->permissions.insert(std::move(check.permission));
    }
    if (check.request.has_value()) {
      access->requests.insert(*check.request);
    }
  }
}

/// A file with a path; its type, empty when nothing tells it.
std::string RuleBuilder::AddNamedFile(const FileKey& key, const FileObservation& file,
                                      RecordedAccess* access) {
  access->path = key.path;
  if (executed_inside_.contains(key.path)) {
    access->permissions.insert("execute_no_trans");
  }
  if (places_.entries.contains(key.path)) {
    access->permissions.insert("entrypoint");
  }
  std::string type = TypeOf(key);
  if (type.empty()) {
    rules_.blind_spots.insert(
        fmt::format("nothing says which type {} has: it is not allowed", key.path));
    return {};
  }
  const auto own = places_.own.find(key);
  access->created = access->created ||
                    (own != places_.own.end() && own->second == PrivateType::kPty) ||
                    (replaying_ && IsTerminalPath(key.path));
  if (access->created && !replaying_) {
    AddTransition(key);
  }
  if (const auto permission = AttributeFilePermission(key.path);
      permission.has_value() && file.access.Has(FileAccess::kWrite)) {
    Allow("self", "process", {std::string(*permission)}, key.path);
  }
  return type;
}

void RuleBuilder::AddFile(const FileKey& key, const FileObservation& file) {
  const std::optional<std::string_view> object_class = SelinuxClassName(key.file_class);
  if (!object_class.has_value() || file.access.empty()) {
    return;
  }
  RecordedAccess access{.place = key.path,
                        .path = {},
                        .file_class = key.file_class,
                        .created = file.access.Has(FileAccess::kCreate),
                        .target = {},
                        .object_class = std::string(*object_class),
                        .permissions = FilePermissions(key.file_class, file.access),
                        .requests = {},
                        .seen = file.seen};
  AddFileIoctls(file, &access);
  if (file.access.Has(FileAccess::kWatch)) {
    AddMarks(key, &access);
  }
  std::string type;
  if (key.path.starts_with('/') && !key.path.starts_with("/memfd:")) {
    type = AddNamedFile(key, file, &access);
    if (type.empty()) {
      return;
    }
  } else if (places_.own.contains(key)) {
    type = TypeName(PrivateType::kTmpfs);
    if (file.access.Has(FileAccess::kExecute)) {
      access.permissions.insert("execute_no_trans");
    }
    rules_.policy.transitions[{rules_.policy.domain, "tmpfs_t", "file", ""}].type = type;
    rules_.policy.transitions[{rules_.policy.domain, "tmpfs_t", "file", ""}].reasons.Add(key.path);
  } else if (key.file_class == FileClass::kFifo) {
    type = "self";
    access.permissions.insert({"getattr", "read", "write"});
  } else {
    if (replaying_ && key.file_class == FileClass::kFile) {
      rules_.blind_spots.insert(
          fmt::format("{} is a file in memory, whose type a recording does not tell", key.path));
    }
    return;  // sockets have rules of their own
  }
  Record(std::move(access), type);
}

void RuleBuilder::AddMarks(const FileKey& key, RecordedAccess* access) {
  for (const auto& [call, observation] : recording_.syscalls) {
    MarkPermissions permissions = PermissionsOfMarks(call, observation);
    access->permissions.merge(permissions.file);
    if (!permissions.filesystem.empty()) {
      Allow("fs_t", "filesystem", permissions.filesystem, key.path);
    }
  }
}

/// A POSIX message queue is a file that no call names as one.
void RuleBuilder::AddMessageQueues() {
  for (const auto& [call, observation] : recording_.syscalls) {
    const std::optional<std::string_view> name = SyscallName(call);
    if (!observation.results.contains(0) || (name != "mq_open" && name != "mq_unlink")) {
      continue;
    }
    FileAccessSet& access = files_[{.path = "memfd:mqueue", .file_class = FileClass::kFile}].access;
    access.Add(name == "mq_open" ? FileAccessSet{FileAccess::kCreate, FileAccess::kOpen,
                                                 FileAccess::kRead, FileAccess::kWrite}
                                 : FileAccessSet{FileAccess::kUnlink});
  }
}

void RuleBuilder::FindInheriting() {
  for (const auto& [key, file] : files_) {
    const std::optional<std::string_view> object_class = SelinuxClassName(key.file_class);
    if (!key.path.starts_with('/') || !file.access.Has(FileAccess::kCreate) || !object_class) {
      continue;
    }
    std::string parent_type = TypeOf({ParentPath(key.path), FileClass::kDirectory});
    if (TypeOf(key) == parent_type) {
      inheriting_.emplace(std::move(parent_type), *object_class);
    }
  }
}

/// A new object has the type of its directory unless a transition says otherwise. One without a
/// name holds for every name, so it is for directories in which nothing keeps their type.
void RuleBuilder::AddTransition(const FileKey& key) {
  const std::string parent_type = TypeOf({ParentPath(key.path), FileClass::kDirectory});
  const std::string type = TypeOf(key);
  const std::string object_class(SelinuxClassName(key.file_class).value_or("file"));
  // Labels of the kernel's own file systems follow no transition of ours.
  if (parent_type == type || parent_type == "self" || type == "self" || !HasType(parent_type) ||
      !HasType(type) || (!places_.own.contains(key) && !labels_->Names(key.path, key.file_class))) {
    return;
  }
  TransitionKey transition{rules_.policy.domain, parent_type, object_class, ""};
  const auto existing = rules_.policy.transitions.find(transition);
  const bool taken = inheriting_.contains({parent_type, object_class}) ||
                     (existing != rules_.policy.transitions.end() && existing->second.type != type);
  if (taken || !places_.own.contains(key)) {
    transition.name = BaseName(key.path);
    if (OneLine(transition.name) != transition.name || transition.name.contains('"')) {
      rules_.blind_spots.insert(
          fmt::format("{} cannot be named in a transition: it is not allowed", key.path));
      return;
    }
  }
  TransitionRule& rule = rules_.policy.transitions[transition];
  rule.type = rule.type.empty() ? type : rule.type;
  rule.reasons.Add(key.path);
}

void RuleBuilder::AddAncestors() {
  std::set<std::string> directories;
  const auto add_above = [&directories](const std::string& path) {
    for (std::string at = path; at.starts_with('/') && at != "/";) {
      at = ParentPath(at);
      if (!directories.insert(at).second) {
        return;
      }
    }
  };
  for (const auto& [key, file] : files_) {
    if (!key.path.starts_with("/memfd:")) {
      add_above(key.path);
    }
    // /proc/self is a link to the task's directory.
    if (key.path.starts_with("/proc/self")) {
      Allow(labels_->TypeOf("/proc/self", FileClass::kSymlink), "lnk_file", {"getattr", "read"},
            "/proc/self");
    }
  }
  for (const std::string& directory : directories) {
    const FileKey key{directory, FileClass::kDirectory};
    const std::string type = TypeOf(key);
    const auto found = files_.find(key);
    if (type.empty()) {
      continue;
    }
    Record({.place = directory,
            .path = directory,
            .file_class = FileClass::kDirectory,
            .created = found != files_.end() && found->second.access.Has(FileAccess::kCreate),
            .target = {},
            .object_class = "dir",
            .permissions = {"search"},
            .requests = {}},
           type);
  }
}

Expected<SelinuxRules> RuleBuilder::Build() {
  AddSocketFiles();
  AddProgramFiles();
  AddMessageQueues();
  Recording completed;
  completed.files = files_;
  completed.processes = recording_.processes;
  ASSIGN_OR_RETURN(const FileLabels before, LabelsOfTarget());
  places_ =
      InContainer() ? FindContainerPlaces(completed) : FindPlaces(completed, before, workload_);
  DeclareDomain();
  DeclarePrivateTypes();
  AddFileContexts();
  ASSIGN_OR_RETURN(FileLabels labels, LabelsWithOurs());
  labels_ = std::make_unique<const FileLabels>(std::move(labels));
  FindInheriting();
  for (const auto& [key, file] : files_) {
    AddFile(key, file);
  }
  AddAncestors();
  AddCalls();
  AddPassing();
  AddSockets();
  AddCapabilities();
  AddLoader();
  AddThreads();
  AddSelinuxLibrary();
  if (InContainer()) {
    AddContainerLaunch();
  } else {
    AddLaunch();
  }
  return std::move(rules_);
}

Expected<SelinuxRules> RuleBuilder::Replay(const std::string& domain) {
  replaying_ = true;
  rules_.policy.domain = domain;
  AddSocketFiles();
  AddProgramFiles();
  for (const auto& [key, process] : recording_.processes) {
    if (key.parent.empty()) {
      places_.entries.insert(key.executable);
    }
  }
  ASSIGN_OR_RETURN(FileLabels labels, TargetLabels(target_, target_.file_contexts));
  labels_ = std::make_unique<const FileLabels>(std::move(labels));
  for (const auto& [key, file] : files_) {
    AddFile(key, file);
  }
  AddAncestors();
  AddCalls();
  AddSockets();
  AddCapabilities();
  rules_.policy.allow.clear();
  rules_.policy.allow_ioctl.clear();
  return std::move(rules_);
}

Expected<SelinuxRules> ReplayAccesses(const Recording& recording, const SelinuxTarget& target,
                                      const std::string& domain) {
  return RuleBuilder(recording, target, {.module = {}, .workload = {}}).Replay(domain);
}

Expected<SelinuxRules> BuildSelinuxRules(const Recording& recording, const SelinuxTarget& target,
                                         const ModuleName& name) {
  return RuleBuilder(recording, target, name).Build();
}

}  // namespace cordon
