#include "runtime/called_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <optional>

#include "observe/call_values.h"
#include "observe/executable_image.h"
#include "observe/file_name.h"
#include "observe/path_resolver.h"
#include "observe/process_memory.h"
#include "observe/process_status.h"

namespace cordon {
namespace {

/// What is in a sandbox's /proc is the workload's own.
const IsWorkloadTask& AnyTask() {
  static const IsWorkloadTask any = [](pid_t) { return true; };
  return any;
}

constexpr FileAccessSet kScriptAccess{FileAccess::kOpen, FileAccess::kRead, FileAccess::kExecute};
constexpr FileAccessSet kRunAccess{FileAccess::kOpen, FileAccess::kRead, FileAccess::kExecute,
                                   FileAccess::kMap, FileAccess::kMapExecute};

bool HasPath(const FileKey& key) {
  return key.path.starts_with('/');
}

PathContext ContextOf(pid_t thread) {
  PathContext context;
  context.task = thread;
  if (const Expected<ProcessStatus> status = ReadProcessStatus(thread); status.has_value()) {
    context.innermost_pid = status->innermost_pid;
  }
  context.root = ReadLinkText(fmt::format("/proc/{}/root", thread)).value_or("/");
  return context;
}

/// Reads one call, path by path.
class CallReader {
 public:
  CallReader(const SyscallInvocation& call, pid_t thread)
      : call_(call), signature_(SignatureOf(call.call)), thread_(thread), memory_(thread) {
    context_ = ContextOf(thread);
  }

  CalledFiles Read() {
    ResolvePaths();
    switch (signature_.effect) {
      case SyscallEffect::kOpen:
        Open();
        break;
      case SyscallEffect::kUnlink:
        Remove(0);
        break;
      case SyscallEffect::kRename:
        Rename();
        break;
      case SyscallEffect::kLink:
        Link();
        break;
      case SyscallEffect::kSymlink:
        Create(FileClass::kSymlink);
        break;
      case SyscallEffect::kMakeDirectory:
        Create(FileClass::kDirectory);
        break;
      case SyscallEffect::kMakeNode:
        Create(NodeClass());
        break;
      case SyscallEffect::kTruncate:
        Truncate();
        break;
      case SyscallEffect::kExecute:
        Execute();
        break;
      case SyscallEffect::kIoctl:
        Ioctl();
        break;
      case SyscallEffect::kBind:
        Bind();
        break;
      default:
        break;
    }
    return std::move(out_);
  }

 private:
  std::optional<std::uint64_t> Argument(ArgumentRole role) const {
    const auto* const found = std::ranges::find(signature_.roles, role);
    return found == signature_.roles.end()
               ? std::nullopt
               : std::optional(call_.arguments.at(
                     static_cast<std::size_t>(found - signature_.roles.begin())));
  }

  std::uint64_t OpenFlags() const {
    if (signature_.name == "creat") {
      return O_CREAT | O_WRONLY | O_TRUNC;
    }
    if (signature_.name.starts_with("open_tree")) {
      return O_PATH;
    }
    if (const auto how = Argument(ArgumentRole::kOpenHow)) {
      return memory_.ReadValue<std::uint64_t>({*how}).value_or(0);
    }
    return static_cast<std::uint32_t>(Argument(ArgumentRole::kOpenFlags).value_or(0));
  }

  FinalLink LinkOf(ArgumentRole role) const {
    const std::uint64_t at = Argument(ArgumentRole::kAtFlags).value_or(0);
    const bool exclusive =
        signature_.effect == SyscallEffect::kOpen && (OpenFlags() & (O_NOFOLLOW | O_EXCL)) != 0;
    if (role == ArgumentRole::kPathNoFollow) {
      return (at & AT_SYMLINK_FOLLOW) != 0 ? FinalLink::kFollow : FinalLink::kKeep;
    }
    return (at & AT_SYMLINK_NOFOLLOW) != 0 || exclusive ? FinalLink::kKeep : FinalLink::kFollow;
  }

  void ResolvePaths() {
    std::optional<int> directory;
    for (std::size_t i = 0; i < signature_.roles.size(); ++i) {
      const ArgumentRole role = signature_.roles.at(i);
      if (role == ArgumentRole::kDirectoryFd) {
        const auto fd = static_cast<int>(call_.arguments.at(i));
        directory = fd == AT_FDCWD ? std::nullopt : std::optional(fd);
      }
      if (role == ArgumentRole::kPath || role == ArgumentRole::kPathNoFollow) {
        Resolve(directory, call_.arguments.at(i), LinkOf(role));
        directory.reset();
      }
    }
  }

  void Resolve(std::optional<int> directory, std::uint64_t address, FinalLink link) {
    const Expected<std::string> text = memory_.ReadString({address}, PATH_MAX);
    if (!text) {
      out_.unreadable = true;
      return;
    }
    ResolveText(directory, *text, link);
  }

  void ResolveText(std::optional<int> directory, const std::string& text, FinalLink link) {
    if (text.empty() && directory) {  // AT_EMPTY_PATH: the descriptor itself
      if (const auto open = Descriptor(*directory)) {
        ResolvedPath path;
        path.key = open->key;
        path.status = open->status;
        paths_.push_back(std::move(path));
      }
      return;
    }
    Expected<ResolvedPath> path =
        PathResolver(context_, AnyTask())
            .Resolve({.directory_fd = directory, .path = text, .final_link = link});
    if (!path) {
      out_.unreadable = true;
      return;
    }
    paths_.push_back(*std::move(path));
  }

  std::optional<OpenFile> Descriptor(int fd) const {
    Expected<OpenFile> file =
        DescribeOpenFile(fmt::format("/proc/{}/fd/{}", thread_, fd), context_.root, AnyTask());
    return file ? std::optional(*std::move(file)) : std::nullopt;
  }

  void Note(const FileKey& key, FileAccessSet access) {
    if (HasPath(key)) {
      out_.uses.push_back({key, access, {}});
    }
  }

  void NoteParent(const ResolvedPath& path, FileAccess access) {
    Note({path.parent(), FileClass::kDirectory}, {access});
  }

  void NoteWalk(const ResolvedPath& path) {
    for (const PathStep& step : path.steps) {
      Note(step.key, {step.key.file_class == FileClass::kSymlink ? FileAccess::kReadLink
                                                                 : FileAccess::kSearch});
    }
  }

  /// The path at `index`, if the walk to it comes to its last component.
  const ResolvedPath* Path(std::size_t index) const {
    return index < paths_.size() && paths_[index].parent_exists ? &paths_[index] : nullptr;
  }

  const ResolvedPath* Existing(std::size_t index) const {
    const ResolvedPath* const path = Path(index);
    return path != nullptr && path->exists() ? path : nullptr;
  }

  void Open() {
    const std::uint64_t flags = OpenFlags();
    const ResolvedPath* const path = Path(0);
    if (path == nullptr || (flags & O_PATH) != 0 ||
        (!path->exists() && ((flags & O_CREAT) == 0 || path->sys_errno != ENOENT))) {
      return;
    }
    FileAccessSet access{FileAccess::kOpen};
    const std::uint64_t mode = flags & O_ACCMODE;
    if (mode == O_RDONLY || mode == O_RDWR) {
      access.Add(FileAccess::kRead);
    }
    if (mode == O_WRONLY || mode == O_RDWR) {
      access.Add((flags & O_APPEND) != 0 ? FileAccess::kAppend : FileAccess::kWrite);
    }
    NoteWalk(*path);
    if ((flags & O_TMPFILE) == O_TMPFILE) {
      access.Add(FileAccess::kCreate);
      Note({path->key.path + "/#tmpfile", FileClass::kFile}, access);
      Note(path->key, {FileAccess::kAddName});
      return;
    }
    if (!path->exists()) {
      access.Add(FileAccess::kCreate);
      NoteParent(*path, FileAccess::kAddName);
    } else if ((flags & O_TRUNC) != 0) {
      access.Add(FileAccess::kTruncate);
    }
    Note(path->key, access);
  }

  void Remove(std::size_t index) {
    if (const ResolvedPath* const path = Existing(index)) {
      NoteWalk(*path);
      Note(path->key, {FileAccess::kUnlink});
      NoteParent(*path, FileAccess::kRemoveName);
    }
  }

  void Rename() {
    const ResolvedPath* const from = Existing(0);
    const ResolvedPath* const to = Path(1);
    if (from == nullptr || to == nullptr) {
      return;
    }
    constexpr std::uint64_t kExchange = 2;  // RENAME_EXCHANGE, linux/fs.h
    FileAccessSet moved{FileAccess::kRename};
    FileAccessSet arrived{FileAccess::kArrive};
    if (from->parent() != to->parent()) {
      moved.Add(FileAccess::kReparent);
      if (from->key.file_class != FileClass::kDirectory) {
        arrived.Add(FileAccess::kReparent);
      }
    }
    NoteWalk(*from);
    NoteWalk(*to);
    Note(from->key, moved);
    NoteParent(*from, FileAccess::kRemoveName);
    NoteParent(*to, FileAccess::kAddName);
    Note({to->key.path, from->key.file_class}, arrived);
    if (HasPath(to->key)) {
      out_.uses.back().is_moved_here = moved.Has(FileAccess::kReparent);
    }
    if (signature_.name == "renameat2" && (call_.arguments[4] & kExchange) != 0) {
      Note(from->key, {FileAccess::kUnlink, FileAccess::kArrive});
      Note(to->key, {FileAccess::kRename, FileAccess::kUnlink});
    } else if (to->exists()) {
      Note(to->key, {FileAccess::kUnlink});
      NoteParent(*to, FileAccess::kRemoveName);
    }
  }

  void Link() {
    const ResolvedPath* const from = Existing(0);
    const ResolvedPath* const to = Path(1);
    if (from == nullptr || to == nullptr || to->exists()) {
      return;
    }
    FileAccessSet linked{FileAccess::kLink};
    FileAccessSet arrived{FileAccess::kArrive};
    if (from->parent() != to->parent()) {
      linked.Add(FileAccess::kReparent);
      arrived.Add(FileAccess::kReparent);
    }
    NoteWalk(*from);
    NoteWalk(*to);
    Note(from->key, linked);
    NoteParent(*to, FileAccess::kAddName);
    Note({to->key.path, from->key.file_class}, arrived);
  }

  FileClass NodeClass() const {
    const auto mode = static_cast<std::uint32_t>(Argument(ArgumentRole::kFileMode).value_or(0));
    return (mode & S_IFMT) == 0 ? FileClass::kFile : FileClassFromMode(mode);
  }

  void Create(FileClass made) {
    const ResolvedPath* const path = Path(paths_.empty() ? 0 : paths_.size() - 1);
    if (path != nullptr && !path->exists()) {
      NoteWalk(*path);
      Note({path->key.path, made}, {FileAccess::kCreate});
      NoteParent(*path, FileAccess::kAddName);
    }
  }

  void Truncate() {
    if (const auto fd = Argument(ArgumentRole::kFd)) {
      if (const auto open = Descriptor(static_cast<int>(*fd))) {
        Note(open->key, {FileAccess::kTruncate});
      }
    } else if (const ResolvedPath* const path = Existing(0)) {
      NoteWalk(*path);
      Note(path->key, {FileAccess::kOpen, FileAccess::kWrite, FileAccess::kTruncate});
    }
  }

  void Execute() {
    const ResolvedPath* const path = Existing(0);
    if (path == nullptr || path->key.file_class != FileClass::kFile) {
      return;
    }
    const ExecutableImage image = ReadExecutableImage(path->key, PathResolver(context_, AnyTask()));
    NoteWalk(*path);
    ProgramUse program;
    program.executable = path->key.path;
    Note(path->key, image.is_script ? kScriptAccess : kRunAccess);
    for (const FileKey& interpreter : image.interpreters) {
      Note(interpreter, kRunAccess);
      program.interpreters.insert(interpreter.path);
    }
    out_.programs.push_back(std::move(program));
  }

  /// A socket's name in the file system (unix(7)).
  void Bind() {
    const Expected<SocketAddress> address = ReadSocketAddress(
        {call_.arguments[1]}, static_cast<std::uint32_t>(call_.arguments[2]), memory_);
    if (address && address->family == AF_UNIX && !address->address.empty() &&
        address->address.front() != '@') {
      ResolveText(std::nullopt, address->address, FinalLink::kKeep);
      Create(FileClass::kSocket);
    }
  }

  void Ioctl() {
    const auto open = Descriptor(static_cast<int>(call_.arguments[0]));
    if (open && HasPath(open->key) &&
        (open->key.file_class == FileClass::kCharacter ||
         open->key.file_class == FileClass::kBlock)) {
      out_.uses.push_back(
          {open->key, {FileAccess::kIoctl}, {static_cast<std::uint32_t>(call_.arguments[1])}});
    }
  }

  SyscallInvocation call_;
  const SyscallSignature& signature_;
  pid_t thread_;
  ProcessMemory memory_;
  PathContext context_;
  std::vector<ResolvedPath> paths_;
  CalledFiles out_;
};

}  // namespace

bool ConcernsFiles(SyscallEffect effect) {
  switch (effect) {
    case SyscallEffect::kOpen:
    case SyscallEffect::kUnlink:
    case SyscallEffect::kRename:
    case SyscallEffect::kLink:
    case SyscallEffect::kSymlink:
    case SyscallEffect::kMakeDirectory:
    case SyscallEffect::kMakeNode:
    case SyscallEffect::kTruncate:
    case SyscallEffect::kExecute:
    case SyscallEffect::kBind:
      return true;
    default:
      return false;
  }
}

CalledFiles FilesOfCall(const SyscallInvocation& call, pid_t thread) {
  // Whether a descriptor was opened under the rules or came from outside, which decides what
  // ioctl(2) may do, cannot be told: it is noted, not compared.
  const SyscallEffect effect = SignatureOf(call.call).effect;
  return ConcernsFiles(effect) || effect == SyscallEffect::kIoctl ? CallReader(call, thread).Read()
                                                                  : CalledFiles{};
}

std::string CanonicalPathOf(const std::string& path, pid_t thread) {
  const Expected<ResolvedPath> resolved =
      PathResolver(ContextOf(thread), AnyTask())
          .Resolve({.directory_fd = std::nullopt, .path = path, .final_link = FinalLink::kKeep});
  return resolved ? resolved->key.path : path;
}

}  // namespace cordon
