#include "tracer/attach.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>

#include "common/file.h"
#include "observe/file_name.h"
#include "observe/process_status.h"
#include "observe/process_tree.h"

namespace cordon {
namespace {

Error CannotAttach(pid_t process, std::string_view why) {
  return MakeError(ErrorCode::kPermission,
                   fmt::format("process {} cannot be traced: {}", process, why));
}

/// Yama's ptrace_scope (Documentation/admin-guide/LSM/Yama.rst): 0 as ever, 1 descendants only, 2
/// with CAP_SYS_PTRACE only, 3 not at all; 0 without Yama.
int YamaScope() {
  constexpr std::size_t kMaxBytes = 16;
  const Expected<std::string> text = ReadFile("/proc/sys/kernel/yama/ptrace_scope", kMaxBytes);
  return text.has_value() && !text->empty() && text->front() >= '0' && text->front() <= '3'
             ? text->front() - '0'
             : 0;
}

/// Why PTRACE_SEIZE of `process` failed, and what to do (ptrace(2), "Ptrace access mode checking").
Error Explain(pid_t process, const Error& seize) {
  const Expected<ProcessStatus> status = ReadProcessStatus(process);
  if (IsGone(seize) || !status.has_value()) {
    return InvalidInput(fmt::format("there is no process {}", process));
  }
  if (status->tracer != 0) {
    return CannotAttach(
        process, fmt::format("process {} traces it already; end that one first", status->tracer));
  }
  if (status->thread_group == ::getpid()) {
    return CannotAttach(process, "it is cordon itself");
  }
  // Only a thread of the kernel, or what has ended, has no memory (proc(5), VmHWM).
  if (status->peak_resident_bytes == 0 && status->state != 'Z') {
    return CannotAttach(process, "it is a thread of the kernel, which makes no system calls");
  }
  constexpr int kWithCapability = 2;
  constexpr int kNever = 3;
  const int scope = YamaScope();
  if (scope == kNever) {
    return CannotAttach(process,
                        "kernel.yama.ptrace_scope is 3, which forbids tracing until the next boot: "
                        "set it lower in sysctl.d and boot again");
  }
  if (::geteuid() != 0) {
    if (status->credentials.effective_uid() != ::geteuid()) {
      return CannotAttach(process, fmt::format("it belongs to uid {}; run cordon as root",
                                               status->credentials.effective_uid()));
    }
    if (scope > 0) {
      return CannotAttach(process,
                          fmt::format("kernel.yama.ptrace_scope is {}; run cordon as root{}", scope,
                                      scope < kWithCapability ? ", or set it to 0" : ""));
    }
    return CannotAttach(process,
                        "it has more privilege than cordon or has made itself undumpable; run "
                        "cordon as root");
  }
  return CannotAttach(process,
                      "the kernel refuses it; give cordon CAP_SYS_PTRACE in the process's user "
                      "namespace (docker run --cap-add SYS_PTRACE)");
}

/// One attachment under way.
class Attachment {
 public:
  Attachment(TraceKernel& kernel, pid_t root) : kernel_(kernel), root_(root) {}

  Status Run() {
    for (bool news = true; news;) {
      news = false;
      for (const pid_t process : ProcessTree(root_)) {
        ASSIGN_OR_RETURN(const bool found, SeizeThreads(process));
        news |= found;
      }
    }
    return {};
  }

  AttachedTree Take() { return std::move(tree_); }

 private:
  /// Was there one that was not known?
  Expected<bool> SeizeThreads(pid_t process) {
    bool news = false;
    for (const pid_t thread : ThreadsOf(process)) {
      if (!known_.contains(thread)) {
        RETURN_IF_ERROR(SeizeOne(thread, process));
        news |= known_.insert(thread).second;
      }
    }
    return news;
  }

  Status SeizeOne(pid_t thread, pid_t process) {
    const Status seized = kernel_.Seize(thread, FilterEvents::kIgnored, Lifetime::kOutlivesTracer);
    const Expected<ProcessStatus> status = ReadProcessStatus(thread);
    if (seized.has_value()) {
      tree_.tasks.push_back(
          {.id = thread, .process = process, .parent = status.has_value() ? status->parent : 0});
      return {};
    }
    const bool ours = status.has_value() && status->tracer == ::getpid();
    const bool over = status.has_value() ? status->state == 'Z' || status->state == 'X' : true;
    if (ours || over) {
      return {};  // made by a seized task; or ended, perhaps before its other threads
    }
    if (process == root_) {
      return Fail(Explain(thread, seized.error()));
    }
    if (thread == process) {
      tree_.refused.push_back(process);
    }
    return {};
  }

  TraceKernel& kernel_;
  pid_t root_;
  std::set<pid_t> known_;
  AttachedTree tree_;
};

}  // namespace

Expected<AttachedTree> AttachTree(TraceKernel& kernel, pid_t process) {
  const Expected<ProcessStatus> status = ReadProcessStatus(process);
  if (!status.has_value()) {
    return Fail(InvalidInput(fmt::format("there is no process {}", process)));
  }
  if (status->thread_group != process) {
    return Fail(MakeError(
        ErrorCode::kInvalidInput,
        fmt::format("{} is a thread; attach to its process, {}", process, status->thread_group)));
  }
  Attachment attachment(kernel, process);
  RETURN_IF_ERROR(attachment.Run());
  AttachedTree tree = attachment.Take();
  if (tree.tasks.empty()) {
    return Fail(InvalidInput(fmt::format("process {} has ended", process)));
  }
  return tree;
}

}  // namespace cordon
