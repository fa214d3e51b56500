#include "tracer/attribute_access.h"

#include <optional>
#include <string>
#include <string_view>

#include "tracer/extended_attribute.h"

namespace cordon {
namespace {

/// What the other accesses of an inode by path are called.
FileAccessSet AccessOfEffect(SyscallEffect effect) {
  switch (effect) {
    case SyscallEffect::kGetattr:
      return {FileAccess::kGetattr};
    case SyscallEffect::kSetattr:
    case SyscallEffect::kOwner:
      return {FileAccess::kSetattr};
    case SyscallEffect::kTestAccess:
      return {FileAccess::kTestAccess};
    case SyscallEffect::kReadLink:
      return {FileAccess::kReadLink};
    case SyscallEffect::kListDirectory:
      return {FileAccess::kRead};
    case SyscallEffect::kLock:
      return {FileAccess::kLock};
    default:
      return {};
  }
}

/// Does the call set the times of its file to the present? Whoever may write to it may do that
/// (vfs_utimes() in fs/utimes.c).
bool SetsTimesToNow(const CallFrame& frame) {
  const std::string_view name = frame.signature->name;
  const bool after_directory = name.starts_with("utimensat") || name == "futimesat";
  return (after_directory || name == "utime" || name == "utimes") &&
         frame.meant.arguments[after_directory ? 2 : 1] == 0;
}

}  // namespace

FileAccessSet AttributeAccess(const TaskState& task, const CallFrame& frame) {
  FileAccessSet access = AccessOfEffect(frame.signature->effect);
  if (frame.signature->effect == SyscallEffect::kSetattr && SetsTimesToNow(frame)) {
    return {FileAccess::kWrite};
  }
  // Attributes of the user are read and written like the file (xattr_permission() in fs/xattr.c).
  if (const auto name = ExtendedAttribute(task, frame); name && name->starts_with("user.")) {
    access.Add(frame.signature->effect == SyscallEffect::kSetattr ? FileAccess::kWrite
                                                                  : FileAccess::kRead);
  }
  return access;
}

}  // namespace cordon
