#include "tracer/process_rules.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <utility>

#include "tracer/capability_rules.h"

namespace cordon {
namespace {

/// The kernel opens, reads and maps each of these by itself in execve(2).
constexpr FileAccessSet kRunAccess{FileAccess::kOpen, FileAccess::kRead, FileAccess::kExecute,
                                   FileAccess::kMap, FileAccess::kMapExecute};
/// Of a script only the first line is read.
constexpr FileAccessSet kScriptAccess{FileAccess::kOpen, FileAccess::kRead, FileAccess::kExecute};

constexpr std::uint64_t kViewFlags = CLONE_NEWNS | CLONE_FS | CLONE_NEWUSER;

/// Does this request begin a tracing (ptrace(2))?
bool BecomesTracer(std::uint64_t request) {
  constexpr std::uint64_t kTraceMe = 0;
  constexpr std::uint64_t kAttach = 16;
  constexpr std::uint64_t kSeize = 0x4206;
  return request == kTraceMe || request == kAttach || request == kSeize;
}

bool InOwnUserNamespace(pid_t task) {
  static const std::string kOurs = ReadLinkText("/proc/self/ns/user").value_or("");
  return ReadLinkText(fmt::format("/proc/{}/ns/user", task)).value_or(kOurs) != kOurs;
}

/// Would executing this file raise privilege without a tracer (execve(2), capabilities(7))?
bool GivesPrivilege(const TaskState& task, const ResolvedPath& path) {
  const Credentials& credentials = task.process->credentials;
  const struct stat& status = path.status;
  if (((status.st_mode & S_ISUID) != 0 && status.st_uid != credentials.effective_uid()) ||
      ((status.st_mode & S_ISGID) != 0 && status.st_gid != credentials.effective_gid())) {
    return true;
  }
  if (credentials.effective_uid() == 0) {
    return false;  // root gets all that there is, whatever the file says
  }
  const std::string reachable = fmt::format("/proc/{}/root{}", task.id, path.key.path);
  return ::getxattr(reachable.c_str(), "security.capability", nullptr, 0) > 0;
}

/// Does the kernel withhold it because of cordon? It does under a tracer without CAP_SYS_PTRACE
/// (cap_bprm_creds_from_file() in security/commoncap.c), and with no_new_privs, which a launch sets
/// for the trace filter where it lacks CAP_SYS_ADMIN.
bool TracerWithholdsPrivilege(pid_t task) {
  static const Credentials kOwn = [] {
    const Expected<ProcessStatus> own = ReadProcessStatus(::getpid());
    return own.has_value() ? own->credentials : Credentials();
  }();
  if (!kOwn.HasCapability(CAP_SYS_PTRACE)) {
    return true;
  }
  const Expected<ProcessStatus> status = ReadProcessStatus(task);
  return !kOwn.HasCapability(CAP_SYS_ADMIN) && status.has_value() && status->no_new_privileges;
}

}  // namespace

ExitInterest ProcessRules::Before(TaskState& task, CallFrame& frame) {
  switch (frame.signature->effect) {
    case SyscallEffect::kExecute: {
      frame.image.reset();
      if (frame.files.empty()) {
        return ExitInterest::kWanted;
      }
      const NamedFile& named = frame.files.front();
      if (named.path != nullptr && named.path->exists()) {
        frame.image = ReadExecutableImage(named.path->key, lookup_.ResolverFor(task));
        if (GivesPrivilege(task, *named.path) && TracerWithholdsPrivilege(task.id)) {
          log_.NoteLimitation("setuid-program",
                              fmt::format("{} ran without its privilege", named.path->key.path));
        }
      } else if (named.descriptor) {
        if (const Descriptor* const descriptor = lookup_.DescriptorOf(task, *named.descriptor);
            descriptor != nullptr) {
          frame.image = ReadExecutableImage(descriptor->file.key, lookup_.ResolverFor(task));
        }
      }
      return ExitInterest::kWanted;
    }
    case SyscallEffect::kTrace:
      if (BecomesTracer(frame.meant.arguments[0])) {
        log_.NoteLimitation("ptrace",
                            "the workload traces processes itself, which it cannot do with its own "
                            "while cordon does: what it does where that works was not seen");
      }
      return ExitInterest::kWanted;
    case SyscallEffect::kClone:
    case SyscallEffect::kUnshare:
    case SyscallEffect::kSetNamespace:
    case SyscallEffect::kCredentials:
    case SyscallEffect::kSeccomp:
    case SyscallEffect::kIoUring:
    case SyscallEffect::kKill:
    case SyscallEffect::kLimit:
    case SyscallEffect::kPriority:
    case SyscallEffect::kPrctl:
      return ExitInterest::kWanted;
    default:
      return ExitInterest::kNotWanted;
  }
}

void ProcessRules::After(TaskState& task, CallFrame& frame, CallResult result) {
  if (!result.ok()) {
    return;
  }
  switch (frame.signature->effect) {
    case SyscallEffect::kCredentials:
      RefreshCredentials(task);
      break;
    case SyscallEffect::kPrctl:
      if (frame.meant.arguments[0] == PR_CAP_AMBIENT ||
          frame.meant.arguments[0] == PR_CAPBSET_DROP) {
        RefreshCredentials(task);
      } else if (frame.meant.arguments[0] == PR_SET_SECCOMP) {
        log_.NoteLimitation("inner-seccomp-filter",
                            "the workload installed a seccomp filter of its own: results are what "
                            "that filter left");
      }
      break;
    case SyscallEffect::kSeccomp:
      if (frame.meant.arguments[0] == SECCOMP_SET_MODE_FILTER ||
          frame.meant.arguments[0] == SECCOMP_SET_MODE_STRICT) {
        log_.NoteLimitation("inner-seccomp-filter",
                            "the workload installed a seccomp filter of its own: results are what "
                            "that filter left");
        if ((frame.meant.arguments[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0) {
          log_.NoteLimitation("seccomp-notification",
                              "the workload answers calls of its own by seccomp user notification: "
                              "their results are what it answered");
        }
      }
      break;
    case SyscallEffect::kIoUring:
      log_.NoteLimitation(
          "io_uring", "operations submitted to an io_uring make no system call and were not seen");
      break;
    case SyscallEffect::kUnshare:
    case SyscallEffect::kSetNamespace:
      if (frame.signature->effect == SyscallEffect::kSetNamespace ||
          (frame.meant.arguments[0] & kViewFlags) != 0) {
        task.view = std::make_shared<FileSystemView>(*task.view);
        lookup_.ForgetRoot(task);
      }
      if ((frame.meant.arguments[0] & CLONE_FILES) != 0) {
        task.descriptors = std::make_shared<DescriptorTable>();
      }
      RefreshCredentials(task);
      break;
    default:
      break;
  }
}

void ProcessRules::RefreshCredentials(TaskState& task) {
  const Expected<ProcessStatus> status = ReadProcessStatus(task.id);
  if (!status.has_value()) {
    return;
  }
  Process& process = *task.process;
  process.credentials = status->credentials;
  process.innermost_pid = status->innermost_pid != 0 ? status->innermost_pid : process.id;
  process.own_user_namespace = InOwnUserNamespace(task.id);
  if (!process.program.empty()) {
    ProcessObservation& observation = log_.ProcessOf(process.key);
    observation.uids.insert(process.credentials.effective_uid());
    observation.gids.insert(process.credentials.gids[1]);
  }
}

void ProcessRules::AfterExec(TaskState& task) {
  Process& process = *task.process;
  std::string executable;
  ExecutableImage image;
  if (task.frame && task.frame->image) {
    image = *std::move(task.frame->image);
    executable = image.program.path;
  }
  if (executable.empty()) {
    // What ran is told by the kernel in any case.
    const Expected<OpenFile> file = DescribeOpenFile(fmt::format("/proc/{}/exe", task.id),
                                                     task.view->root, lookup_.is_workload_task());
    executable = file.has_value() ? file->key.path : std::string();
    image.program = {.path = executable, .file_class = FileClass::kFile};
  }
  process.key = {.executable = executable, .parent = process.program};
  process.program = executable;
  task.descriptors = std::make_shared<DescriptorTable>(
      DescriptorTable{.open = {}, .highest = task.descriptors->highest});
  NoteImage(task, image);
  RefreshCredentials(task);
}

void ProcessRules::NoteRunning(TaskState& task, const Process* parent) {
  Process& process = *task.process;
  const Expected<OpenFile> file = DescribeOpenFile(fmt::format("/proc/{}/exe", task.id),
                                                   task.view->root, lookup_.is_workload_task());
  process.program = file.has_value() ? file->key.path : std::string();
  if (parent != nullptr && parent->program == process.program) {
    process.key = parent->key;  // forked
  } else {
    process.key = {.executable = process.program,
                   .parent = parent != nullptr ? parent->program : std::string()};
    if (!process.program.empty()) {
      (void)log_.NoteProcess(process.key);
      log_.NoteFile({.path = process.program, .file_class = FileClass::kFile}, kRunAccess,
                    process.program);
    }
  }
  RefreshCredentials(task);
}

void ProcessRules::NoteImage(const TaskState& task, const ExecutableImage& image) {
  if (image.program.path.empty()) {
    return;
  }
  const ProcessKey& key = task.process->key;
  // A script's chain begins with a program; an ELF file's only entry is the ELF interpreter, which
  // has none itself.
  const bool script = image.is_script;
  log_.NoteFile(image.program, script ? kScriptAccess : kRunAccess, key.executable);
  lookup_.NoteSteps(task, image.steps);
  ProcessObservation& observation = log_.NoteProcess(key);
  for (const FileKey& interpreter : image.interpreters) {
    log_.NoteFile(interpreter, kRunAccess, key.executable);
    observation.interpreters.insert(interpreter.path);
  }
}

}  // namespace cordon
