#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cordon {

/// How the code before a `syscall` instruction looks. Only five bytes in front of that instruction
/// are ever replaced, so it stands where it stood: a call that is restarted, a thread that is in it
/// and a jump to it find it as before.
enum class SitePattern : std::uint8_t {
  kNumber,         ///< mov $number, %eax; syscall
  kSingleThread,   ///< cmpb $0, x(%rip); je y; xor %eax, %eax; syscall: read(2) of glibc
  kZeroAfterLoad,  ///< mov x(%rsp), %edi; xor %eax, %eax; syscall: the same with threads
  kAnyNumber,      ///< mov %rcx, %rsi; mov %rbx, %rdi; syscall: all of Go's package syscall
};

/// A `syscall` instruction that can be given a stub.
struct CallSite {
  std::uint64_t address = 0;  ///< of the `syscall` instruction
  std::int32_t number =
      0;  ///< the only call it ever makes; kAnyNumber: the one it is looked at for
  SitePattern pattern = SitePattern::kNumber;

  /// Of the first of the five bytes that are replaced.
  std::uint64_t patched() const;
};

/// Bytes that have to be known before and after a `syscall` instruction.
inline constexpr std::size_t kBytesBefore = 16;
inline constexpr std::size_t kBytesAfter = 12;

/// What the `syscall` instruction at `code[at]`, whose address is `address`, is; nothing when its
/// surroundings are not exactly those of a pattern, or when what follows might use the processor
/// flags from before the call. Needs kBytesBefore bytes before and kBytesAfter from `at` on, else
/// nothing.
std::optional<CallSite> RecognizeSite(std::span<const std::uint8_t> code, std::size_t at,
                                      std::uint64_t address);

/// The code that runs in place of the replaced bytes and then goes to `stub`, to lie at `address`
/// within 2 GiB of the site and of what its instructions refer to.
std::vector<std::uint8_t> WriteDetour(const CallSite& site, std::span<const std::uint8_t> before,
                                      std::uint64_t address, std::uint64_t stub);

/// No detour is longer.
inline constexpr std::size_t kDetourBytes = 64;

/// Where behind a detour that lies with which a stub reports (StubRequest::report).
inline constexpr std::uint64_t kReportOffset = 48;

/// What WriteJump() takes.
inline constexpr std::size_t kJumpBytes = 5;

/// jmp from the site's patched() to `detour`.
std::vector<std::uint8_t> WriteJump(const CallSite& site, std::uint64_t detour);

/// Where a program that is at `offset` of its detour would be without it.
struct OriginalPlace {
  std::uint64_t address = 0;
  std::optional<std::uint64_t> rax;  ///< what the register holds there; nothing: what it holds
};

OriginalPlace PlaceInDetour(const CallSite& site, std::uint64_t offset);

}  // namespace cordon
