#include "runtime/device_rules.h"

#include <fmt/format.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>

#include "common/unique_fd.h"

namespace cordon {
namespace {

// --- What both versions ask ---

bool Fits(const std::optional<std::uint32_t>& number, std::uint32_t wanted) {
  return !number || *number == wanted;
}

bool Fits(const DeviceRule& rule, const DeviceRequest& request) {
  return (rule.kind == DeviceKind::kAny || rule.kind == request.kind) &&
         Fits(rule.major, request.device.major) && Fits(rule.minor, request.device.minor);
}

// --- v1: a default, and exceptions to it ---

bool Covers(const std::optional<std::uint32_t>& wide, const std::optional<std::uint32_t>& narrow) {
  return !wide || wide == narrow;
}

bool Covers(const DeviceRule& wide, const DeviceRule& narrow) {
  return wide.kind == narrow.kind && Covers(wide.major, narrow.major) &&
         Covers(wide.minor, narrow.minor);
}

bool Meet(const std::optional<std::uint32_t>& a, const std::optional<std::uint32_t>& b) {
  return !a || !b || a == b;
}

bool Meet(const DeviceRule& a, const DeviceRule& b) {
  return a.kind == b.kind && Meet(a.major, b.major) && Meet(a.minor, b.minor);
}

bool IsEverything(const DeviceRule& rule) {
  return rule.kind == DeviceKind::kAny && !rule.major && !rule.minor &&
         rule.access == kAnyDeviceAccess;
}

std::string TextOf(const DeviceRule& rule) {
  const auto number = [](const std::optional<std::uint32_t>& value) {
    return value ? std::to_string(*value) : std::string("*");
  };
  std::string text = fmt::format("{} {}:{} ", rule.kind == DeviceKind::kBlock ? 'b' : 'c',
                                 number(rule.major), number(rule.minor));
  text += (rule.access & kReadDevice) != 0 ? "r" : "";
  text += (rule.access & kWriteDevice) != 0 ? "w" : "";
  text += (rule.access & kMakeDevice) != 0 ? "m" : "";
  return text;
}

struct DefaultAndExceptions {
  DeviceAnswer answer = DeviceAnswer::kDeny;
  std::vector<DeviceRule> exceptions;
};

std::unexpected<Error> CannotSay(const DeviceRule& a, const DeviceRule& b) {
  return Fail(MakeError(ErrorCode::kUnsupported,
                        fmt::format("cgroup v1 cannot tell the device rules '{}' and '{}' apart",
                                    TextOf(a), TextOf(b))));
}

Status AddRule(const DeviceRule& rule, DefaultAndExceptions& all) {
  std::vector<DeviceRule>& exceptions = all.exceptions;
  if (rule.answer != all.answer) {
    const auto same = std::ranges::find_if(exceptions, [&](const DeviceRule& other) {
      return Covers(rule, other) && Covers(other, rule);
    });
    if (same != exceptions.end()) {
      same->access |= rule.access;
    } else {
      exceptions.push_back(rule);
    }
    return {};
  }
  for (DeviceRule& exception : exceptions) {
    if (!Meet(rule, exception) || (rule.access & exception.access) == 0) {
      continue;
    }
    if (!Covers(rule, exception)) {
      return CannotSay(exception, rule);
    }
    exception.access &= static_cast<std::uint8_t>(~rule.access);
  }
  std::erase_if(exceptions, [](const DeviceRule& exception) { return exception.access == 0; });
  return {};
}

/// The kernel wants all of a request in one allowed exception.
Status JoinAllowed(std::vector<DeviceRule>& exceptions) {
  const std::vector<DeviceRule> plain = exceptions;
  for (DeviceRule& exception : exceptions) {
    for (const DeviceRule& other : plain) {
      if (Covers(other, exception)) {
        exception.access |= other.access;
      } else if (Meet(other, exception) && !Covers(exception, other) &&
                 other.access != exception.access) {
        return CannotSay(exception, other);
      }
    }
  }
  return {};
}

// --- v2: a program ---

constexpr std::uint8_t kResult = BPF_REG_0;
constexpr std::uint8_t kContext = BPF_REG_1;
constexpr std::uint8_t kKind = BPF_REG_2;
constexpr std::uint8_t kAccess = BPF_REG_3;  ///< the bits that no rule has answered yet
constexpr std::uint8_t kMajor = BPF_REG_4;
constexpr std::uint8_t kMinor = BPF_REG_5;

bpf_insn Instruction(unsigned code, std::uint8_t to, std::uint8_t from, std::int16_t offset,
                     std::uint32_t immediate) {
  bpf_insn instruction{};
  instruction.code = static_cast<std::uint8_t>(code);
  instruction.dst_reg = to & 0xf;
  instruction.src_reg = from & 0xf;
  instruction.off = offset;
  instruction.imm = static_cast<std::int32_t>(immediate);
  return instruction;
}

bpf_insn Load(std::uint8_t to, std::size_t offset) {
  return Instruction(BPF_LDX | BPF_MEM | BPF_W, to, kContext, static_cast<std::int16_t>(offset), 0);
}

bpf_insn Compute(unsigned operation, std::uint8_t to, std::uint32_t immediate) {
  return Instruction(BPF_ALU | BPF_K | operation, to, 0, 0, immediate);
}

void Answer(std::vector<bpf_insn>& program, DeviceAnswer answer) {
  program.push_back(Compute(BPF_MOV, kResult, answer == DeviceAnswer::kAllow ? 1 : 0));
  program.push_back(Instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

/// One rule; where it does not fit, or leaves bits to answer, what comes after it goes on.
void AppendRule(std::vector<bpf_insn>& program, const DeviceRule& rule) {
  std::vector<std::size_t> to_next;
  const auto go_on_if = [&](unsigned comparison, std::uint8_t left, std::uint32_t right) {
    to_next.push_back(program.size());
    program.push_back(Instruction(BPF_JMP32 | BPF_K | comparison, left, 0, 0, right));
  };
  if (rule.kind != DeviceKind::kAny) {
    go_on_if(BPF_JNE, kKind,
             rule.kind == DeviceKind::kBlock ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  }
  if (rule.major) {
    go_on_if(BPF_JNE, kMajor, *rule.major);
  }
  if (rule.minor) {
    go_on_if(BPF_JNE, kMinor, *rule.minor);
  }
  if (rule.answer == DeviceAnswer::kAllow) {
    program.push_back(Compute(BPF_AND, kAccess, ~std::uint32_t{rule.access}));
    go_on_if(BPF_JNE, kAccess, 0);
  } else {
    program.push_back(Instruction(BPF_ALU | BPF_X | BPF_MOV, kResult, kAccess, 0, 0));
    program.push_back(Compute(BPF_AND, kResult, rule.access));
    go_on_if(BPF_JEQ, kResult, 0);
  }
  Answer(program, rule.answer);
  for (const std::size_t place : to_next) {
    program[place].off = static_cast<std::int16_t>(program.size() - place - 1);
  }
}

UniqueFd Bpf(int command, bpf_attr& attributes) {
  return UniqueFd(static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes)));
}

}  // namespace

DeviceAnswer EvaluateDevice(const std::vector<DeviceRule>& rules, const DeviceRequest& request) {
  unsigned open = request.access;
  for (const DeviceRule& rule : rules | std::views::reverse) {
    if (!Fits(rule, request)) {
      continue;
    }
    if (rule.answer == DeviceAnswer::kDeny && (open & rule.access) != 0) {
      return DeviceAnswer::kDeny;
    }
    if (rule.answer == DeviceAnswer::kAllow) {
      open &= ~unsigned{rule.access};
      if (open == 0) {
        return DeviceAnswer::kAllow;
      }
    }
  }
  return DeviceAnswer::kDeny;
}

Expected<std::vector<CgroupStep::Write>> DeviceWritesOfV1(const std::vector<DeviceRule>& rules) {
  DefaultAndExceptions all;
  for (const DeviceRule& rule : rules) {
    if (IsEverything(rule)) {
      all = {rule.answer, {}};
      continue;
    }
    // v1's own "a" stands for everything, whatever numbers come after it.
    for (const DeviceKind kind : {DeviceKind::kBlock, DeviceKind::kCharacter}) {
      if (rule.kind == DeviceKind::kAny || rule.kind == kind) {
        DeviceRule one = rule;
        one.kind = kind;
        RETURN_IF_ERROR(AddRule(one, all));
      }
    }
  }
  const bool allows = all.answer == DeviceAnswer::kAllow;
  if (!allows) {
    RETURN_IF_ERROR(JoinAllowed(all.exceptions));
  }
  std::vector<CgroupStep::Write> writes{{allows ? "devices.allow" : "devices.deny", "a"}};
  for (const DeviceRule& exception : all.exceptions) {
    writes.push_back({allows ? "devices.deny" : "devices.allow", TextOf(exception)});
  }
  return writes;
}

std::vector<bpf_insn> CompileDeviceRules(const std::vector<DeviceRule>& rules) {
  std::vector<bpf_insn> program{
      // access_type: the access in the upper half, the kind in the lower (linux/bpf.h).
      Load(kKind, offsetof(bpf_cgroup_dev_ctx, access_type)),
      Instruction(BPF_ALU | BPF_X | BPF_MOV, kAccess, kKind, 0, 0),
      Compute(BPF_RSH, kAccess, 16),
      Compute(BPF_AND, kKind, 0xffff),
      Load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
      Load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)),
  };
  for (const DeviceRule& rule : rules | std::views::reverse) {
    AppendRule(program, rule);
  }
  Answer(program, DeviceAnswer::kDeny);
  return program;
}

Status AttachDeviceProgram(int cgroup, const std::vector<DeviceRule>& rules) {
  const std::vector<bpf_insn> program = CompileDeviceRules(rules);
  constexpr std::string_view kLicense = "Apache-2.0";  // it calls no function that asks for GPL
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.expected_attach_type = BPF_CGROUP_DEVICE;
  load.insns = reinterpret_cast<std::uintptr_t>(program.data());
  load.insn_cnt = static_cast<std::uint32_t>(program.size());
  load.license = reinterpret_cast<std::uintptr_t>(kLicense.data());
  const UniqueFd loaded = Bpf(BPF_PROG_LOAD, load);
  if (!loaded.valid()) {
    const int load_errno = errno;
    return Fail(SystemError(load_errno, "loading the program of the device rules"));
  }
  bpf_attr attach{};
  attach.target_fd = static_cast<std::uint32_t>(cgroup);
  attach.attach_bpf_fd = static_cast<std::uint32_t>(loaded.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (::syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) != 0) {
    const int attach_errno = errno;
    return Fail(SystemError(attach_errno, "attaching the program of the device rules"));
  }
  return {};
}

std::vector<DeviceRule> OrdinaryDevices() {
  // devices.txt: 1 is memory, 5 the terminals of a process, 136 pseudo-terminals.
  constexpr std::array<DeviceNumber, 7> kOne{
      {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}}};
  std::vector<DeviceRule> rules{{DeviceAnswer::kDeny, DeviceKind::kAny, {}, {}, kAnyDeviceAccess}};
  for (const DeviceNumber& device : kOne) {
    rules.push_back({DeviceAnswer::kAllow, DeviceKind::kCharacter, device.major, device.minor,
                     kAnyDeviceAccess});
  }
  rules.push_back({DeviceAnswer::kAllow, DeviceKind::kCharacter, 136, {}, kAnyDeviceAccess});
  return rules;
}

}  // namespace cordon
