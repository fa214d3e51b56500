#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "model/recording.h"
#include "model/recording_comparison.h"
#include "model/recording_json.h"
#include "tests/testing/random_recording.h"

namespace cordon {
namespace {

using testing::RandomRecording;

Recording Merged(Recording a, const Recording& b) {
  a.Merge(b);
  return a;
}

class RecordingMergeTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  Recording a_ = RandomRecording(3 * GetParam());
  Recording b_ = RandomRecording(3 * GetParam() + 1);
  Recording c_ = RandomRecording(3 * GetParam() + 2);
};

TEST_P(RecordingMergeTest, IsCommutative) {
  EXPECT_EQ(WriteRecording(Merged(a_, b_)), WriteRecording(Merged(b_, a_)));
}

TEST_P(RecordingMergeTest, IsAssociative) {
  EXPECT_EQ(WriteRecording(Merged(Merged(a_, b_), c_)), WriteRecording(Merged(a_, Merged(b_, c_))));
}

TEST_P(RecordingMergeTest, IsIdempotent) {
  EXPECT_EQ(Merged(a_, a_), a_);
  const Recording ab = Merged(a_, b_);
  EXPECT_EQ(Merged(ab, b_), ab);
}

TEST_P(RecordingMergeTest, LeavesNothingOut) {
  const Recording ab = Merged(a_, b_);
  EXPECT_EQ(MissingBehaviours(a_, ab), std::vector<std::string>{});
  EXPECT_EQ(MissingBehaviours(b_, ab), std::vector<std::string>{});
  EXPECT_NE(MissingBehaviours(ab, Recording{}), std::vector<std::string>{});
}

TEST_P(RecordingMergeTest, TheEmptyRecordingChangesNothing) {
  EXPECT_EQ(Merged(Recording{}, a_), a_);
}

/// One recording of a run for each number in [first, end), each with a curve.
Recording Fleet(int first, int end) {
  Recording fleet;
  for (int number = first; number < end; number++) {
    Recording one;
    one.runs[fmt::format("{:032x}", number)].discovery = {{.ms = 1, .items = 2}};
    fleet.Merge(one);
  }
  return fleet;
}

TEST(RecordingMerge, KeepsTheCurvesOfTheFirstRunsWhateverTheOrder) {
  constexpr int kRuns = 3 * kMaxDiscoveryCurves;
  const Recording all = Fleet(0, kRuns);
  EXPECT_EQ(all.runs.size(), kRuns);
  EXPECT_EQ(std::ranges::count_if(all.runs,
                                  [](const auto& run) { return !run.second.discovery.empty(); }),
            kMaxDiscoveryCurves);
  EXPECT_FALSE(all.runs.begin()->second.discovery.empty());
  EXPECT_EQ(Merged(Fleet(100, kRuns), Fleet(0, 120)), all);
  EXPECT_EQ(Merged(Fleet(0, 5), Merged(Fleet(60, kRuns), Fleet(5, 70))), all);
  EXPECT_EQ(Merged(all, Fleet(10, 90)), all);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RecordingMergeTest, ::testing::Range(0U, 40U));

SyscallObservation WithTuples(std::uint64_t from, std::uint64_t to) {
  SyscallObservation item;
  for (std::uint64_t value = from; value < to; ++value) {
    item.AddTuple({value, 7}, {.count = 1, .results = {{0, 1}}, .phases = {}});
  }
  return item;
}

TEST(ArgumentTuplesTest, CollapseOverTheBoundWhicheverWayTheyCome) {
  EXPECT_FALSE(WithTuples(0, kMaxArgumentTuples).overflow);
  const SyscallObservation over = WithTuples(1, kMaxArgumentTuples + 2);
  EXPECT_TRUE(over.tuples.empty());
  EXPECT_EQ(
      over.overflow.value_or(std::vector<ScalarRange>{}),
      (std::vector<ScalarRange>{{.bits_or = 127, .minimum = 1, .maximum = kMaxArgumentTuples + 1},
                                {.bits_or = 7, .minimum = 7, .maximum = 7}}));

  SyscallObservation merged = WithTuples(1, 40);
  merged.Merge(WithTuples(40, kMaxArgumentTuples + 2));
  EXPECT_EQ(merged.overflow, over.overflow);
}

TEST(SeenTest, KeepsFirstAndLastTime) {
  Seen seen;
  seen.Note(50, "/bin/a", Phase::kServe);
  seen.Note(20, "/bin/b", Phase::kServe);
  EXPECT_EQ(seen.first_ms, 20U);
  EXPECT_EQ(seen.last_ms, 50U);
  EXPECT_EQ(seen.count, 2U);
  EXPECT_FALSE(seen.phases.Has(Phase::kStart));
}

TEST(MissingBehaviours, NamesEachKind) {
  Recording left;
  const Syscall socket{Architecture::kX86_64, 41};
  left.syscalls[socket].AddTuple({2, 1, 0}, {.count = 1, .results = {{0, 1}}, .phases = {}});
  left.syscalls[{Architecture::kX86_64, 0}].results = {{0, 1}};
  left.files[{"/etc/hosts", FileClass::kFile}].access = {FileAccess::kOpen, FileAccess::kRead};
  left.sockets[{2, 1, 0, SocketOperation::kBind, "127.0.0.1", 80}].results = {{0, 1}};
  left.processes[{"/bin/sh", ""}].uids = {0};
  left.capabilities["CAP_CHOWN"];
  EXPECT_EQ(MissingBehaviours(left, Recording{}),
            (std::vector<std::string>{"read on x86_64", "socket on x86_64",
                                      "file '/etc/hosts': open", "file '/etc/hosts': read",
                                      "bind of inet stream 0 '127.0.0.1' port 80: ok",
                                      "program '/bin/sh'", "capability CAP_CHOWN"}));
  Recording right = left;
  right.syscalls[socket] = {};
  right.syscalls[socket].AddTuple({1, 1, 0}, {.count = 1, .results = {{0, 1}}, .phases = {}});
  right.files[{"/etc/hosts", FileClass::kFile}].access = {FileAccess::kOpen};
  EXPECT_EQ(MissingBehaviours(left, right),
            (std::vector<std::string>{"socket(0: 0x2, 1: 0x1, 2: 0x0) on x86_64",
                                      "file '/etc/hosts': read"}));
}

TEST(MissingBehaviours, KnowsArgumentsThatWereCollapsed) {
  Recording few;
  Recording many;
  few.syscalls[{Architecture::kX86_64, 41}] = WithTuples(3, 5);
  many.syscalls[{Architecture::kX86_64, 41}] = WithTuples(0, kMaxArgumentTuples + 2);
  EXPECT_TRUE(MissingBehaviours(few, many).empty());
  EXPECT_EQ(MissingBehaviours(many, few).size(), 1U);
}

}  // namespace
}  // namespace cordon
