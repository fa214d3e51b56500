#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "observe/file_name.h"
#include "observe/memory_map.h"
#include "observe/process_memory.h"
#include "tracer/file_rules.h"

// Calls that map files into memory.

namespace cordon {
namespace {

/// What mmap(2) of a file does with it.
FileAccessSet MapAccess(std::uint64_t protection, std::uint64_t flags) {
  FileAccessSet access{FileAccess::kMap};
  if ((protection & PROT_EXEC) != 0) {
    access.Add(FileAccess::kMapExecute);
  }
  const auto type = flags & MAP_TYPE;
  if ((type == MAP_SHARED || type == MAP_SHARED_VALIDATE) && (protection & PROT_WRITE) != 0) {
    access.Add(FileAccess::kMapWrite);
  }
  return access;
}

}  // namespace

ExitInterest FileRules::BeforeMap(TaskState& task, const CallFrame& frame) {
  const auto argument = ArgumentWithRole(frame, ArgumentRole::kFd);
  if (!argument) {
    return ExitInterest::kWanted;
  }
  const int fd = DescriptorNumber(*argument);
  const std::uint64_t flags = ArgumentWithRole(frame, ArgumentRole::kMapFlags).value_or(0);
  const std::uint64_t protection = ArgumentWithRole(frame, ArgumentRole::kProtection).value_or(0);
  const bool known =
      (flags & MAP_ANONYMOUS) != 0 || fd < 0 || IsNoted(task, fd, MapAccess(protection, flags));
  return known ? ExitInterest::kNotWanted : ExitInterest::kWanted;
}

ExitInterest FileRules::BeforeProtect(const TaskState& task, CallFrame& frame) {
  if ((ArgumentWithRole(frame, ArgumentRole::kProtection).value_or(0) & PROT_EXEC) == 0) {
    return ExitInterest::kNotWanted;
  }
  frame.mapping = FindMapping(task.id, frame.meant.arguments[0]).value_or(std::nullopt);
  return ExitInterest::kWanted;
}

void FileRules::AfterMap(TaskState& task, CallFrame& frame, CallResult) {
  std::uint64_t protection = ArgumentWithRole(frame, ArgumentRole::kProtection).value_or(0);
  std::uint64_t flags = ArgumentWithRole(frame, ArgumentRole::kMapFlags).value_or(0);
  std::optional<int> fd;
  if (const auto argument = ArgumentWithRole(frame, ArgumentRole::kFd)) {
    fd = DescriptorNumber(*argument);
  } else {
    // i386's first mmap has its arguments in memory: addr, len, prot, flags, fd, offset.
    const auto words = ProcessMemory(task.id).ReadValue<std::array<std::uint32_t, 6>>(
        RemoteAddress{frame.meant.arguments[0]});
    if (words.has_value()) {
      protection = (*words)[2];
      flags = (*words)[3];
      fd = static_cast<int>((*words)[4]);
    }
  }
  if (!fd || (flags & MAP_ANONYMOUS) != 0) {
    return;
  }
  NoteUse(task, *fd, MapAccess(protection, flags));
}

void FileRules::AfterProtect(TaskState& task, CallFrame& frame, CallResult) {
  if (!frame.mapping || !frame.mapping->path.starts_with('/')) {
    return;
  }
  FileAccessSet access{FileAccess::kMapExecute};
  if (frame.mapping->is_private && frame.mapping->writable) {
    access.Add(FileAccess::kExecModified);
  }
  const std::string path(NormalizeProcPath(StripRoot(frame.mapping->path, task.view->root),
                                           lookup_.is_workload_task()));
  log_.NoteFile({.path = path, .file_class = FileClass::kFile}, access, task.program());
}

}  // namespace cordon
