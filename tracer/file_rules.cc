#include "tracer/file_rules.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "observe/call_values.h"
#include "observe/process_memory.h"
#include "tracer/attribute_access.h"
#include "tracer/capability_rules.h"
#include "tracer/open_access.h"

namespace cordon {
namespace {

// fcntl(2) commands that the headers hide or number by ABI: asm-generic/fcntl.h.
constexpr int kGetLock64 = 12;
constexpr int kSetLockWait64 = 14;
constexpr int kGetOfdLock = 36;
constexpr int kSetOfdLockWait = 38;
constexpr std::uint64_t kRenameExchange = 2;  // RENAME_EXCHANGE, linux/fs.h

unsigned WantOf(FileAccessSet access) {
  unsigned want = 0;
  if (access.Has(FileAccess::kRead)) {
    want |= kWantRead;
  }
  if (access.HasAny({FileAccess::kWrite, FileAccess::kAppend, FileAccess::kTruncate})) {
    want |= kWantWrite;
  }
  return want;
}

Inode InodeOf(const FileKey& key, const struct stat& status) {
  return {.path = key.path, .mode = status.st_mode, .uid = status.st_uid, .gid = status.st_gid};
}

bool IsLockCommand(int command) {
  return command == F_GETLK || command == F_SETLK || command == F_SETLKW || command == F_SETLEASE ||
         (command >= kGetLock64 && command <= kSetLockWait64) ||
         (command >= kGetOfdLock && command <= kSetOfdLockWait);
}

bool IsDuplicateCommand(int command) {
  return command == F_DUPFD || command == F_DUPFD_CLOEXEC;
}

/// Effects whose names must be looked up when the call is made: they change what names mean.
bool ChangesNames(const CallFrame& frame) {
  switch (frame.signature->effect) {
    case SyscallEffect::kUnlink:
    case SyscallEffect::kRename:
    case SyscallEffect::kLink:
    case SyscallEffect::kSymlink:
    case SyscallEffect::kMakeDirectory:
    case SyscallEffect::kMakeNode:
    case SyscallEffect::kMount:
    case SyscallEffect::kUnmount:
    case SyscallEffect::kChangeRoot:
    case SyscallEffect::kExecute:
      return true;
    case SyscallEffect::kOpen:
      return (frame.open_flags & O_CREAT) != 0;
    default:
      return false;
  }
}

std::uint64_t ReadOpenFlags(const TaskState& task, const CallFrame& frame) {
  if (frame.signature->name == "creat") {
    return O_CREAT | O_WRONLY | O_TRUNC;
  }
  if (frame.signature->name.starts_with("open_tree")) {
    return O_PATH;  // unless it clones, what comes out is like an O_PATH descriptor (open_tree(2))
  }
  if (const auto how = ArgumentWithRole(frame, ArgumentRole::kOpenHow)) {
    return ProcessMemory(task.id).ReadValue<std::uint64_t>(RemoteAddress{*how}).value_or(0);
  }
  return static_cast<std::uint32_t>(ArgumentWithRole(frame, ArgumentRole::kOpenFlags).value_or(0));
}

/// Did the kernel ask whether the access is allowed before the call failed like this? Then a policy
/// that does not allow it changes the errno (security_file_ioctl() in fs/ioctl.c,
/// security_file_lock() in fs/locks.c, security_inode_setattr() in fs/attr.c).
bool WasCheckedFirst(const CallFrame& frame, int sys_errno) {
  switch (frame.signature->effect) {
    case SyscallEffect::kIoctl:
      return sys_errno != EACCES && sys_errno != EPERM;
    case SyscallEffect::kOwner:
      return sys_errno == EPERM;
    case SyscallEffect::kSetattr:
      return sys_errno == EPERM &&
             ArgumentWithRole(frame, ArgumentRole::kFileMode).has_value();  // chmod and kin
    case SyscallEffect::kLock:
      return sys_errno == EAGAIN;
    case SyscallEffect::kDescriptorControl:
      return IsLockCommand(static_cast<int>(frame.meant.arguments[1])) &&
             (sys_errno == EAGAIN || sys_errno == EDEADLK);
    default:
      return false;
  }
}

bool ReceivesSeveral(const CallFrame& frame) {
  return frame.signature->name.starts_with("recvmmsg");
}

/// Could descriptors come with the message? Of several each may have room.
bool HasRoomForRights(const TaskState& task, const CallFrame& frame) {
  if (ReceivesSeveral(frame)) {
    return true;
  }
  const auto control = ReadMessageControl(RemoteAddress{frame.meant.arguments[1]},
                                          frame.meant.call.arch, ProcessMemory(task.id));
  return control.has_value() && !control->address.null() && control->size != 0;
}

}  // namespace

struct FileRules::RuleRow {
  SyscallEffect effect;
  Rule after;
};

const FileRules::RuleRow* FileRules::RuleFor(SyscallEffect effect) {
  static constexpr RuleRow kRules[] = {
      {SyscallEffect::kOpen, &FileRules::AfterOpen},
      {SyscallEffect::kGetattr, &FileRules::AfterAttributes},
      {SyscallEffect::kSetattr, &FileRules::AfterAttributes},
      {SyscallEffect::kOwner, &FileRules::AfterAttributes},
      {SyscallEffect::kTestAccess, &FileRules::AfterAttributes},
      {SyscallEffect::kReadLink, &FileRules::AfterAttributes},
      {SyscallEffect::kListDirectory, &FileRules::AfterAttributes},
      {SyscallEffect::kLock, &FileRules::AfterAttributes},
      {SyscallEffect::kUnlink, &FileRules::AfterUnlink},
      {SyscallEffect::kRename, &FileRules::AfterRename},
      {SyscallEffect::kLink, &FileRules::AfterLink},
      {SyscallEffect::kSymlink, &FileRules::AfterCreate},
      {SyscallEffect::kMakeDirectory, &FileRules::AfterCreate},
      {SyscallEffect::kMakeNode, &FileRules::AfterCreate},
      {SyscallEffect::kChangeDirectory, &FileRules::AfterChangeDirectory},
      {SyscallEffect::kChangeRoot, &FileRules::AfterChangeRoot},
      {SyscallEffect::kTruncate, &FileRules::AfterTruncate},
      {SyscallEffect::kMount, &FileRules::AfterMount},
      {SyscallEffect::kUnmount, &FileRules::AfterMount},
      {SyscallEffect::kWatch, &FileRules::AfterWatch},
      {SyscallEffect::kMap, &FileRules::AfterMap},
      {SyscallEffect::kProtect, &FileRules::AfterProtect},
      {SyscallEffect::kIoctl, &FileRules::AfterIoctl},
      {SyscallEffect::kDescriptorControl, &FileRules::AfterControl},
      {SyscallEffect::kDuplicate, &FileRules::AfterDescriptor},
      {SyscallEffect::kPipe, &FileRules::AfterPipe},
      {SyscallEffect::kSocketPair, &FileRules::AfterPipe},
      {SyscallEffect::kReceiveMessage, &FileRules::AfterReceive},
  };
  const auto* const row = std::ranges::find(kRules, effect, &RuleRow::effect);
  return row == std::end(kRules) ? nullptr : row;
}

std::optional<ExitInterest> FileRules::BeforeDescriptorCall(TaskState& task, CallFrame& frame) {
  const auto fd = [&] {
    return DescriptorNumber(ArgumentWithRole(frame, ArgumentRole::kFd).value_or(~0ULL));
  };
  switch (frame.signature->effect) {
    case SyscallEffect::kClose:
      // The number is free for others even when close(2) fails, except with EBADF; and from here
      // on, before the exit stop.
      if (frame.signature->name == "close_range") {
        task.descriptors->open.clear();
      } else {
        Forget(task, fd());
      }
      return ExitInterest::kNotWanted;
    case SyscallEffect::kMap:
      return BeforeMap(task, frame);
    case SyscallEffect::kProtect:
      return BeforeProtect(task, frame);
    case SyscallEffect::kIoctl:
      return IsIoctlNoted(task, fd(), static_cast<std::uint32_t>(frame.meant.arguments[1]))
                 ? ExitInterest::kNotWanted
                 : ExitInterest::kWanted;
    case SyscallEffect::kDescriptorControl: {
      const auto command = static_cast<int>(frame.meant.arguments[1]);
      if (IsDuplicateCommand(command)) {
        return ExitInterest::kWanted;
      }
      return IsLockCommand(command) && !IsNoted(task, fd(), {FileAccess::kLock})
                 ? ExitInterest::kWanted
                 : ExitInterest::kNotWanted;
    }
    case SyscallEffect::kReceiveMessage: {
      const std::optional<SocketIdentity> socket =
          lookup_.SocketOf(task, DescriptorNumber(frame.meant.arguments[0]));
      // Only these pass descriptors on (unix(7)).
      const bool may_bring = socket && socket->family == AF_UNIX && HasRoomForRights(task, frame);
      return may_bring ? ExitInterest::kWanted : BeforeTransfer(task, frame);
    }
    default:
      return std::nullopt;
  }
}

ExitInterest FileRules::Before(TaskState& task, CallFrame& frame) {
  if (const std::optional<ExitInterest> answer = BeforeDescriptorCall(task, frame)) {
    return *answer;
  }
  if (RuleFor(frame.signature->effect) == nullptr &&
      frame.signature->effect != SyscallEffect::kExecute &&
      frame.signature->effect != SyscallEffect::kNone) {
    return ExitInterest::kNotWanted;  // other rules' business
  }
  frame.open_flags =
      frame.signature->effect == SyscallEffect::kOpen ? ReadOpenFlags(task, frame) : 0;
  lookup_.NameFiles(task, frame, ChangesNames(frame) ? Freshness::kFresh : Freshness::kRemembered);
  if (frame.signature->effect == SyscallEffect::kNone) {
    const bool names = std::ranges::any_of(
        frame.files, [](const NamedFile& file) { return file.path != nullptr; });
    return names ? ExitInterest::kWanted : BeforeTransfer(task, frame);
  }
  // A call on a descriptor whose use is in the recording has nothing new to tell.
  const FileAccessSet access = AttributeAccess(task, frame);
  if (frame.files.size() == 1 && !access.empty()) {
    const NamedFile& file = frame.files.front();
    if (file.path == nullptr && file.descriptor && IsNoted(task, *file.descriptor, access)) {
      return ExitInterest::kNotWanted;
    }
  }
  return ExitInterest::kWanted;
}

ExitInterest FileRules::BeforeTransfer(TaskState& task, const CallFrame& frame) {
  for (std::size_t i = 0; i < frame.signature->roles.size(); ++i) {
    const ArgumentRole role = frame.signature->roles[i];
    const int fd = DescriptorNumber(frame.meant.arguments[i]);
    if (role == ArgumentRole::kReadFd && !IsNoted(task, fd, {FileAccess::kRead})) {
      return ExitInterest::kWanted;
    }
    if (role == ArgumentRole::kWriteFd && !IsNoted(task, fd, {FileAccess::kWrite})) {
      return ExitInterest::kWanted;
    }
  }
  return ExitInterest::kNotWanted;
}

bool FileRules::IsNoted(TaskState& task, int fd, FileAccessSet access) {
  Descriptor* const descriptor = lookup_.DescriptorOf(task, fd);
  if (descriptor == nullptr) {
    return true;  // not open: the call fails
  }
  if (descriptor->file.key.file_class == FileClass::kSocket) {
    return true;  // sockets have their own part of the recording
  }
  FileAccessSet both = descriptor->noted;
  both.Add(access);
  if (descriptor->noted_for == task.program() && both == descriptor->noted) {
    return true;
  }
  // The same use of another descriptor of the file is in the recording, so whether this one
  // succeeds adds nothing. Of writing it depends on the descriptor what it is.
  if (access == FileAccessSet{FileAccess::kWrite}) {
    const auto written = written_.find({lookup_.IdentityOf(task, fd), task.program()});
    if (written != written_.end()) {
      AddUse(task, *descriptor, access, written->second);
      return true;
    }
  }
  if (access.Has(FileAccess::kWrite) || !log_.Holds(descriptor->file.key, access, task.program())) {
    return false;
  }
  AddUse(task, *descriptor, access, access);
  return true;
}

bool FileRules::IsIoctlNoted(TaskState& task, int fd, std::uint32_t request) {
  Descriptor* const descriptor = lookup_.DescriptorOf(task, fd);
  if (descriptor == nullptr) {
    return false;
  }
  if (descriptor->noted_for == task.program() && descriptor->ioctls.contains(request)) {
    return true;
  }
  const std::uint32_t identity = lookup_.IdentityOf(task, fd);
  if (identity == 0 || !ioctls_.contains({identity, request, task.program()})) {
    return false;
  }
  AddIoctl(task, *descriptor, request);
  return true;
}

void FileRules::AddIoctl(const TaskState& task, Descriptor& descriptor, std::uint32_t request) {
  if (descriptor.noted_for != task.program()) {
    descriptor.noted = {};
    descriptor.ioctls.clear();
    descriptor.noted_for = task.program();
  }
  if (descriptor.ioctls.insert(request).second &&
      descriptor.file.key.file_class != FileClass::kSocket) {
    log_.NoteIoctl(descriptor.file.key, request, task.program());
  }
}

/// From now on `use` of the descriptor is known, and `access` is what it is taken down as.
void FileRules::AddUse(const TaskState& task, Descriptor& descriptor, FileAccessSet use,
                       FileAccessSet access) {
  if (descriptor.noted_for != task.program()) {
    descriptor.noted = {};
    descriptor.ioctls.clear();
    descriptor.noted_for = task.program();
  }
  descriptor.noted.Add(use);
  log_.NoteFile(descriptor.file.key, access, task.program());
}

void FileRules::NoteUse(TaskState& task, int fd, FileAccessSet access) {
  Descriptor* const descriptor = lookup_.DescriptorOf(task, fd);
  if (descriptor == nullptr || IsNoted(task, fd, access)) {
    return;
  }
  const bool appends = access.Has(FileAccess::kWrite) && OpenedForAppend(task.id, fd);
  const FileAccessSet use = appends ? FileAccessSet{FileAccess::kAppend} : access;
  AddUse(task, *descriptor, access, use);
  if (const std::uint32_t identity = lookup_.IdentityOf(task, fd);
      identity != 0 && access == FileAccessSet{FileAccess::kWrite}) {
    written_.insert_or_assign({identity, task.program()}, use);
  }
}

void FileRules::After(TaskState& task, CallFrame& frame, CallResult result) {
  if (!result.ok() && !WasCheckedFirst(frame, result.sys_errno)) {
    EnsureCurrent(task, frame, result);
    Fail(task, frame, result.sys_errno);
    return;
  }
  EnsureCurrent(task, frame, result);
  AfterTransfer(task, frame);
  if (const RuleRow* const row = RuleFor(frame.signature->effect); row != nullptr) {
    (this->*row->after)(task, frame, result);
  } else if (frame.signature->result == ResultKind::kDescriptor) {
    AfterDescriptor(task, frame, result);
  }
}

/// A remembered look-up that the result contradicts is made again.
void FileRules::EnsureCurrent(TaskState& task, CallFrame& frame, CallResult result) {
  const bool stale = std::ranges::any_of(frame.files, [&](const NamedFile& file) {
    return file.path != nullptr && !file.fresh &&
           (file.path->exists() ? result.sys_errno == ENOENT || result.sys_errno == ENOTDIR ||
                                      result.sys_errno == ELOOP
                                : result.ok());
  });
  if (stale && !ChangesNames(frame)) {
    lookup_.NameFiles(task, frame, Freshness::kFresh);
  }
}

void FileRules::Fail(const TaskState& task, const CallFrame& frame, int sys_errno) {
  for (const NamedFile& file : frame.files) {
    if (file.path != nullptr) {
      log_.NoteFailure(file.path->key, sys_errno, task.program());
      // Nobody is behind the device or FIFO: its own open function says so, after every check
      // (do_dentry_open() in fs/open.c).
      if (frame.signature->effect == SyscallEffect::kOpen && sys_errno == ENXIO) {
        log_.NoteFile(file.path->key, AccessOfOpenFlags(frame.open_flags), task.program());
      }
      break;
    }
  }
}

void FileRules::Note(const TaskState& task, const NamedFile& named, FileAccessSet access) {
  if (named.path != nullptr) {
    log_.NoteFile(named.path->key, access, task.program());
  } else if (!named.descriptor) {
    log_.NoteLimitation("unreadable-memory", "a path that a call named could not be read");
  }
}

void FileRules::NoteNamedOrOpen(TaskState& task, const NamedFile& file, FileAccessSet access) {
  if (file.path == nullptr && file.descriptor) {
    NoteUse(task, *file.descriptor, access);
  } else {
    Note(task, file, access);
  }
}

void FileRules::NoteParent(const TaskState& task, const ResolvedPath& path, FileAccessSet access) {
  log_.NoteFile({.path = path.parent(), .file_class = FileClass::kDirectory}, access,
                task.program());
  if (!path.steps.empty()) {
    const PathStep& step = path.steps.back();
    NoteDacNeed(*task.process,
                {.path = step.key.path, .mode = step.mode, .uid = step.uid, .gid = step.gid},
                kWantWrite | kWantExecute, log_);
  }
}

void FileRules::AfterTransfer(TaskState& task, const CallFrame& frame) {
  for (std::size_t i = 0; i < frame.signature->roles.size(); ++i) {
    const ArgumentRole role = frame.signature->roles[i];
    if (role == ArgumentRole::kReadFd || role == ArgumentRole::kWriteFd) {
      NoteUse(task, DescriptorNumber(frame.meant.arguments[i]),
              {role == ArgumentRole::kReadFd ? FileAccess::kRead : FileAccess::kWrite});
    }
  }
}

void FileRules::AfterOpen(TaskState& task, CallFrame& frame, CallResult result) {
  const NamedFile named = frame.files.empty() ? NamedFile{} : frame.files.front();
  const bool existed = named.path == nullptr || named.path->exists();
  Descriptor* const opened =
      lookup_.NoteOpened(task, DescriptorNumber(static_cast<std::uint64_t>(result.value)), named);
  if ((frame.open_flags & O_PATH) != 0) {
    return;  // nothing but the walk (open(2), O_PATH)
  }
  FileAccessSet access = AccessOfOpenFlags(frame.open_flags);
  const bool temporary = (frame.open_flags & O_TMPFILE) == O_TMPFILE;
  FileKey key = opened != nullptr       ? opened->file.key
                : named.path != nullptr ? named.path->key
                                        : FileKey{};
  if (key.path.empty()) {
    Note(task, named, access);
    return;
  }
  if (temporary && named.path != nullptr) {
    // The kernel names it after its inode number, which differs from run to run.
    key = {.path = named.path->key.path + "/#tmpfile", .file_class = FileClass::kFile};
    access.Add(FileAccess::kCreate);
    log_.NoteFile(named.path->key, {FileAccess::kAddName}, task.program());
  } else if (!existed) {
    access.Add(FileAccess::kCreate);
    NoteParent(task, *named.path, {FileAccess::kAddName});
  } else if ((frame.open_flags & O_TRUNC) != 0) {
    access.Add(FileAccess::kTruncate);
  }
  log_.NoteFile(key, access, task.program());
  if (opened != nullptr) {
    opened->noted = access;
    opened->noted.Add({access.Has(FileAccess::kAppend) ? FileAccess::kWrite : FileAccess::kOpen});
    opened->noted_for = task.program();
    if (existed && !temporary) {
      NoteDacNeed(*task.process, InodeOf(key, opened->file.status), WantOf(access), log_);
    }
  }
}

void FileRules::AfterAttributes(TaskState& task, CallFrame& frame, CallResult) {
  const FileAccessSet access = AttributeAccess(task, frame);
  for (const NamedFile& file : frame.files) {
    NoteNamedOrOpen(task, file, access);
    if (access.HasAny({FileAccess::kWrite}) && access.Has(FileAccess::kSetattr) &&
        file.path != nullptr && file.path->exists()) {
      NoteDacNeed(*task.process, InodeOf(file.path->key, file.path->status), kWantWrite, log_);
    }
  }
  if (frame.signature->effect == SyscallEffect::kOwner) {
    lookup_.Forget();  // what the next call needs depends on whose the file is now
  }
}

void FileRules::AfterUnlink(TaskState& task, CallFrame& frame, CallResult) {
  for (const NamedFile& file : frame.files) {
    Note(task, file, {FileAccess::kUnlink});
    if (file.path != nullptr) {
      NoteParent(task, *file.path, {FileAccess::kRemoveName});
      if (file.path->key.file_class != FileClass::kFile) {
        lookup_.Forget();
      }
    }
  }
}

void FileRules::AfterRename(TaskState& task, CallFrame& frame, CallResult) {
  lookup_.Forget();
  if (frame.files.size() != 2 || frame.files[0].path == nullptr || frame.files[1].path == nullptr) {
    Note(task, {}, {});
    return;
  }
  const ResolvedPath& from = *frame.files[0].path;
  const ResolvedPath& to = *frame.files[1].path;
  const bool exchange =
      frame.signature->name == "renameat2" && (frame.meant.arguments[4] & kRenameExchange) != 0;
  FileAccessSet moved{FileAccess::kRename};
  FileAccessSet arrived{FileAccess::kArrive};
  if (from.parent() != to.parent()) {
    moved.Add(FileAccess::kReparent);
    if (from.key.file_class != FileClass::kDirectory) {
      arrived.Add(FileAccess::kReparent);
    }
  }
  Note(task, frame.files[0], moved);
  NoteParent(task, from, {FileAccess::kRemoveName});
  NoteParent(task, to, {FileAccess::kAddName});
  log_.NoteFile({to.key.path, from.key.file_class}, arrived, task.program());
  if (exchange) {
    // Each takes the place of the other (security_inode_rename() in security/security.c).
    Note(task, frame.files[0], {FileAccess::kUnlink});
    Note(task, frame.files[1], {FileAccess::kRename, FileAccess::kUnlink});
    NoteParent(task, from, {FileAccess::kAddName});
    NoteParent(task, to, {FileAccess::kRemoveName});
  } else if (to.exists()) {
    Note(task, frame.files[1], {FileAccess::kUnlink});
    NoteParent(task, to, {FileAccess::kRemoveName});
  }
}

void FileRules::AfterLink(TaskState& task, CallFrame& frame, CallResult) {
  if (frame.files.size() != 2) {
    return;
  }
  const ResolvedPath* const from = frame.files[0].path.get();
  const ResolvedPath* const to = frame.files[1].path.get();
  const bool across = from == nullptr || to == nullptr || from->parent() != to->parent();
  FileAccessSet linked{FileAccess::kLink};
  FileAccessSet arrived{FileAccess::kArrive};
  if (across) {
    linked.Add(FileAccess::kReparent);
    arrived.Add(FileAccess::kReparent);
  }
  NoteNamedOrOpen(task, frame.files[0], linked);
  if (to != nullptr) {
    NoteParent(task, *to, {FileAccess::kAddName});
    log_.NoteFile({to->key.path, from != nullptr ? from->key.file_class : FileClass::kFile},
                  arrived, task.program());
  }
}

void FileRules::AfterCreate(TaskState& task, CallFrame& frame, CallResult) {
  lookup_.Forget();
  if (frame.files.empty() || frame.files[0].path == nullptr) {
    Note(task, {}, {});
    return;
  }
  const ResolvedPath& path = *frame.files[0].path;
  FileClass made = FileClass::kSymlink;
  if (frame.signature->effect == SyscallEffect::kMakeDirectory) {
    made = FileClass::kDirectory;
  } else if (frame.signature->effect == SyscallEffect::kMakeNode) {
    const auto mode =
        static_cast<std::uint32_t>(ArgumentWithRole(frame, ArgumentRole::kFileMode).value_or(0));
    made = (mode & S_IFMT) == 0 ? FileClass::kFile : FileClassFromMode(mode);
  }
  log_.NoteFile({.path = path.key.path, .file_class = made}, {FileAccess::kCreate}, task.program());
  NoteParent(task, path, {FileAccess::kAddName});
}

void FileRules::AfterChangeDirectory(TaskState& task, CallFrame& frame, CallResult) {
  FileLookup::ForgetWorkingDirectory(task);
  for (const NamedFile& file : frame.files) {
    NoteNamedOrOpen(task, file, {FileAccess::kSearch});
  }
}

void FileRules::AfterChangeRoot(TaskState& task, CallFrame& frame, CallResult) {
  for (const NamedFile& file : frame.files) {
    Note(task, file, {FileAccess::kSearch});
  }
  lookup_.ForgetRoot(task);
}

void FileRules::AfterTruncate(TaskState& task, CallFrame& frame, CallResult) {
  for (const NamedFile& file : frame.files) {
    if (file.path == nullptr && file.descriptor) {
      NoteUse(task, *file.descriptor, {FileAccess::kTruncate});
    } else {
      Note(task, file,
           {FileAccess::kOpen, FileAccess::kWrite,
            FileAccess::kTruncate});  // truncate(2) asks for both
      if (file.path != nullptr && file.path->exists()) {
        NoteDacNeed(*task.process, InodeOf(file.path->key, file.path->status), kWantWrite, log_);
      }
    }
  }
}

void FileRules::AfterMount(TaskState& task, CallFrame& frame, CallResult) {
  const bool from_path =
      frame.signature->name == "mount" && (frame.meant.arguments[3] & (MS_BIND | MS_MOVE)) != 0;
  if (from_path) {
    const Expected<std::string> source =
        ProcessMemory(task.id).ReadString(RemoteAddress{frame.meant.arguments[0]}, PATH_MAX);
    if (source.has_value()) {
      (void)lookup_.Resolve(task, *source, FinalLink::kFollow);  // which notes the walk
    }
  }
  if (!frame.files.empty()) {
    Note(task, frame.files.back(), {FileAccess::kMount});
  }
  lookup_.Forget();
  if (frame.signature->name == "pivot_root") {
    lookup_.ForgetRoot(task);
  }
}

void FileRules::AfterWatch(TaskState& task, CallFrame& frame, CallResult) {
  FileAccessSet access{FileAccess::kWatch};
  const bool inotify = frame.signature->name == "inotify_add_watch";
  if (inotify && (frame.meant.arguments[2] & (IN_ACCESS | IN_CLOSE_NOWRITE)) != 0) {
    access.Add(FileAccess::kWatchReads);
  }
  if (!frame.files.empty() && frame.files.back().path != nullptr) {
    Note(task, frame.files.back(), access);
  }
}

void FileRules::AfterIoctl(TaskState& task, CallFrame& frame, CallResult) {
  const int fd = DescriptorNumber(frame.meant.arguments[0]);
  Descriptor* const descriptor = lookup_.DescriptorOf(task, fd);
  if (descriptor == nullptr) {
    return;
  }
  const auto request = static_cast<std::uint32_t>(frame.meant.arguments[1]);
  AddIoctl(task, *descriptor, request);
  if (const std::uint32_t identity = lookup_.IdentityOf(task, fd); identity != 0) {
    ioctls_.insert({identity, request, task.program()});
  }
}

void FileRules::AfterControl(TaskState& task, CallFrame& frame, CallResult result) {
  const int fd = DescriptorNumber(frame.meant.arguments[0]);
  const auto command = static_cast<int>(frame.meant.arguments[1]);
  if (IsDuplicateCommand(command)) {
    AfterDescriptor(task, frame, result);
  } else if (IsLockCommand(command)) {
    NoteUse(task, fd, {FileAccess::kLock});
  }
}

void FileRules::AfterDescriptor(TaskState& task, CallFrame&, CallResult result) {
  Forget(task, static_cast<int>(result.value));
  task.descriptors->highest =
      std::max(task.descriptors->highest, static_cast<std::uint64_t>(result.value) + 1);
}

void FileRules::AfterPipe(TaskState& task, CallFrame& frame, CallResult) {
  const std::size_t index = frame.signature->effect == SyscallEffect::kPipe ? 0 : 3;
  const auto ends = ProcessMemory(task.id).ReadValue<std::array<int, 2>>(
      RemoteAddress{frame.meant.arguments[index]});
  if (!ends.has_value()) {
    return;
  }
  for (const int fd : *ends) {
    AfterDescriptor(task, frame, {.value = fd, .sys_errno = 0});
  }
}

/// The kernel asks whether the receiver may use such a file as it was opened (selinux_file_receive
/// in security/selinux/hooks.c).
void FileRules::AfterReceive(TaskState& task, CallFrame& frame, CallResult result) {
  const Architecture arch = frame.meant.call.arch;
  const std::int64_t messages = ReceivesSeveral(frame) ? result.value : 1;
  for (std::int64_t i = 0; i < messages; ++i) {
    const RemoteAddress message = RemoteAddress{frame.meant.arguments[1]} +
                                  (static_cast<std::uint64_t>(i) * MessageVectorStride(arch));
    if (const Expected<std::vector<int>> received =
            ReadReceivedDescriptors(message, arch, ProcessMemory(task.id));
        received.has_value()) {
      NoteReceived(task, *received);
    }
  }
}

void FileRules::NoteReceived(TaskState& task, const std::vector<int>& descriptors) {
  for (const int fd : descriptors) {
    Forget(task, fd);
    const auto mode = DescriptorFlags(task.id, fd).value_or(O_PATH);
    if ((mode & O_PATH) != 0) {
      continue;
    }
    if ((mode & O_ACCMODE) != O_WRONLY) {
      NoteUse(task, fd, {FileAccess::kRead});
    }
    if ((mode & O_ACCMODE) != O_RDONLY) {
      NoteUse(task, fd, {FileAccess::kWrite});
    }
  }
}

}  // namespace cordon
