#include "tracer/inherited_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <map>

#include "observe/memory_map.h"
#include "observe/process_tree.h"
#include "tracer/open_access.h"

namespace cordon {
namespace {

void NoteSocket(const TaskState& task, int fd, RecordingLog& log) {
  const Expected<OpenSocket> socket = DescribeSocket(task.process->id, fd);
  if (!socket.has_value()) {
    return;
  }
  const auto note = [&](SocketOperation operation, const std::optional<SocketAddress>& address) {
    SocketKey key{.family = socket->identity.family,
                  .type = socket->identity.type,
                  .protocol = socket->identity.protocol,
                  .operation = operation,
                  .address = {},
                  .port = 0};
    if (address) {
      key.address = address->address;
      key.port = address->port;
    }
    log.NoteSocket(std::move(key), 0, task.program());
  };
  note(SocketOperation::kCreate, {});
  if (socket->listens) {
    note(SocketOperation::kBind, socket->bound);
    note(SocketOperation::kListen, {});
  }
  // Whether a stream connected or was accepted cannot be told: a peer is not noted. A datagram
  // socket with a name and no peer waits for messages there.
  const bool datagram = socket->identity.type == SOCK_DGRAM &&
                        (socket->identity.family == AF_INET ||
                         socket->identity.family == AF_INET6 || socket->identity.family == AF_UNIX);
  if (datagram && socket->bound && !socket->peer) {
    note(SocketOperation::kBind, socket->bound);
  }
}

void NoteDescriptors(TaskState& task, FileLookup& lookup, RecordingLog& log) {
  for (const int fd : OpenDescriptors(task.process->id)) {
    const Descriptor* const descriptor = lookup.DescriptorOf(task, fd);
    if (descriptor == nullptr) {
      continue;
    }
    if (descriptor->file.key.file_class == FileClass::kSocket) {
      NoteSocket(task, fd, log);
      continue;
    }
    const std::uint64_t flags = DescriptorFlags(task.id, fd).value_or(O_PATH);
    if ((flags & O_PATH) == 0) {
      log.NoteFile(descriptor->file.key, AccessOfOpenFlags(flags), task.program());
    }
  }
}

void NoteMappings(const TaskState& task, const FileLookup& lookup, RecordingLog& log) {
  const Expected<std::vector<Mapping>> mappings = ReadMappings(task.id);
  if (!mappings.has_value()) {
    return;
  }
  std::map<std::string, FileAccessSet> mapped;
  for (const Mapping& mapping : *mappings) {
    if (!mapping.path.starts_with('/') || mapping.path.ends_with(" (deleted)")) {
      continue;
    }
    FileAccessSet& access = mapped[NormalizeProcPath(StripRoot(mapping.path, task.view->root),
                                                     lookup.is_workload_task())];
    access.Add({FileAccess::kOpen, FileAccess::kRead, FileAccess::kMap});
    if (mapping.executable) {
      access.Add(FileAccess::kMapExecute);
    }
    if (mapping.writable && !mapping.is_private) {
      access.Add(FileAccess::kMapWrite);
    }
  }
  for (const auto& [path, access] : mapped) {
    log.NoteFile({.path = path, .file_class = FileClass::kFile}, access, task.program());
  }
}

}  // namespace

void NoteInheritedState(TaskState& task, FileLookup& lookup, RecordingLog& log) {
  if (const Expected<OpenFile> directory = DescribeOpenFile(
          fmt::format("/proc/{}/cwd", task.id), task.view->root, lookup.is_workload_task());
      directory.has_value()) {
    log.NoteFile(directory->key, {FileAccess::kSearch}, task.program());
  }
  NoteMappings(task, lookup, log);
  NoteDescriptors(task, lookup, log);
}

}  // namespace cordon
