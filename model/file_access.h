#pragma once

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

namespace cordon {

/// What kind of inode, with SELinux's class names as text: file, dir, lnk_file, chr_file, blk_file,
/// fifo_file, sock_file. kAnonymous is an anonymous inode (eventfd, epoll, timerfd, …).
enum class FileClass : std::uint8_t {
  kFile,
  kDirectory,
  kSymlink,
  kCharacter,
  kBlock,
  kFifo,
  kSocket,
  kAnonymous
};

/// "file", "dir", "lnk", "chr", "blk", "fifo", "sock", "anon": as in recordings.
std::string_view Name(FileClass file_class);
std::optional<FileClass> FileClassFromName(std::string_view name);

/// The class of st_mode's format bits (inode(7)); kAnonymous when they are zero.
FileClass FileClassFromMode(std::uint32_t mode);

/// One kind of access to an inode, as precise as the SELinux checks need (research: 414 operations
/// measured on Linux 6.1).
enum class FileAccess : std::uint8_t {
  kOpen,   ///< open(2) other than O_PATH
  kRead,   ///< opened for reading, or read through an inherited descriptor; for a directory: listed
  kWrite,  ///< opened for writing without O_APPEND
  kAppend,        ///< opened for writing with O_APPEND
  kCreate,        ///< did not exist before: created by open, mkdir, mknod, symlink, bind
  kTruncate,      ///< O_TRUNC of an existing file, truncate, ftruncate
  kExecute,       ///< execve(2) of it, or run as the interpreter of what was
  kMap,           ///< mmap(2)
  kMapWrite,      ///< mmap(2) shared and writable
  kMapExecute,    ///< mmap(2) or mprotect(2) with PROT_EXEC
  kExecModified,  ///< mprotect(2) to PROT_EXEC of a private mapping that was writable
  kGetattr,       ///< stat and its kin
  kSetattr,       ///< chmod, chown, utimensat with times, setxattr
  kUnlink,        ///< unlink(2), rmdir(2) of it, or replaced by rename(2)
  kRename,        ///< renamed away
  kLink,          ///< source of link(2)
  kLock,          ///< flock(2), fcntl F_SETLK …
  kWatch,         ///< inotify_add_watch(2), fanotify_mark(2)
  kWatchReads,    ///< a watch with IN_ACCESS or IN_CLOSE_NOWRITE
  kMount,         ///< mounted on
  kIoctl,         ///< ioctl(2); the requests are in FileObservation::ioctls
  kSearch,        ///< a directory walked through, or chdir(2) to it
  kReadLink,      ///< a symbolic link followed or read
  kAddName,       ///< a directory that got a new entry
  kRemoveName,    ///< a directory that lost an entry
  kReparent,      ///< renamed or linked into another directory; on the old name, and on the new
                  ///< one where that is no directory
  kConnect,       ///< an AF_UNIX socket's path connected or sent to
  kArrive,        ///< got this name by rename(2) or link(2)
  kTestAccess,    ///< access(2) asked for it; nothing was opened
};

/// "open", "read", …, "map_exec", "add_name": as in recordings.
std::string_view Name(FileAccess access);
std::optional<FileAccess> FileAccessFromName(std::string_view name);

/// A set of FileAccess.
class FileAccessSet {
 public:
  constexpr FileAccessSet() = default;

  constexpr FileAccessSet(std::initializer_list<FileAccess> list) {
    for (FileAccess access : list) {
      Add(access);
    }
  }

  constexpr void Add(FileAccess access) { bits_ |= Bit(access); }

  constexpr void Add(FileAccessSet other) { bits_ |= other.bits_; }

  constexpr bool Has(FileAccess access) const { return (bits_ & Bit(access)) != 0; }

  constexpr bool HasAny(FileAccessSet other) const { return (bits_ & other.bits_) != 0; }

  constexpr bool empty() const { return bits_ == 0; }

  /// In the order of the enumeration.
  std::vector<FileAccess> List() const;

  auto operator<=>(const FileAccessSet&) const = default;

 private:
  static constexpr std::uint64_t Bit(FileAccess access) {
    return std::uint64_t{1} << static_cast<unsigned>(access);
  }

  std::uint64_t bits_ = 0;
};

}  // namespace cordon
