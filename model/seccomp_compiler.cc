#include "model/seccomp_compiler.h"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "common/unique_fd.h"
#include "model/bounded_compilation.h"
#include "model/bpf_interpreter.h"
#include "model/program_check.h"

namespace cordon {
namespace {

struct ReleaseFilter {
  void operator()(void* context) const { seccomp_release(context); }
};

using Filter = std::unique_ptr<void, ReleaseFilter>;

/// A libseccomp call that failed with `negative_errno`.
Error FilterError(int negative_errno, const std::string& what) {
  return MakeError(
      ErrorCode::kUnsupported,
      fmt::format("libseccomp cannot {}: {}", what, SystemError(-negative_errno, "error").message));
}

/// Stands in for actions while libseccomp builds: it asks the running kernel whether it has NOTIFY,
/// LOG and KILL_PROCESS, and refuses them where not, though the program may be for another kernel.
/// Each action is a SCMP_ACT_TRACE with a number of its own, put right afterwards.
class ActionStandIns {
 public:
  std::uint32_t For(const SeccompAction& action) {
    const auto found = std::ranges::find(actions_, action);
    const auto index = static_cast<std::uint16_t>(found - actions_.begin());
    if (found == actions_.end()) {
      actions_.push_back(action);
    }
    return SCMP_ACT_TRACE(index);
  }

  void PutRight(std::vector<sock_filter>& program) const {
    for (sock_filter& instruction : program) {
      if (instruction.code == (BPF_RET | BPF_K) &&
          (instruction.k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE) {
        instruction.k = WordOfAction(actions_.at(instruction.k & SECCOMP_RET_DATA));
      }
    }
  }

 private:
  std::vector<SeccompAction> actions_;
};

std::uint32_t ScmpToken(Architecture arch) {
  constexpr std::array<std::uint32_t, kArchitectureCount> kTokens = {
      SCMP_ARCH_X86_64,      SCMP_ARCH_X86,     SCMP_ARCH_X32,   SCMP_ARCH_AARCH64,
      SCMP_ARCH_ARM,         SCMP_ARCH_RISCV64, SCMP_ARCH_S390X, SCMP_ARCH_PPC64LE,
#ifdef SCMP_ARCH_LOONGARCH64
      SCMP_ARCH_LOONGARCH64,
#else
      0,  // since libseccomp 2.6
#endif
  };
  return kTokens.at(static_cast<std::size_t>(arch));
}

scmp_compare ScmpComparison(Comparison comparison) {
  constexpr std::array kOperators = {SCMP_CMP_EQ, SCMP_CMP_NE, SCMP_CMP_LT,       SCMP_CMP_LE,
                                     SCMP_CMP_GT, SCMP_CMP_GE, SCMP_CMP_MASKED_EQ};
  return kOperators.at(static_cast<std::size_t>(comparison));
}

std::vector<scmp_arg_cmp> ScmpConditions(const SeccompRule& rule) {
  std::vector<scmp_arg_cmp> conditions;
  for (const ArgumentCondition& condition : rule.conditions) {
    const bool masked = condition.comparison == Comparison::kMaskedEqual;
    conditions.push_back({condition.index, ScmpComparison(condition.comparison),
                          masked ? condition.mask : condition.value, masked ? condition.value : 0});
  }
  return conditions;
}

/// The number by which the host's libseccomp knows `name`; negative for calls that only other
/// architectures have.
std::optional<int> LibseccompNumber(const std::string& name) {
  const int number = seccomp_syscall_resolve_name(name.c_str());
  return number == __NR_SCMP_ERROR ? std::nullopt : std::optional(number);
}

Expected<Filter> MakeFilter(std::uint32_t default_action, std::uint32_t bad_architecture) {
  Filter filter(seccomp_init(default_action));
  if (!filter) {
    return Fail(MakeError(ErrorCode::kSystem, "libseccomp cannot make a filter"));
  }
  if (const int rc = seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, bad_architecture);
      rc < 0) {
    return Fail(FilterError(rc, "set the answer to foreign architectures"));
  }
  return filter;
}

Status AddArchitecture(const Filter& filter, Architecture arch) {
  const int rc = seccomp_arch_add(filter.get(), ScmpToken(arch));
  if (rc < 0 && rc != -EEXIST) {
    return Fail(FilterError(rc, fmt::format("filter calls of {}", Name(arch))));
  }
  return {};
}

Status AddRule(const Filter& filter, const SeccompRule& rule, const std::string& name, int number,
               std::uint32_t action) {
  const std::vector<scmp_arg_cmp> conditions = ScmpConditions(rule);
  const int rc = seccomp_rule_add_array(
      filter.get(), action, number, static_cast<unsigned>(conditions.size()), conditions.data());
  if (rc < 0) {
    return Fail(FilterError(rc, fmt::format("add a rule for {}", name)));
  }
  return {};
}

Expected<std::vector<sock_filter>> Export(const Filter& filter, const ActionStandIns& actions) {
  const UniqueFd memory(::memfd_create("cordon-filter", MFD_CLOEXEC));
  if (!memory.valid()) {
    return Fail(SystemError(errno, "memfd_create"));
  }
  if (const int rc = seccomp_export_bpf(filter.get(), memory.get()); rc < 0) {
    return Fail(FilterError(rc, "write the compiled filter"));
  }
  struct stat status{};
  if (::fstat(memory.get(), &status) != 0) {
    return Fail(SystemError(errno, "fstat of the compiled filter"));
  }
  std::vector<sock_filter> program(static_cast<std::size_t>(status.st_size) / sizeof(sock_filter));
  const std::size_t bytes = program.size() * sizeof(sock_filter);
  const ssize_t got = ::pread(memory.get(), program.data(), bytes, 0);
  if (got < 0 || static_cast<std::size_t>(got) != bytes) {
    return Fail(SystemError(got < 0 ? errno : EIO, "read the compiled filter"));
  }
  if (program.size() > BPF_MAXINSNS) {
    return Fail(
        MakeError(ErrorCode::kLimit,
                  fmt::format("the compiled filter has {} instructions; the kernel takes {}",
                              program.size(), BPF_MAXINSNS)));
  }
  actions.PutRight(program);
  return program;
}

/// The filter for one architecture alone, so that a call without a name can be given by its number.
Expected<Filter> BuildFor(const SeccompPolicy& policy, Architecture arch, ActionStandIns& actions) {
  const std::uint32_t default_action = actions.For(policy.default_action);
  ASSIGN_OR_RETURN(Filter filter, MakeFilter(default_action, default_action));
  const Architecture native = NativeArchitecture();
  RETURN_IF_ERROR(AddArchitecture(filter, arch));
  if (arch != native) {
    if (const int rc = seccomp_arch_remove(filter.get(), ScmpToken(native)); rc < 0) {
      return Fail(FilterError(rc, "leave out the host's architecture"));
    }
  }
  if (const int rc = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2); rc < 0) {
    return Fail(FilterError(rc, "build a tree"));
  }
  for (const SeccompRule& rule : policy.rules) {
    if (rule.action == policy.default_action) {
      continue;
    }
    for (const std::string& name : rule.names) {
      std::optional<int> number = LibseccompNumber(name);
      const std::optional<std::int32_t> own_number = SyscallNumber(arch, name);
      if (!number && own_number && arch != native) {
        return Fail(MakeError(ErrorCode::kUnsupported,
                              fmt::format("{} has no name for {}, so it cannot be ruled on {}",
                                          SeccompCompilerVersion(), name, Name(arch))));
      }
      if (!number) {
        number = own_number;
      }
      if (number) {
        RETURN_IF_ERROR(AddRule(filter, rule, name, *number, actions.For(rule.action)));
      }
    }
  }
  return filter;
}

/// With libseccomp's tree, each architecture by itself.
Expected<std::vector<sock_filter>> BuildWithTree(const SeccompPolicy& policy) {
  ActionStandIns actions;
  Filter whole;
  for (const Architecture arch : policy.architectures) {
    ASSIGN_OR_RETURN(Filter one, BuildFor(policy, arch, actions));
    if (!whole) {
      whole = std::move(one);
    } else if (const int rc = seccomp_merge(whole.get(), one.get()); rc < 0) {
      return Fail(FilterError(rc, fmt::format("filter calls of {}", Name(arch))));
    } else {
      // seccomp_merge(3): the source is freed with it.
      (void)one.release();
    }
  }
  return Export(whole, actions);
}

/// By name in the order of the rules, all architectures at once. `policy` names nothing that
/// libseccomp does not know.
Expected<std::vector<sock_filter>> BuildInOrder(const SeccompPolicy& policy) {
  ActionStandIns actions;
  ASSIGN_OR_RETURN(const Filter filter,
                   MakeFilter(actions.For(policy.default_action),
                              actions.For({SeccompActionKind::kKillThread, 0})));
  for (const Architecture arch : policy.architectures) {
    RETURN_IF_ERROR(AddArchitecture(filter, arch));
  }
  for (const SeccompRule& rule : policy.rules) {
    if (rule.action == policy.default_action) {
      continue;
    }
    for (const std::string& name : rule.names) {
      RETURN_IF_ERROR(AddRule(filter, rule, name, LibseccompNumber(name).value_or(-1),
                              actions.For(rule.action)));
    }
  }
  return Export(filter, actions);
}

}  // namespace

namespace {

/// The largest number that `policy` names on `arch`, as runc counts: whatever the action, by
/// libseccomp's own table.
std::int32_t LargestNamed(const SeccompPolicy& policy, Architecture arch) {
  int largest = 0;
  for (const SeccompRule& rule : policy.rules) {
    for (const std::string& name : rule.names) {
      largest = std::max(largest, seccomp_syscall_resolve_name_arch(ScmpToken(arch), name.c_str()));
    }
  }
  return largest;
}

constexpr sock_filter Statement(int code, std::uint32_t k) {
  return {static_cast<std::uint16_t>(code), 0, 0, k};
}

constexpr sock_filter Jump(int code, std::uint32_t k, std::uint8_t jt, std::uint8_t jf) {
  return {static_cast<std::uint16_t>(code), jt, jf, k};
}

/// What runc puts before its filter. The instructions are in another order than runc's; the answers
/// are the same.
std::vector<sock_filter> EnosysStub(const SeccompPolicy& policy) {
  std::set<Architecture> listed(policy.architectures.begin(), policy.architectures.end());
  listed.insert(NativeArchitecture());
  std::vector<sock_filter> stub;
  for (const Architecture arch : listed) {
    const std::int32_t largest = LargestNamed(policy, arch);
    if (largest == 0) {
      continue;
    }
    std::vector<sock_filter> section = {Statement(BPF_LD | BPF_W | BPF_ABS, 0)};
    if (arch == Architecture::kX86_64) {
      // Numbers of the x32 ABI go on to the filter, or to the section for x32.
      section.push_back(Jump(BPF_JMP | BPF_JSET | BPF_K, kX32SyscallBit, 2, 0));
    } else if (arch == Architecture::kX32) {
      section.push_back(Jump(BPF_JMP | BPF_JSET | BPF_K, kX32SyscallBit, 0, 2));
    }
    section.push_back(Jump(BPF_JMP | BPF_JGT | BPF_K, static_cast<std::uint32_t>(largest), 0, 1));
    section.push_back(Statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
    if (arch == Architecture::kS390x) {
      section.insert(section.begin() + 1, {Jump(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
                                           Statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)});
    }
    stub.push_back(Statement(BPF_LD | BPF_W | BPF_ABS, 4));
    stub.push_back(Jump(BPF_JMP | BPF_JEQ | BPF_K, AuditArch(arch), 0,
                        static_cast<std::uint8_t>(section.size())));
    stub.insert(stub.end(), section.begin(), section.end());
  }
  return stub;
}

bool IsRefusal(const SeccompAction& action) {
  return action.kind == SeccompActionKind::kErrno;
}

}  // namespace

std::uint32_t WordOfAction(const SeccompAction& action) {
  switch (action.kind) {
    case SeccompActionKind::kAllow:
      return SECCOMP_RET_ALLOW;
    case SeccompActionKind::kLog:
      return SECCOMP_RET_LOG;
    case SeccompActionKind::kTrace:
      return SECCOMP_RET_TRACE | action.data;
    case SeccompActionKind::kNotify:
      return SECCOMP_RET_USER_NOTIF;
    case SeccompActionKind::kErrno:
      return SECCOMP_RET_ERRNO | action.data;
    case SeccompActionKind::kTrap:
      return SECCOMP_RET_TRAP;
    case SeccompActionKind::kKillThread:
      return SECCOMP_RET_KILL_THREAD;
    case SeccompActionKind::kKillProcess:
      return SECCOMP_RET_KILL_PROCESS;
  }
  return SECCOMP_RET_KILL_PROCESS;
}

SeccompAction ActionOfWord(std::uint32_t word) {
  const auto data = static_cast<std::uint16_t>(word & SECCOMP_RET_DATA);
  switch (word & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
      return SeccompAction::Allow();
    case SECCOMP_RET_LOG:
      return {SeccompActionKind::kLog, 0};
    case SECCOMP_RET_TRACE:
      return {SeccompActionKind::kTrace, data};
    case SECCOMP_RET_USER_NOTIF:
      return SeccompAction::Notify();
    case SECCOMP_RET_ERRNO:
      return SeccompAction::Errno(data);
    case SECCOMP_RET_TRAP:
      return {SeccompActionKind::kTrap, 0};
    case SECCOMP_RET_KILL_THREAD:
      return {SeccompActionKind::kKillThread, 0};
    default:  // seccomp(2): an action that the kernel does not know is KILL_PROCESS
      return {SeccompActionKind::kKillProcess, 0};
  }
}

Expected<std::vector<sock_filter>> CompileSeccomp(const SeccompPolicy& policy) {
  RETURN_IF_ERROR(CheckConsistent(policy));
  ASSIGN_OR_RETURN(std::vector<sock_filter> program,
                   CompileBounded(policy, [&] { return BuildWithTree(policy); }));
  RETURN_IF_ERROR(CheckProgram(policy, program));
  return program;
}

Expected<std::vector<sock_filter>> CompileAsCrun(const SeccompPolicy& policy) {
  RETURN_IF_ERROR(CheckConsistent(policy));
  SeccompPolicy named = policy;
  for (SeccompRule& rule : named.rules) {
    std::erase_if(rule.names, [](const std::string& name) { return !LibseccompKnows(name); });
  }
  ASSIGN_OR_RETURN(std::vector<sock_filter> program,
                   CompileBounded(named, [&] { return BuildInOrder(named); }));
  RETURN_IF_ERROR(CheckProgram(named, program));
  return program;
}

Expected<std::vector<sock_filter>> CompileAsRunc(const SeccompPolicy& policy) {
  ASSIGN_OR_RETURN(std::vector<sock_filter> program, CompileAsCrun(policy));
  const SeccompActionKind otherwise = policy.default_action.kind;
  if (otherwise == SeccompActionKind::kAllow || otherwise == SeccompActionKind::kLog ||
      otherwise == SeccompActionKind::kTrace) {
    return program;
  }
  std::vector<sock_filter> patched = EnosysStub(policy);
  patched.insert(patched.end(), program.begin(), program.end());
  RETURN_IF_ERROR(CheckBpf(patched));
  return patched;
}

SeccompPolicy NotifyingVariant(const SeccompPolicy& policy) {
  SeccompPolicy variant = policy;
  if (IsRefusal(variant.default_action)) {
    variant.default_action = SeccompAction::Notify();
  }
  std::vector<SeccompRule> multiplexers;
  for (SeccompRule& rule : variant.rules) {
    if (!IsRefusal(rule.action)) {
      continue;
    }
    SeccompRule kept = rule;
    std::erase_if(kept.names,
                  [](const std::string& name) { return name != "socketcall" && name != "ipc"; });
    if (!kept.names.empty()) {
      multiplexers.push_back(std::move(kept));
      std::erase_if(rule.names,
                    [](const std::string& name) { return name == "socketcall" || name == "ipc"; });
    }
    rule.action = SeccompAction::Notify();
  }
  std::erase_if(variant.rules, [](const SeccompRule& rule) { return rule.names.empty(); });
  variant.rules.insert(variant.rules.begin(), multiplexers.begin(), multiplexers.end());
  return variant;
}

SeccompPolicy AuditedVariant(const SeccompPolicy& policy) {
  const auto as_refusal = [](const SeccompAction& action) {
    return action.kind == SeccompActionKind::kAllow || IsRefusal(action)
               ? action
               : SeccompAction::Errno(EPERM);
  };
  SeccompPolicy refusing = policy;
  refusing.default_action = as_refusal(policy.default_action);
  for (SeccompRule& rule : refusing.rules) {
    rule.action = as_refusal(rule.action);
  }
  return NotifyingVariant(refusing);
}

SeccompPolicy AskingAbout(const SeccompPolicy& policy, const std::set<std::string>& names) {
  SeccompPolicy variant = policy;
  for (SeccompRule& rule : variant.rules) {
    std::erase_if(rule.names, [&](const std::string& name) { return names.contains(name); });
  }
  std::erase_if(variant.rules, [](const SeccompRule& rule) { return rule.names.empty(); });
  if (variant.default_action.kind != SeccompActionKind::kNotify && !names.empty()) {
    variant.rules.push_back(
        {{names.begin(), names.end()}, SeccompAction::Notify(), {}, "asked about"});
  }
  return variant;
}

SeccompPolicy TwoPhaseVariant(const SeccompPolicy& serving) {
  return AskingAbout(NotifyingVariant(serving), {"listen"});
}

SeccompPolicy AsDocker2010Reads(const SeccompPolicy& policy) {
  SeccompPolicy reading = policy;
  if (reading.default_action.kind == SeccompActionKind::kErrno) {
    reading.default_action.data = EPERM;
  }
  return reading;
}

bool LibseccompKnows(std::string_view name) {
  return LibseccompNumber(std::string(name)).has_value();
}

std::string SeccompCompilerVersion() {
  const scmp_version* const version = seccomp_version();
  return fmt::format("libseccomp {}.{}.{}", version->major, version->minor, version->micro);
}

}  // namespace cordon
