#include "tracer/register_file.h"

#include <elf.h>

#include <algorithm>

namespace cordon {
namespace {

using enum Architecture;
using enum RegisterRole;

constexpr std::size_t kWord = 8;
constexpr std::size_t kHalf = 4;

/// Sizes of the sets: struct user_regs_struct of each architecture, as the kernel gives them to any
/// tracer.
constexpr std::size_t kX86Set = 27 * kWord;        // arch/x86/include/asm/user_64.h
constexpr std::size_t kX86NarrowSet = 17 * kHalf;  // arch/x86/include/asm/user32.h
constexpr std::size_t kArm64Set = 34 * kWord;  // arch/arm64/include/uapi/asm/ptrace.h: user_pt_regs
constexpr std::size_t kArmSet = 18 * kHalf;    // compat_user_regs: r0-r15, cpsr, orig_r0
constexpr std::size_t kArmCallSet = kHalf;     // NT_ARM_SYSTEM_CALL: int

constexpr unsigned kNoteArmSystemCall = 0x404;  // NT_ARM_SYSTEM_CALL: elf.h of x86 may lack it

/// A port adds rows here and in model/architecture.cc, and columns in policies/syscalls.csv:
/// nothing else in the tracer knows of registers. On x86 a skipped call finds -ENOSYS in its result
/// already (arch/x86/entry/entry_64.S); elsewhere it is written.
constexpr RegisterSlot kSlots[] = {
    {kFirstArgument, kX86_64, NT_PRSTATUS, kX86Set, 14 * kWord, 8},  // rdi
    {kFirstArgument, kX32, NT_PRSTATUS, kX86Set, 14 * kWord, 8},     // rdi
    {kFirstArgument, kX86, NT_PRSTATUS, kX86Set, 5 * kWord, 8},   // rbx: int 0x80 from 64-bit code
    {kFirstArgument, kX86, NT_PRSTATUS, kX86NarrowSet, 0, 4},     // ebx
    {kFirstArgument, kAarch64, NT_PRSTATUS, kArm64Set, 0, 8},     // x0
    {kFirstArgument, kArm, NT_PRSTATUS, kArmSet, 0, 4},           // r0
    {kCallNumber, kX86_64, NT_PRSTATUS, kX86Set, 15 * kWord, 8},  // orig_rax
    {kCallNumber, kX32, NT_PRSTATUS, kX86Set, 15 * kWord, 8},     // orig_rax
    {kCallNumber, kX86, NT_PRSTATUS, kX86Set, 15 * kWord, 8},     // orig_rax
    {kCallNumber, kX86, NT_PRSTATUS, kX86NarrowSet, 11 * kHalf, 4},  // orig_eax
    {kCallNumber, kAarch64, kNoteArmSystemCall, kArmCallSet, 0, 4},
    {kCallNumber, kArm, kNoteArmSystemCall, kArmCallSet, 0, 4},
    {kResult, kX86_64, NT_PRSTATUS, kX86Set, 10 * kWord, 8},    // rax
    {kResult, kX32, NT_PRSTATUS, kX86Set, 10 * kWord, 8},       // rax
    {kResult, kX86, NT_PRSTATUS, kX86Set, 10 * kWord, 8},       // rax
    {kResult, kX86, NT_PRSTATUS, kX86NarrowSet, 6 * kHalf, 4},  // eax
    {kResult, kAarch64, NT_PRSTATUS, kArm64Set, 0, 8},          // x0
    {kResult, kArm, NT_PRSTATUS, kArmSet, 0, 4},                // r0
};

}  // namespace

std::optional<unsigned> RegisterNote(RegisterRole role, Architecture abi) {
  const auto* const slot = std::ranges::find_if(
      kSlots, [&](const RegisterSlot& row) { return row.role == role && row.abi == abi; });
  return slot == std::end(kSlots) ? std::nullopt : std::optional(slot->note);
}

std::optional<RegisterSlot> FindRegister(RegisterRole role, Architecture abi,
                                         std::size_t regset_bytes) {
  const auto* const slot = std::ranges::find_if(kSlots, [&](const RegisterSlot& row) {
    return row.role == role && row.abi == abi && row.regset_bytes == regset_bytes;
  });
  return slot == std::end(kSlots) ? std::nullopt : std::optional(*slot);
}

bool ResultReplacesFirstArgument(Architecture abi) {
  return std::ranges::any_of(kSlots, [&](const RegisterSlot& result) {
    const std::optional<RegisterSlot> argument =
        FindRegister(kFirstArgument, abi, result.regset_bytes);
    return result.role == kResult && result.abi == abi && argument &&
           argument->offset == result.offset;
  });
}

}  // namespace cordon
