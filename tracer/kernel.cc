#include "tracer/kernel.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>

#include "common/unique_fd.h"
#include "model/architecture.h"
#include "observe/process_memory.h"
#include "tracer/register_file.h"

namespace cordon {
namespace {

constexpr unsigned long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
                                   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
                                   PTRACE_O_TRACEEXIT;

/// ptrace(2) with its odd prototype hidden: glibc's takes an enum of its own and pointers for
/// numbers.
long Ptrace(unsigned request, pid_t task, std::uint64_t address, std::uint64_t data) {
  errno = 0;
  // NOLINTBEGIN(performance-no-int-to-ptr): numbers in most requests
  return ::ptrace(static_cast<__ptrace_request>(request), task, reinterpret_cast<void*>(address),
                  reinterpret_cast<void*>(data));
  // NOLINTEND(performance-no-int-to-ptr)
}

template <typename T>
std::uint64_t PointerTo(T& value) {
  return reinterpret_cast<std::uint64_t>(&value);
}

Status Check(long result, std::string_view what) {
  if (result < 0) {
    return Fail(SystemError(errno, std::string(what)));
  }
  return {};
}

WaitResult WaitTask(pid_t which) {
  int raw = 0;
  const pid_t task = ::waitpid(which, &raw, __WALL);
  if (task > 0) {
    return {.kind = WaitResult::Kind::kReport, .task = task, .status = WaitStatus::FromRaw(raw)};
  }
  return {.kind = errno == EINTR ? WaitResult::Kind::kInterrupted : WaitResult::Kind::kNoTasks};
}

CallStage StageOf(std::uint8_t op) {
  switch (op) {
    case PTRACE_SYSCALL_INFO_ENTRY:
      return CallStage::kEntry;
    case PTRACE_SYSCALL_INFO_EXIT:
      return CallStage::kExit;
    case PTRACE_SYSCALL_INFO_SECCOMP:
      return CallStage::kSeccomp;
    default:
      return CallStage::kNone;
  }
}

/// Fails with kUnsupported when the register file has no row for it.
Status WriteRegister(pid_t task, std::uint32_t audit_arch, RegisterRole role, std::uint64_t value) {
  const Error unknown =
      MakeError(ErrorCode::kUnsupported, "where a register of this architecture lies is not known");
  const std::optional<Architecture> abi = ArchitectureFromAudit(audit_arch, 0);
  const std::optional<unsigned> note = abi ? RegisterNote(role, *abi) : std::nullopt;
  if (!note) {
    return Fail(unknown);
  }
  std::array<std::byte, kMaxRegsetBytes> registers{};
  iovec set{registers.data(), registers.size()};
  RETURN_IF_ERROR(Check(Ptrace(PTRACE_GETREGSET, task, *note, PointerTo(set)), "PTRACE_GETREGSET"));
  const std::optional<RegisterSlot> slot = FindRegister(role, *abi, set.iov_len);
  if (!slot) {
    return Fail(unknown);
  }
  // Little endian on every architecture that has rows.
  std::memcpy(registers.data() + slot->offset, &value, slot->width);
  return Check(Ptrace(PTRACE_SETREGSET, task, *note, PointerTo(set)), "PTRACE_SETREGSET");
}

}  // namespace

bool IsGone(const Error& error) {
  return error.sys_errno == ESRCH;
}

bool TraceKernel::TracesAnything() {
  const pid_t self = ::getpid();
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    pid_t id = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), id);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) {
      continue;
    }
    if (const Expected<ProcessStatus> status = ReadProcessStatus(id);
        status.has_value() && status->tracer == self) {
      return true;
    }
  }
  return false;
}

namespace {

Error NoRegisters() {
  return MakeError(ErrorCode::kUnsupported, "the registers of this task are not those of x86-64");
}

}  // namespace

Expected<TaskRegisters> TraceKernel::ReadRegisters(pid_t) {
  return Fail(NoRegisters());
}

Status TraceKernel::WriteRegisters(pid_t, const TaskRegisters&) {
  return Fail(NoRegisters());
}

Status TraceKernel::WriteCode(pid_t, std::uint64_t, std::span<const std::uint8_t>) {
  return Fail(MakeError(ErrorCode::kUnsupported, "code cannot be changed"));
}

Expected<TaskRegisters> LinuxTraceKernel::ReadRegisters(pid_t task) {
  if (NativeArchitecture() != Architecture::kX86_64) {
    return Fail(NoRegisters());
  }
  TaskRegisters registers;
  iovec set{registers.values.data(), sizeof registers.values};
  RETURN_IF_ERROR(
      Check(Ptrace(PTRACE_GETREGSET, task, NT_PRSTATUS, PointerTo(set)), "PTRACE_GETREGSET"));
  if (set.iov_len != sizeof registers.values) {
    return Fail(NoRegisters());  // of a 32-bit task
  }
  return registers;
}

Status LinuxTraceKernel::WriteRegisters(pid_t task, const TaskRegisters& registers) {
  TaskRegisters copy = registers;
  iovec set{copy.values.data(), sizeof copy.values};
  return Check(Ptrace(PTRACE_SETREGSET, task, NT_PRSTATUS, PointerTo(set)), "PTRACE_SETREGSET");
}

Status LinuxTraceKernel::WriteCode(pid_t task, std::uint64_t address,
                                   std::span<const std::uint8_t> code) {
  const UniqueFd memory(::open(fmt::format("/proc/{}/mem", task).c_str(), O_RDWR | O_CLOEXEC));
  if (!memory.valid()) {
    return Fail(SystemError(errno, "open the memory of a process"));
  }
  if (::pwrite(memory.get(), code.data(), code.size(), static_cast<off_t>(address)) !=
      static_cast<ssize_t>(code.size())) {
    return Fail(SystemError(errno, "write to the code of a process"));
  }
  return {};
}

bool TraceKernel::IsFault(pid_t) {
  return false;
}

Expected<cpu_set_t> TraceKernel::ReadProcessors(pid_t) {
  return Fail(MakeError(ErrorCode::kUnsupported, "where tasks run is not known"));
}

Status TraceKernel::SetProcessors(pid_t, const cpu_set_t&) {
  return Fail(MakeError(ErrorCode::kUnsupported, "where tasks run cannot be chosen"));
}

int TraceKernel::CurrentProcessor() {
  return -1;
}

Expected<cpu_set_t> LinuxTraceKernel::ReadProcessors(pid_t task) {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  if (::sched_getaffinity(task, sizeof processors, &processors) != 0) {
    return Fail(SystemError(errno, "sched_getaffinity"));
  }
  return processors;
}

Status LinuxTraceKernel::SetProcessors(pid_t task, const cpu_set_t& processors) {
  return Check(::sched_setaffinity(task, sizeof processors, &processors), "sched_setaffinity");
}

int LinuxTraceKernel::CurrentProcessor() {
  return ::sched_getcpu();
}

bool LinuxTraceKernel::IsFault(pid_t task) {
  siginfo_t info{};
  return Ptrace(PTRACE_GETSIGINFO, task, 0, PointerTo(info)) == 0 && info.si_code > 0;
}

WaitResult LinuxTraceKernel::Wait() {
  return WaitTask(-1);
}

WaitResult LinuxTraceKernel::WaitFor(pid_t task) {
  return WaitTask(task);
}

Status LinuxTraceKernel::Seize(pid_t task, FilterEvents events, Lifetime lifetime) {
  unsigned long options = kOptions;
  if (events == FilterEvents::kReported) {
    options |= PTRACE_O_TRACESECCOMP;
  }
  if (lifetime == Lifetime::kEndsWithTracer) {
    options |= PTRACE_O_EXITKILL;
  }
  return Check(Ptrace(PTRACE_SEIZE, task, 0, options), "trace the program (PTRACE_SEIZE)");
}

Status LinuxTraceKernel::Resume(pid_t task, ResumeMode mode, int signal) {
  unsigned request = PTRACE_CONT;
  if (mode == ResumeMode::kSyscall) {
    request = PTRACE_SYSCALL;
  } else if (mode == ResumeMode::kListen) {
    request = PTRACE_LISTEN;
  }
  return Check(Ptrace(request, task, 0, static_cast<std::uint64_t>(signal)), "resume a task");
}

Status LinuxTraceKernel::Detach(pid_t task, int signal) {
  return Check(Ptrace(PTRACE_DETACH, task, 0, static_cast<std::uint64_t>(signal)),
               "let go of a task (PTRACE_DETACH)");
}

Status LinuxTraceKernel::Interrupt(pid_t task) {
  return Check(Ptrace(PTRACE_INTERRUPT, task, 0, 0), "PTRACE_INTERRUPT");
}

Expected<std::uint64_t> LinuxTraceKernel::EventMessage(pid_t task) {
  unsigned long message = 0;
  RETURN_IF_ERROR(
      Check(Ptrace(PTRACE_GETEVENTMSG, task, 0, PointerTo(message)), "PTRACE_GETEVENTMSG"));
  return message;
}

Expected<CallStop> LinuxTraceKernel::ReadCall(pid_t task) {
  __ptrace_syscall_info info{};
  RETURN_IF_ERROR(Check(Ptrace(PTRACE_GET_SYSCALL_INFO, task, sizeof info, PointerTo(info)),
                        "PTRACE_GET_SYSCALL_INFO"));
  CallStop stop{.stage = StageOf(info.op), .audit_arch = info.arch};
  stop.instruction_pointer = info.instruction_pointer;
  if (stop.stage == CallStage::kEntry) {
    stop.number = info.entry.nr;
    std::ranges::copy(info.entry.args, stop.arguments.begin());
  } else if (stop.stage == CallStage::kSeccomp) {
    stop.number = info.seccomp.nr;
    std::ranges::copy(info.seccomp.args, stop.arguments.begin());
    stop.filter_data = static_cast<std::uint16_t>(info.seccomp.ret_data);
  } else if (stop.stage == CallStage::kExit) {
    stop.result = info.exit.rval;
    stop.is_error = info.exit.is_error != 0;
  }
  return stop;
}

Status LinuxTraceKernel::SetFirstArgument(pid_t task, std::uint32_t audit_arch,
                                          std::uint64_t value) {
  return WriteRegister(task, audit_arch, RegisterRole::kFirstArgument, value);
}

Status LinuxTraceKernel::RestoreFirstArgument(pid_t task, std::uint32_t audit_arch,
                                              std::uint64_t value) {
  const std::optional<Architecture> abi = ArchitectureFromAudit(audit_arch, 0);
  return abi && ResultReplacesFirstArgument(*abi) ? Status()
                                                  : SetFirstArgument(task, audit_arch, value);
}

Status LinuxTraceKernel::SkipCall(pid_t task, std::uint32_t audit_arch, int sys_errno) {
  constexpr std::uint64_t kNoCall = ~0ULL;
  RETURN_IF_ERROR(WriteRegister(task, audit_arch, RegisterRole::kCallNumber, kNoCall));
  return WriteRegister(task, audit_arch, RegisterRole::kResult,
                       0 - static_cast<std::uint64_t>(sys_errno));
}

Expected<std::uint64_t> LinuxTraceKernel::ReadWord(pid_t task, std::uint64_t address) {
  return ProcessMemory(task).ReadValue<std::uint64_t>(RemoteAddress{address});
}

Status LinuxTraceKernel::WriteWord(pid_t task, std::uint64_t address, std::uint64_t value) {
  return ProcessMemory(task).Write(RemoteAddress{address}, &value, sizeof value);
}

}  // namespace cordon
