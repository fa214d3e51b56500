#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tracer/call_shape.h"

/// The x86-64 code of a stub: it decides whether a call is known, makes it when it is, and goes to
/// the original `syscall` instruction, where the trace filter stops it, when it is not.
///
/// It uses nothing but rax, which holds the call's number, and rcx and r11, which the call destroys
/// anyway: no stack, so it does not matter where that points and what lies beside it, and no
/// memory but the known calls. So at every instruction the registers of the program are as they
/// were, or can be put back, and a signal can be shown the original place (StubPlace).
namespace cordon {

struct StubRequest {
  std::uint64_t address = 0;      ///< where the code will lie
  std::uint64_t known_calls = 0;  ///< KnownCallsLayout, within 2 GiB of it
  std::uint64_t site = 0;         ///< of the original `syscall` instruction
  std::int32_t number = 0;
  CallShape shape;
  /// Of WriteReport(), outside the window, for calls whose result is checked: gone to when that is
  /// not the known one, or none is known, so that the tracer hears of the call after all.
  std::uint64_t report = 0;
};

struct StubCode {
  std::vector<std::uint8_t> bytes;
  std::size_t after_call = 0;     ///< offset of the instruction behind the stub's own `syscall`
  std::size_t done = 0;           ///< offset of the first instruction that a known result leads to
  std::size_t reports = 0;        ///< of where the result is put into the upper half of rax
  std::size_t unknown = 0;        ///< of where a call that is not known and reported leads to
  std::size_t after_unknown = 0;  ///< of the instruction behind the `syscall` of that
  std::size_t missed =
      0;  ///< of what leads to the original instruction; all from here on is before
};

/// No stub is longer.
inline constexpr std::size_t kStubBytes = 512;

StubCode WriteStub(const StubRequest& request);

/// A `syscall` instruction that the trace filter stops, with which a stub reports a call that it
/// made for `site`: the same call once more, with its arguments, and the result in the upper half
/// of rax. So every other filter, of the container's or the workload's, answers as it did to the
/// call itself: it kills nobody who did nothing. The tracer takes the call away; where a filter
/// that came meanwhile refuses it before the tracer is asked, the program goes on behind its site.
std::vector<std::uint8_t> WriteReport(std::uint64_t site);

/// The result in what rax holds there, whose lower half is the call's number: the kernel and its
/// filters look at no more of it (syscall_get_nr() in arch/x86/include/asm/syscall.h), and the
/// tracer finds all of it in orig_rax. Results of calls that are reported have 32 bits.
constexpr std::int64_t ResultInReport(std::uint64_t rax) {
  constexpr unsigned kHalfBits = 32;
  return static_cast<std::int64_t>(rax) >> kHalfBits;
}

/// A stub of one number, for a site that makes calls of any.
struct NumberedStub {
  std::int32_t number = 0;
  std::uint64_t address = 0;
};

/// No more fit into a stub's place.
inline constexpr std::size_t kMostNumbers = 40;

/// What goes to the stub of the number in eax, or to the `syscall` instruction at `site`.
std::vector<std::uint8_t> WriteChoice(std::uint64_t address, std::span<const NumberedStub> stubs,
                                      std::uint64_t site);

}  // namespace cordon
