#include "tracer/call_site.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "model/bpf_interpreter.h"
#include "tracer/trace_filter.h"

namespace cordon {
namespace {

constexpr std::uint64_t kAddress = 0x7f1234561000;

using Bytes = std::vector<std::uint8_t>;

/// `before`, filled up with one-byte nops in front, the call, and `after`.
std::optional<CallSite> Recognize(Bytes before, Bytes after) {
  before.insert(before.begin(), kBytesBefore - before.size(), 0x90);
  const std::size_t at = before.size();
  before.insert(before.end(), {0x0f, 0x05});
  before.insert(before.end(), after.begin(), after.end());
  before.resize(before.size() + kBytesAfter, 0x90);
  return RecognizeSite(before, at, kAddress);
}

const Bytes kCompare{0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff};
const Bytes kNumber{0xb8, 0x6e, 0, 0, 0};
const Bytes kSingleThread{0x80, 0x3d, 0x31, 0x33, 0x0e, 0, 0, 0x74, 0x17, 0x31, 0xc0};
const Bytes kZeroAfterLoad{0x41, 0x89, 0xc0, 0x8b, 0x7c, 0x24, 0x08, 0x31, 0xc0};

TEST(CallSiteTest, KnowsTheCodeOfCLibraries) {
  const auto number = Recognize(kNumber, kCompare);
  ASSERT_TRUE(number);
  EXPECT_EQ(number->number, 0x6e);
  EXPECT_EQ(number->patched(), kAddress - 5);
  EXPECT_TRUE(Recognize(kNumber, {0xc3}));
  EXPECT_TRUE(Recognize(kNumber, {0xf7, 0xd8}));
  EXPECT_TRUE(Recognize(kNumber, {0x48, 0x89, 0xc7, 0xe9}));
  const auto read = Recognize(kSingleThread, kCompare);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->number, 0);
  EXPECT_EQ(read->patched(), kAddress - 11);
  const auto read_by_threads = Recognize(kZeroAfterLoad, kCompare);
  ASSERT_TRUE(read_by_threads);
  EXPECT_EQ(read_by_threads->patched(), kAddress - 6);
}

// As Go 1.19 compiles runtime/internal/syscall.Syscall6.
const Bytes kMoves{0x49, 0x89, 0xf2, 0x48, 0x89, 0xfa, 0x48, 0x89, 0xce, 0x48, 0x89, 0xdf};

TEST(CallSiteTest, KnowsTheCodeOfGo) {
  const auto any = Recognize(kMoves, {0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff});
  ASSERT_TRUE(any);
  EXPECT_EQ(any->number, -1);
  EXPECT_EQ(any->patched(), kAddress - 6);
  EXPECT_EQ(PlaceInDetour(*any, 0).address, any->patched());
  EXPECT_EQ(PlaceInDetour(*any, 3).address, any->patched()) << "the first move, once more";
  EXPECT_EQ(PlaceInDetour(*any, 6).address, any->address);
  EXPECT_FALSE(PlaceInDetour(*any, 6).rax) << "the number is where it was";
  EXPECT_FALSE(Recognize(kMoves, {0x89, 0x44, 0x24, 0x08, 0xc3}));
  EXPECT_FALSE(Recognize(Bytes(kMoves.begin() + 6, kMoves.end()), kCompare));
  EXPECT_TRUE(Recognize(kNumber, {0x89, 0x44, 0x24, 0x08, 0xc3})) << "runtime.futex";
  EXPECT_TRUE(Recognize(kNumber, {0x48, 0x89, 0x44, 0x24, 0x08, 0xc3})) << "runtime.getpid";
  EXPECT_FALSE(Recognize(kNumber, {0x89, 0x44, 0x24, 0x08, 0x72})) << "a branch, not a return";
  EXPECT_TRUE(Recognize(kNumber, {0x48, 0x8b, 0x6c, 0x24, 0x10, 0x48, 0x83, 0xc4, 0x18, 0xc3}))
      << "runtime.usleep";
}

TEST(CallSiteTest, LeavesAloneWhatItDoesNotKnow) {
  EXPECT_FALSE(Recognize({0x41, 0xb8, 0x6e, 0, 0, 0}, kCompare)) << "mov to r8d";
  EXPECT_FALSE(Recognize({0x66, 0xb8, 0x6e, 0, 0, 0}, kCompare)) << "mov to ax";
  EXPECT_FALSE(Recognize({0x41, 0x8b, 0xb8, 0x6e, 0, 0, 0}, kCompare)) << "mov x(%r8), %edi";
  EXPECT_FALSE(Recognize({0x8d, 0xb8, 0x6e, 0, 0, 0}, kCompare)) << "lea x(%rax), %edi";
  EXPECT_FALSE(Recognize({0x0f, 0xb6, 0xb8, 0x6e, 0, 0, 0}, kCompare)) << "movzbl x(%rax), %edi";
  EXPECT_FALSE(Recognize({0xc7, 0x44, 0x24, 0xb8, 0x6e, 0, 0, 0}, kCompare))
      << "movl $x, -0x48(%rsp)";
  EXPECT_FALSE(Recognize({0xc7, 0x45, 0xb8, 0x6e, 0, 0, 0}, kCompare)) << "movl $x, -0x48(%rbp)";
  EXPECT_FALSE(Recognize({0xc7, 0x04, 0xb8, 0x6e, 0, 0, 0}, kCompare)) << "movl $x, (%rax,%rdi,4)";
  EXPECT_FALSE(Recognize({0x81, 0x7d, 0xb8, 0x6e, 0, 0, 0}, kCompare)) << "cmpl $x, -0x48(%rbp)";
  EXPECT_TRUE(Recognize({0x89, 0xc7, 0xb8, 0x6e, 0, 0, 0}, kCompare)) << "mov %eax, %edi before";
  EXPECT_FALSE(Recognize({0xb8, 0x6e, 0, 0, 0x40}, kCompare)) << "an x32 call";
  EXPECT_FALSE(Recognize({0xb8, 0x6e, 0, 0, 0, 0x90}, kCompare)) << "something between";
  EXPECT_FALSE(Recognize(kNumber, {0x74, 0x02})) << "uses flags from before the call";
  EXPECT_FALSE(Recognize({0x31, 0xc0}, kCompare)) << "no room in front";
  EXPECT_FALSE(Recognize({0x89, 0xf8}, kCompare)) << "the number comes from elsewhere";
  const Bytes short_code{0x0f, 0x05};
  EXPECT_FALSE(RecognizeSite(short_code, 0, kAddress));
}

TEST(CallSiteTest, AllPlacesOfADetourLeadBack) {
  const CallSite number = Recognize(kNumber, kCompare).value();
  EXPECT_EQ(PlaceInDetour(number, 0).address, number.patched());
  EXPECT_EQ(PlaceInDetour(number, 5).address, number.address);
  EXPECT_EQ(PlaceInDetour(number, 5).rax, 0x6e);
  const CallSite read = Recognize(kSingleThread, kCompare).value();
  EXPECT_EQ(PlaceInDetour(read, 0).address, read.patched());
  EXPECT_EQ(PlaceInDetour(read, 7).address, read.patched() + 7);
  EXPECT_EQ(PlaceInDetour(read, 13).address, read.address - 2);
  EXPECT_EQ(PlaceInDetour(read, 15).address, read.address);
  EXPECT_EQ(PlaceInDetour(read, 15).rax, 0U);
}

/// The bytes that the jump takes are no place to be, and neither is the middle of an instruction.
TEST(CallSiteTest, NoPlaceOfADetourLeadsIntoTheJump) {
  constexpr std::uint64_t kJumpBytes = 5;

  const struct {
    Bytes before;
    Bytes after;
    std::vector<std::uint64_t> places;  ///< instructions, from the end of the code before the call
  } kSites[] = {{kNumber, kCompare, {5, 0}},
                {kSingleThread, kCompare, {11, 4, 2, 0}},
                {kZeroAfterLoad, kCompare, {6, 0}},
                {kMoves, {0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff}, {6, 0}}};

  for (const auto& [before, after, places] : kSites) {
    const CallSite site = Recognize(before, after).value();
    for (std::uint64_t offset = 0; offset < kReportOffset; ++offset) {
      const std::uint64_t place = PlaceInDetour(site, offset).address;
      EXPECT_TRUE(place <= site.patched() || place >= site.patched() + kJumpBytes) << offset;
      EXPECT_TRUE(std::ranges::find(places, site.address - place) != places.end()) << offset;
    }
  }
}

TEST(CallSiteTest, DetoursReferToWhatTheOriginalReferredTo) {
  const CallSite read = Recognize(kSingleThread, kCompare).value();
  constexpr std::uint64_t kDetour = 0x7f1230000000;
  Bytes before(kBytesBefore - kSingleThread.size(), 0x90);
  before.insert(before.end(), kSingleThread.begin(), kSingleThread.end());
  const Bytes detour = WriteDetour(read, before, kDetour, 0x200000000000);
  ASSERT_LE(detour.size(), kDetourBytes);
  const auto word = [&](std::size_t at) {
    return static_cast<std::uint32_t>(detour[at] | detour[at + 1] << 8 | detour[at + 2] << 16 |
                                      detour[at + 3] << 24);
  };
  const auto target = [&](std::size_t at, std::size_t end) {
    return kDetour + end + static_cast<std::uint64_t>(static_cast<std::int32_t>(word(at)));
  };
  EXPECT_EQ(target(2, 7), read.patched() + 7 + 0x0e3331);
  EXPECT_EQ(target(9, 13), read.patched() + 9 + 0x17);
  const Bytes jump = WriteJump(read, kDetour);
  EXPECT_EQ(jump.size(), 5U);
  EXPECT_EQ(jump[0], 0xe9);
}

TEST(TraceFilterTest, LetsNothingThroughButCallsOfTheWindow) {
  const StubWindow window{.address = 0x2abc'0020'0000};
  const Expected<BpfInterpreter> filter = BpfInterpreter::Create(TraceFilterOutside(window));
  ASSERT_TRUE(filter.has_value());
  const auto answer = [&](std::uint64_t pointer, std::uint32_t number) {
    return filter
        ->RunCounting({number, 0xc000003e, static_cast<std::uint32_t>(pointer),
                       static_cast<std::uint32_t>(pointer >> 32U), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                       0})
        .word;
  };
  constexpr std::uint32_t kAllow = 0x7fff0000;
  constexpr std::uint32_t kTrace = 0x7ff00000 | kTraceFilterTag;
  const std::uint64_t end = window.address + StubWindow::kCodeBytes;
  EXPECT_EQ(answer(window.address, 39), kAllow);
  EXPECT_EQ(answer(end - 1, 39), kAllow);
  EXPECT_EQ(answer(end - 1, 219), kTrace) << "restart_syscall";
  EXPECT_EQ(answer(window.address - 1, 39), kTrace);
  EXPECT_EQ(answer(end, 39), kTrace);
  EXPECT_EQ(answer(window.address + (1ULL << 32U), 39), kTrace);
  EXPECT_EQ(answer(static_cast<std::uint32_t>(window.address), 39), kTrace);
}

TEST(StubWindowTest, LiesWhereTheFilterCanTellIt) {
  for (int i = 0; i < 1000; ++i) {
    const StubWindow window = StubWindow::Choose();
    EXPECT_EQ(window.address >> 32U, (window.address + StubWindow::kBytes) >> 32U);
    EXPECT_GE(window.address, 0x200000000000U);
    EXPECT_LT(window.address, 0x400000000000U);
  }
}

}  // namespace
}  // namespace cordon
