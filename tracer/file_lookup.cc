#include "tracer/file_lookup.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <climits>

#include "observe/memory_map.h"
#include "observe/process_memory.h"
#include "tracer/capability_rules.h"

namespace cordon {
namespace {

/// How the last component of a call's path is treated.
FinalLink FinalLinkOf(ArgumentRole role, std::uint64_t at_flags, const CallFrame& frame) {
  const bool exclusive = (frame.open_flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
  if ((at_flags & AT_SYMLINK_NOFOLLOW) != 0 || (frame.open_flags & O_NOFOLLOW) != 0 || exclusive) {
    return FinalLink::kKeep;
  }
  if ((at_flags & AT_SYMLINK_FOLLOW) != 0 || role == ArgumentRole::kPath) {
    return FinalLink::kFollow;
  }
  return FinalLink::kKeep;
}

/// The AT_* that stand for what the flag word of the call says of its path number `position`.
std::uint64_t FlagsOfPath(const CallFrame& frame, std::size_t position) {
  if (position >= frame.signature->path_flags.size()) {
    return 0;
  }
  const PathFlags& bits = frame.signature->path_flags[position];
  const std::uint64_t word = frame.meant.arguments[bits.index];
  std::uint64_t flags = 0;
  if ((word & bits.keep) != 0) {
    flags |= AT_SYMLINK_NOFOLLOW;
  }
  if ((word & bits.follow) != 0) {
    flags |= AT_SYMLINK_FOLLOW;
  }
  if (bits.empty == PathFlags::kAlways || (word & bits.empty) != 0) {
    flags |= AT_EMPTY_PATH;
  }
  return flags;
}

/// Does what this path means depend on the process that asks?
bool IsPersonal(const ResolvedPath& path) {
  return path.key.path.starts_with("/proc/") ||
         std::ranges::any_of(
             path.steps, [](const PathStep& step) { return step.key.path.starts_with("/proc/"); });
}

}  // namespace

PathResolver FileLookup::ResolverFor(const TaskState& task) const {
  return {{.task = task.id, .innermost_pid = task.process->innermost_pid, .root = task.view->root},
          is_workload_task_};
}

void FileLookup::ForgetRoot(TaskState& task) {
  task.view->identity = next_identity_++;
  ForgetWorkingDirectory(task);
  if (Expected<std::string> root = ReadLinkText(fmt::format("/proc/{}/root", task.id));
      root.has_value()) {
    task.view->root = *std::move(root);
  }
}

const std::string& FileLookup::WorkingDirectory(TaskState& task) {
  std::string& known = task.view->working_directory;
  if (known.empty()) {
    const Expected<OpenFile> directory =
        DescribeOpenFile(fmt::format("/proc/{}/cwd", task.id), task.view->root, is_workload_task_);
    known = directory.has_value() ? directory->key.path : "?";
  }
  return known;
}

std::string FileLookup::CacheKey(TaskState& task, const PathRequest& request) {
  std::string key = fmt::format("{}{}", task.view->identity,
                                request.final_link == FinalLink::kFollow ? 'f' : 'k');
  if (!request.path.starts_with('/')) {
    if (!request.directory_fd) {
      key += WorkingDirectory(task);
    } else if (const Descriptor* base = DescriptorOf(task, *request.directory_fd);
               base != nullptr) {
      key += base->file.key.path;
    }
    key += '/';
    key += '/';  // no canonical path has two, so base and path stay apart
  }
  key += request.path;
  return key;
}

NamedFile FileLookup::Lookup(TaskState& task, const PathRequest& request, Freshness freshness) {
  const std::string key = CacheKey(task, request);
  PathCache::Entry* entry = cache_.Find(key);
  NamedFile named{.path = {}, .descriptor = {}, .cache_key = key, .fresh = false};
  if (entry == nullptr || freshness == Freshness::kFresh) {
    Expected<ResolvedPath> resolved = ResolverFor(task).Resolve(request);
    if (!resolved.has_value()) {
      if (resolved.error().code == ErrorCode::kPermission) {
        log_.NoteLimitation("unreadable-path",
                            "the root or a directory of a process could not be entered");
      }
      return named;
    }
    named.fresh = true;
    if (IsPersonal(*resolved)) {
      NoteSteps(task, resolved->steps);
      named.path = std::make_shared<const ResolvedPath>(*std::move(resolved));
      named.cache_key.clear();
      return named;
    }
    entry = &cache_.Put(key, *std::move(resolved));
  }
  named.path = entry->path;
  if (entry->noted_for != task.program() || entry->noted_for.empty()) {
    entry->noted_for = task.program();
    NoteSteps(task, entry->path->steps);
  }
  return named;
}

void FileLookup::NoteSteps(const TaskState& task, const std::vector<PathStep>& steps) {
  for (const PathStep& step : steps) {
    const bool directory = step.key.file_class == FileClass::kDirectory;
    log_.NoteFile(step.key, {directory ? FileAccess::kSearch : FileAccess::kReadLink},
                  task.program());
    if (directory) {
      NoteDacNeed(*task.process,
                  {.path = step.key.path, .mode = step.mode, .uid = step.uid, .gid = step.gid},
                  kWantExecute, log_);
    }
  }
}

void FileLookup::NameFiles(TaskState& task, CallFrame& frame, Freshness freshness) {
  frame.files.clear();
  const ProcessMemory memory(task.id);
  std::optional<int> directory_fd;
  // AT_* flags of calls with two paths concern the first one.
  std::uint64_t at_flags = ArgumentWithRole(frame, ArgumentRole::kAtFlags).value_or(0);
  std::size_t paths = 0;
  for (std::size_t i = 0; i < frame.signature->roles.size(); ++i) {
    const ArgumentRole role = frame.signature->roles[i];
    const std::uint64_t argument = frame.meant.arguments[i];
    if (role == ArgumentRole::kFd) {
      frame.files.push_back(
          {.path = {}, .descriptor = DescriptorNumber(argument), .cache_key = {}, .fresh = false});
    } else if (role == ArgumentRole::kDirectoryFd) {
      directory_fd = DescriptorNumber(argument);
      if (*directory_fd == AT_FDCWD) {
        directory_fd.reset();
      }
    } else if (role == ArgumentRole::kPath || role == ArgumentRole::kPathNoFollow) {
      at_flags |= FlagsOfPath(frame, paths++);
      frame.files.push_back(NamePath(task, memory,
                                     {.address = argument,
                                      .directory_fd = directory_fd,
                                      .at_flags = at_flags,
                                      .final_link = FinalLinkOf(role, at_flags, frame)},
                                     freshness));
      at_flags = 0;
      directory_fd.reset();
    }
  }
}

NamedFile FileLookup::NamePath(TaskState& task, const ProcessMemory& memory,
                               const PathArgument& argument, Freshness freshness) {
  NamedFile itself{
      .path = {}, .descriptor = argument.directory_fd, .cache_key = {}, .fresh = false};
  if (argument.address == 0) {
    return itself;  // utimensat(2) and statx(2): the descriptor itself
  }
  const Expected<std::string> text = memory.ReadString(RemoteAddress{argument.address}, PATH_MAX);
  if (!text.has_value()) {
    return {};
  }
  if (text->empty()) {
    const bool allowed = (argument.at_flags & AT_EMPTY_PATH) != 0;
    if (allowed && !argument.directory_fd) {
      return Lookup(task, {.directory_fd = {}, .path = ".", .final_link = FinalLink::kFollow},
                    freshness);
    }
    return allowed ? itself : NamedFile{};
  }
  return Lookup(
      task,
      {.directory_fd = argument.directory_fd, .path = *text, .final_link = argument.final_link},
      freshness);
}

Expected<ResolvedPath> FileLookup::Resolve(TaskState& task, std::string_view path,
                                           FinalLink final_link) {
  Expected<ResolvedPath> resolved =
      ResolverFor(task).Resolve({.directory_fd = {}, .path = path, .final_link = final_link});
  if (resolved.has_value()) {
    NoteSteps(task, resolved->steps);
  }
  return resolved;
}

Descriptor* FileLookup::DescriptorOf(TaskState& task, int fd) {
  if (fd < 0) {
    return nullptr;
  }
  auto& open = task.descriptors->open;
  if (const auto found = open.find(fd); found != open.end()) {
    return &found->second;
  }
  Expected<OpenFile> file = DescribeOpenFile(fmt::format("/proc/{}/fd/{}", task.id, fd),
                                             task.view->root, is_workload_task_);
  if (!file.has_value()) {
    return nullptr;
  }
  task.descriptors->highest =
      std::max<std::uint64_t>(task.descriptors->highest, static_cast<std::uint64_t>(fd) + 1);
  return &open.emplace(fd, Descriptor{.file = *std::move(file),
                                      .noted = {},
                                      .ioctls = {},
                                      .socket = {},
                                      .noted_for = {}})
              .first->second;
}

std::optional<SocketIdentity> FileLookup::SocketOf(TaskState& task, int fd) {
  Descriptor* const descriptor = DescriptorOf(task, fd);
  if (descriptor == nullptr || descriptor->file.key.file_class != FileClass::kSocket) {
    return std::nullopt;
  }
  if (!descriptor->socket) {
    if (const Expected<SocketIdentity> identity = IdentifySocket(task.process->id, fd);
        identity.has_value()) {
      descriptor->socket = *identity;
    }
  }
  return descriptor->socket;
}

std::uint32_t FileLookup::IdentityOf(TaskState& task, int fd) {
  Descriptor* const descriptor = DescriptorOf(task, fd);
  if (descriptor == nullptr) {
    return 0;
  }
  if (descriptor->identity == 0) {
    std::string name;
    if (const std::optional<SocketIdentity> socket = SocketOf(task, fd)) {
      name = fmt::format("{}/{}/{}", socket->family, socket->type, socket->protocol);
    } else if (descriptor->file.key.file_class == FileClass::kSocket) {
      return 0;
    } else {
      name = fmt::format("{}{}{}", OpenedForAppend(task.id, fd) ? 'a' : 'w',
                         Name(descriptor->file.key.file_class), descriptor->file.key.path);
    }
    descriptor->identity =
        identities_.try_emplace(name, static_cast<std::uint32_t>(identities_.size() + 1))
            .first->second;
  }
  return descriptor->identity;
}

Descriptor* FileLookup::NoteOpened(TaskState& task, int fd, const NamedFile& named) {
  const std::string link = fmt::format("/proc/{}/fd/{}", task.id, fd);
  Expected<std::string> text = ReadLinkText(link);
  if (!text.has_value()) {
    return nullptr;
  }
  PathCache::Entry* const entry = named.cache_key.empty() ? nullptr : cache_.Find(named.cache_key);
  Descriptor descriptor;
  if (entry != nullptr && entry->link_text == *text && !text->ends_with(')')) {
    descriptor.file = entry->opened;
  } else {
    Expected<OpenFile> file = DescribeOpenFile(link, *text, task.view->root, is_workload_task_);
    if (!file.has_value()) {
      return nullptr;
    }
    descriptor.file = *std::move(file);
    if (entry != nullptr) {
      entry->link_text = *std::move(text);
      entry->opened = descriptor.file;
    }
  }
  task.descriptors->highest =
      std::max<std::uint64_t>(task.descriptors->highest, static_cast<std::uint64_t>(fd) + 1);
  Descriptor& slot = task.descriptors->open[fd];
  slot = std::move(descriptor);
  return &slot;
}

}  // namespace cordon
