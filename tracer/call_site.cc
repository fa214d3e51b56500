#include "tracer/call_site.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tracer/machine_code.h"

namespace cordon {
namespace {

constexpr std::uint64_t kNumberBytes = 5;         // mov $number, %eax
constexpr std::uint64_t kSingleThreadBytes = 11;  // cmpb 7, je 2, xor 2
constexpr std::uint64_t kZeroAfterLoadBytes = 6;  // mov 4, xor 2
constexpr std::uint64_t kAnyNumberBytes = 6;      // mov 3, mov 3
constexpr std::uint64_t kMoveBytes = 3;
constexpr std::uint64_t kCompareBytes = 7;
constexpr std::uint64_t kLongBranchBytes = 6;
constexpr std::uint64_t kLoadBytes = 4;
constexpr std::size_t kCallBytes = 2;

bool StartsWith(std::span<const std::uint8_t> code, std::initializer_list<std::uint8_t> bytes) {
  return code.size() >= bytes.size() && std::ranges::equal(code.first(bytes.size()), bytes);
}

std::uint32_t Load32(std::span<const std::uint8_t> bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

/// mov %eax or %rax, x(%rsp); ret, or mov x(%rsp), %rbp; add $y, %rsp, as functions of Go's runtime
/// end.
bool IsReturnOfGo(std::span<const std::uint8_t> after) {
  constexpr std::size_t kStoreBytes = 4;
  constexpr std::size_t kRestoreBytes = 5;
  return (StartsWith(after, {0x89, 0x44, 0x24}) &&
          StartsWith(after.subspan(kStoreBytes), {0xc3})) ||
         (StartsWith(after, {0x48, 0x89, 0x44, 0x24}) &&
          StartsWith(after.subspan(kRestoreBytes), {0xc3})) ||
         (StartsWith(after, {0x48, 0x8b, 0x6c, 0x24}) &&
          StartsWith(after.subspan(kRestoreBytes), {0x48, 0x83, 0xc4}));
}

/// Does the code after a call set the flags anew, or return, before anything could read them? A
/// stub changes them, and the instruction `syscall` does not.
bool LeavesFlags(std::span<const std::uint8_t> after) {
  return StartsWith(after, {0x48, 0x3d}) ||        // cmp $x, %rax
         StartsWith(after, {0x3d}) ||              // cmp $x, %eax
         StartsWith(after, {0x48, 0x83, 0xf8}) ||  // cmp $x, %rax, short
         StartsWith(after, {0x83, 0xf8}) ||        // cmp $x, %eax, short
         StartsWith(after, {0x48, 0x85, 0xc0}) ||  // test %rax, %rax
         StartsWith(after, {0x85, 0xc0}) ||        // test %eax, %eax
         StartsWith(after, {0xf7, 0xd8}) ||        // neg %eax
         StartsWith(after, {0xc3}) ||              // ret: the ABI keeps no flags
         IsReturnOfGo(after) ||
         // mov %rax, %rdi; jmp or call: musl's __syscall_ret
         StartsWith(after, {0x48, 0x89, 0xc7, 0xe9}) || StartsWith(after, {0x48, 0x89, 0xc7, 0xe8});
}

/// Could the bytes that end where mov $number, %eax would begin make its first byte, 0xb8, part of
/// a longer instruction? Then the call's number comes from elsewhere. Where they are the end of
/// another instruction by chance, a site goes without a stub.
bool MayBelongToLonger(std::span<const std::uint8_t> before) {
  const std::uint8_t last = before.back();
  constexpr std::uint8_t kRexMask = 0xf0;
  constexpr std::uint8_t kRex = 0x40;
  constexpr std::uint8_t kOperandSize = 0x66;
  if ((last & kRexMask) == kRex || last == kOperandSize) {
    return true;
  }
  // Opcodes with a ModRM byte, for which it would stand: x(%rax) or x(%r8), and edi or its like.
  // Compilers make add, cmp, movslq, test, xchg, mov and lea of these, and those of two bytes.
  const bool takes_modrm = last == 0x03 || last == 0x39 || last == 0x3b || last == 0x63 ||
                           (last >= 0x84 && last <= 0x8f) || before[before.size() - 2] == 0x0f;
  // Opcodes with a ModRM byte and an immediate of 32 bits: it would be an offset or the SIB byte.
  const auto has_immediate = [](std::uint8_t opcode) {
    return opcode == 0xc7 || opcode == 0x81 || opcode == 0x69;
  };
  constexpr std::uint8_t kModRm = 0xc7;  // mod and rm
  constexpr std::uint8_t kSib = 0x04;
  constexpr std::uint8_t kSibAndOffset = 0x44;
  const bool is_offset = (last & 0xc0U) == 0x40 && (last & 0x07U) != kSib;
  return takes_modrm ||
         (has_immediate(before[before.size() - 2]) && (is_offset || (last & kModRm) == kSib)) ||
         (has_immediate(before[before.size() - 3]) &&
          (before[before.size() - 2] & kModRm) == kSibAndOffset);
}

}  // namespace

std::uint64_t CallSite::patched() const {
  switch (pattern) {
    case SitePattern::kSingleThread:
      return address - kSingleThreadBytes;
    case SitePattern::kZeroAfterLoad:
      return address - kZeroAfterLoadBytes;
    case SitePattern::kAnyNumber:
      return address - kAnyNumberBytes;
    case SitePattern::kNumber:
      break;
  }
  return address - kNumberBytes;
}

std::optional<CallSite> RecognizeSite(std::span<const std::uint8_t> code, std::size_t at,
                                      std::uint64_t address) {
  if (at < kBytesBefore || at + kBytesAfter > code.size() ||
      !StartsWith(code.subspan(at), {0x0f, 0x05}) || !LeavesFlags(code.subspan(at + kCallBytes))) {
    return std::nullopt;
  }
  const auto before = [&](std::uint64_t bytes) { return code.subspan(at - bytes); };
  if (StartsWith(before(kNumberBytes), {0xb8}) &&
      !MayBelongToLonger(code.subspan(at - kBytesBefore).first(kBytesBefore - kNumberBytes))) {
    const std::uint32_t number = Load32(before(kNumberBytes - 1));
    constexpr std::uint32_t kMaxNumber = 1023;
    return number <= kMaxNumber
               ? std::optional(CallSite{.address = address,
                                        .number = static_cast<std::int32_t>(number),
                                        .pattern = SitePattern::kNumber})
               : std::nullopt;
  }
  // mov %rsi, %r10; mov %rdi, %rdx; mov %rcx, %rsi; mov %rbx, %rdi; syscall; cmp
  if (StartsWith(before(4 * kMoveBytes),
                 {0x49, 0x89, 0xf2, 0x48, 0x89, 0xfa, 0x48, 0x89, 0xce, 0x48, 0x89, 0xdf}) &&
      StartsWith(code.subspan(at + kCallBytes), {0x48, 0x3d})) {
    return CallSite{.address = address, .number = -1, .pattern = SitePattern::kAnyNumber};
  }
  if (!StartsWith(before(2), {0x31, 0xc0})) {
    return std::nullopt;
  }
  const auto compare = before(kSingleThreadBytes);
  if (StartsWith(compare, {0x80, 0x3d}) && compare[kCompareBytes - 1] == 0 &&
      compare[kCompareBytes] == 0x74) {
    return CallSite{.address = address, .number = 0, .pattern = SitePattern::kSingleThread};
  }
  // mov %eax, %r8d stands before: the instructions are those of one run of code, without an entry.
  if (StartsWith(before(kZeroAfterLoadBytes + 3), {0x41, 0x89, 0xc0, 0x8b, 0x7c, 0x24})) {
    return CallSite{.address = address, .number = 0, .pattern = SitePattern::kZeroAfterLoad};
  }
  return std::nullopt;
}

std::vector<std::uint8_t> WriteDetour(const CallSite& site, std::span<const std::uint8_t> before,
                                      std::uint64_t address, std::uint64_t stub) {
  MachineCode code(address);
  const std::uint64_t length = site.address - site.patched();
  const std::span<const std::uint8_t> original = before.last(length);
  const auto copy = [&](std::uint64_t from, std::uint64_t count) {
    for (const std::uint8_t byte : original.subspan(from, count)) {
      code.Bytes({byte});
    }
  };
  switch (site.pattern) {
    case SitePattern::kNumber:
    case SitePattern::kZeroAfterLoad:
    case SitePattern::kAnyNumber:
      copy(0, length);
      break;
    case SitePattern::kSingleThread: {
      const auto displacement = static_cast<std::int32_t>(Load32(original.subspan(2)));
      const std::uint64_t variable =
          site.patched() + kCompareBytes + static_cast<std::uint64_t>(std::int64_t{displacement});
      code.Bytes({0x80, 0x3d});  // cmpb $0, variable(%rip)
      code.Distance(variable, 1);
      code.Bytes({0x00, 0x0f, 0x84});  // je, long
      constexpr std::uint64_t kBranchEnd = kCompareBytes + 2;
      const auto branch = static_cast<std::int8_t>(original[kCompareBytes + 1]);
      code.Distance(site.patched() + kBranchEnd + static_cast<std::uint64_t>(std::int64_t{branch}));
      copy(kBranchEnd, 2);
      break;
    }
  }
  code.JumpFar(stub);
  return std::move(code.bytes());
}

std::vector<std::uint8_t> WriteJump(const CallSite& site, std::uint64_t detour) {
  MachineCode code(site.patched());
  code.Bytes({0xe9});
  code.Distance(detour);
  static_assert(kJumpBytes == 1 + sizeof(std::uint32_t));
  return std::move(code.bytes());
}

OriginalPlace PlaceInDetour(const CallSite& site, std::uint64_t offset) {
  const auto number = static_cast<std::uint64_t>(site.number);
  if (offset == 0) {
    return {.address = site.patched(), .rax = {}};  // which leads here again
  }
  if (site.pattern == SitePattern::kSingleThread) {
    // The branch and the clearing stand where they stood.
    if (offset == kCompareBytes) {
      return {.address = site.patched() + kCompareBytes, .rax = {}};
    }
    if (offset == kCompareBytes + kLongBranchBytes) {
      return {.address = site.address - 2, .rax = {}};
    }
  }
  if (site.pattern == SitePattern::kAnyNumber) {
    // The second move lies under the end of the jump; the first may as well be made twice. The
    // number is in rax.
    return {.address = offset <= kMoveBytes ? site.patched() : site.address, .rax = {}};
  }
  // Only the number is left to be put into rax.
  static_assert(kLoadBytes + 2 == kZeroAfterLoadBytes);
  return {.address = site.address, .rax = number};
}

}  // namespace cordon
