#include "model/bpf_interpreter.h"

#include <fmt/format.h>
#include <linux/bpf_common.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace cordon {
namespace {

// kernel/seccomp.c seccomp_check_filter(): everything else is refused, among it loads of half words
// and bytes, and BPF_MOD.
// NOLINTBEGIN(misc-redundant-expression): BPF_LD, BPF_W, BPF_ABS and others are zero, and say what
// is meant
constexpr std::array<std::uint16_t, 41> kSeccompInstructions = {
    BPF_LD | BPF_W | BPF_ABS,
    BPF_LD | BPF_W | BPF_LEN,
    BPF_LDX | BPF_W | BPF_LEN,
    BPF_RET | BPF_K,
    BPF_RET | BPF_A,
    BPF_ALU | BPF_ADD | BPF_K,
    BPF_ALU | BPF_ADD | BPF_X,
    BPF_ALU | BPF_SUB | BPF_K,
    BPF_ALU | BPF_SUB | BPF_X,
    BPF_ALU | BPF_MUL | BPF_K,
    BPF_ALU | BPF_MUL | BPF_X,
    BPF_ALU | BPF_DIV | BPF_K,
    BPF_ALU | BPF_DIV | BPF_X,
    BPF_ALU | BPF_AND | BPF_K,
    BPF_ALU | BPF_AND | BPF_X,
    BPF_ALU | BPF_OR | BPF_K,
    BPF_ALU | BPF_OR | BPF_X,
    BPF_ALU | BPF_XOR | BPF_K,
    BPF_ALU | BPF_XOR | BPF_X,
    BPF_ALU | BPF_LSH | BPF_K,
    BPF_ALU | BPF_LSH | BPF_X,
    BPF_ALU | BPF_RSH | BPF_K,
    BPF_ALU | BPF_RSH | BPF_X,
    BPF_ALU | BPF_NEG,
    BPF_LD | BPF_IMM,
    BPF_LDX | BPF_IMM,
    BPF_MISC | BPF_TAX,
    BPF_MISC | BPF_TXA,
    BPF_LD | BPF_MEM,
    BPF_LDX | BPF_MEM,
    BPF_ST,
    BPF_STX,
    BPF_JMP | BPF_JA,
    BPF_JMP | BPF_JEQ | BPF_K,
    BPF_JMP | BPF_JEQ | BPF_X,
    BPF_JMP | BPF_JGE | BPF_K,
    BPF_JMP | BPF_JGE | BPF_X,
    BPF_JMP | BPF_JGT | BPF_K,
    BPF_JMP | BPF_JGT | BPF_X,
    BPF_JMP | BPF_JSET | BPF_K,
    BPF_JMP | BPF_JSET | BPF_X,
};
// NOLINTEND(misc-redundant-expression)

constexpr std::uint32_t kAlwaysTaken = BPF_JMP | BPF_JA;
constexpr std::uint16_t kAllScratch = 0xffff;

bool ReadsScratch(const sock_filter& instruction) {
  return instruction.code == (BPF_LD | BPF_MEM) || instruction.code == (BPF_LDX | BPF_MEM);
}

bool WritesScratch(const sock_filter& instruction) {
  return instruction.code == BPF_ST || instruction.code == BPF_STX;
}

bool IsConditionalJump(const sock_filter& instruction) {
  return BPF_CLASS(instruction.code) == BPF_JMP && instruction.code != kAlwaysTaken;
}

/// What is wrong with one instruction on its own; empty: nothing. `remaining` is the number of
/// instructions after it.
std::string_view FindMistake(const sock_filter& instruction, std::size_t remaining) {
  if (std::ranges::find(kSeccompInstructions, instruction.code) == kSeccompInstructions.end()) {
    return "not in the seccomp subset";
  }
  if (instruction.code == (BPF_LD | BPF_W | BPF_ABS) &&
      (instruction.k % 4 != 0 || instruction.k >= sizeof(seccomp_data))) {
    return "load outside struct seccomp_data or not aligned";
  }
  const bool is_shift = instruction.code == (BPF_ALU | BPF_LSH | BPF_K) ||
                        instruction.code == (BPF_ALU | BPF_RSH | BPF_K);
  if (is_shift && instruction.k >= 32) {
    return "shift by 32 or more";
  }
  if (instruction.code == (BPF_ALU | BPF_DIV | BPF_K) && instruction.k == 0) {
    return "division by zero";
  }
  if ((ReadsScratch(instruction) || WritesScratch(instruction)) && instruction.k >= BPF_MEMWORDS) {
    return "scratch memory has 16 words";
  }
  if (instruction.code == kAlwaysTaken && instruction.k >= remaining) {
    return "jump out of the program";
  }
  if (IsConditionalJump(instruction) &&
      (instruction.jt >= remaining || instruction.jf >= remaining)) {
    return "jump out of the program";
  }
  return {};
}

/// net/core/filter.c check_load_and_stores(): the first read of a scratch word that some path to it
/// has not written.
std::optional<std::size_t> FindUnwrittenRead(std::span<const sock_filter> program) {
  std::vector<std::uint16_t> valid_at(program.size(), kAllScratch);
  std::uint16_t valid = 0;
  for (std::size_t pc = 0; pc < program.size(); ++pc) {
    const sock_filter& instruction = program[pc];
    valid &= valid_at[pc];
    if (WritesScratch(instruction)) {
      valid = static_cast<std::uint16_t>(valid | (1U << instruction.k));
    } else if (ReadsScratch(instruction)) {
      if ((valid & (1U << instruction.k)) == 0) {
        return pc;
      }
    } else if (instruction.code == kAlwaysTaken) {
      valid_at[pc + 1 + instruction.k] &= valid;
      valid = kAllScratch;
    } else if (IsConditionalJump(instruction)) {
      valid_at[pc + 1 + instruction.jt] &= valid;
      valid_at[pc + 1 + instruction.jf] &= valid;
      valid = kAllScratch;
    }
  }
  return std::nullopt;
}

/// struct seccomp_data of `invocation` as sixteen words in its architecture's byte order.
std::array<std::uint32_t, 16> DataWords(const SyscallInvocation& invocation) {
  std::array<std::uint32_t, 16> words{};
  words[0] = static_cast<std::uint32_t>(invocation.call.number);
  if (invocation.call.arch == Architecture::kX32) {
    words[0] |= kX32SyscallBit;
  }
  words[1] = AuditArch(invocation.call.arch);
  const std::size_t low = invocation.call.arch == Architecture::kS390x ? 1 : 0;
  for (std::size_t i = 0; i < invocation.arguments.size(); ++i) {
    words.at(4 + (2 * i) + low) = static_cast<std::uint32_t>(invocation.arguments.at(i));
    words.at(4 + (2 * i) + 1 - low) = static_cast<std::uint32_t>(invocation.arguments.at(i) >> 32);
  }
  return words;
}

/// The state of one run.
struct Machine {
  std::uint32_t a = 0;
  std::uint32_t x = 0;
  std::array<std::uint32_t, BPF_MEMWORDS> scratch{};

  std::uint32_t Operand(const sock_filter& instruction) const {
    return BPF_SRC(instruction.code) == BPF_X ? x : instruction.k;
  }

  /// False: a division by zero, at which the kernel ends the program with 0.
  bool Calculate(const sock_filter& instruction) {
    const std::uint32_t operand = Operand(instruction);
    switch (BPF_OP(instruction.code)) {
      case BPF_ADD:
        a += operand;
        break;
      case BPF_SUB:
        a -= operand;
        break;
      case BPF_MUL:
        a *= operand;
        break;
      case BPF_DIV:
        if (operand == 0) {
          return false;
        }
        a /= operand;
        break;
      case BPF_AND:
        a &= operand;
        break;
      case BPF_OR:
        a |= operand;
        break;
      case BPF_XOR:
        a ^= operand;
        break;
      case BPF_LSH:
        a <<= operand & 31;  // kernel/bpf/core.c masks a shift by X like this
        break;
      case BPF_RSH:
        a >>= operand & 31;
        break;
      default:  // BPF_NEG, the last that the checker lets through
        a = 0 - a;
        break;
    }
    return true;
  }

  bool Compare(const sock_filter& instruction) const {
    const std::uint32_t operand = Operand(instruction);
    switch (BPF_OP(instruction.code)) {
      case BPF_JEQ:
        return a == operand;
      case BPF_JGT:
        return a > operand;
      case BPF_JGE:
        return a >= operand;
      default:  // BPF_JSET
        return (a & operand) != 0;
    }
  }

  std::uint32_t Load(const sock_filter& instruction,
                     const std::array<std::uint32_t, 16>& data) const {
    switch (BPF_MODE(instruction.code)) {
      case BPF_ABS:
        return data.at(instruction.k / 4);
      case BPF_LEN:
        return sizeof(seccomp_data);
      case BPF_MEM:
        return scratch.at(instruction.k);
      default:  // BPF_IMM
        return instruction.k;
    }
  }
};

BpfRun Run(std::span<const sock_filter> program, const std::array<std::uint32_t, 16>& data) {
  Machine machine;
  // The checker has shown that every jump goes forward to an instruction and that the last one
  // returns.
  std::uint64_t instructions = 0;
  for (std::size_t pc = 0;; ++pc) {
    const sock_filter& instruction = program[pc];
    ++instructions;
    switch (BPF_CLASS(instruction.code)) {
      case BPF_LD:
        machine.a = machine.Load(instruction, data);
        break;
      case BPF_LDX:
        machine.x = machine.Load(instruction, data);
        break;
      case BPF_ST:
        machine.scratch.at(instruction.k) = machine.a;
        break;
      case BPF_STX:
        machine.scratch.at(instruction.k) = machine.x;
        break;
      case BPF_ALU:
        if (!machine.Calculate(instruction)) {
          return {0, instructions};
        }
        break;
      case BPF_JMP:
        if (instruction.code == kAlwaysTaken) {
          pc += instruction.k;
        } else {
          pc += machine.Compare(instruction) ? instruction.jt : instruction.jf;
        }
        break;
      case BPF_MISC:
        if (BPF_MISCOP(instruction.code) == BPF_TAX) {
          machine.x = machine.a;
        } else {
          machine.a = machine.x;
        }
        break;
      default:  // BPF_RET
        return {instruction.code == (BPF_RET | BPF_A) ? machine.a : instruction.k, instructions};
    }
  }
}

}  // namespace

Status CheckBpf(std::span<const sock_filter> program) {
  if (program.empty() || program.size() > BPF_MAXINSNS) {
    return Fail(InvalidInput(fmt::format("a filter of {} instructions: the kernel takes 1..{}",
                                         program.size(), BPF_MAXINSNS)));
  }
  for (std::size_t pc = 0; pc < program.size(); ++pc) {
    if (const std::string_view mistake = FindMistake(program[pc], program.size() - pc - 1);
        !mistake.empty()) {
      return Fail(
          InvalidInput(fmt::format("instruction {} ({:#06x}): {}", pc, program[pc].code, mistake)));
    }
  }
  if (BPF_CLASS(program.back().code) != BPF_RET) {
    return Fail(
        InvalidInput(fmt::format("instruction {}: the last one must return", program.size() - 1)));
  }
  if (const std::optional<std::size_t> pc = FindUnwrittenRead(program)) {
    return Fail(InvalidInput(fmt::format(
        "instruction {}: reads scratch memory that is not written on every path", *pc)));
  }
  return {};
}

Expected<BpfInterpreter> BpfInterpreter::Create(std::vector<sock_filter> program) {
  RETURN_IF_ERROR(CheckBpf(program));
  return BpfInterpreter(std::move(program));
}

std::uint32_t BpfInterpreter::Run(const SyscallInvocation& invocation) const {
  return cordon::Run(program_, DataWords(invocation)).word;
}

BpfRun BpfInterpreter::RunCounting(const SyscallInvocation& invocation) const {
  return cordon::Run(program_, DataWords(invocation));
}

BpfRun BpfInterpreter::RunCounting(const std::array<std::uint32_t, 16>& words) const {
  return cordon::Run(program_, words);
}

Expected<std::uint32_t> InterpretBpf(std::span<const sock_filter> program,
                                     const SyscallInvocation& invocation) {
  RETURN_IF_ERROR(CheckBpf(program));
  return Run(program, DataWords(invocation)).word;
}

}  // namespace cordon
