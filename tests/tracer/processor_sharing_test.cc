#include "tracer/processor_sharing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tracer/scripted_kernel.h"

namespace cordon {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr pid_t kTask = 10;
constexpr pid_t kOther = 11;

cpu_set_t Processors(std::initializer_list<std::size_t> numbers) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const std::size_t number : numbers) {
    CPU_SET(number, &set);
  }
  return set;
}

/// Cordon, process 0, runs on processor 1 of four.
class ProcessorSharingTest : public ::testing::Test {
 protected:
  ProcessorSharingTest() {
    kernel_.current_processor = 1;
    for (const pid_t task : {0, kTask, kOther}) {
      kernel_.processors[task] = Processors({0, 1, 2, 3});
    }
  }

  /// The task is resumed, and stops after `ran`.
  void Run(pid_t id, TaskPlacement& placement, std::chrono::microseconds ran) {
    now_ += 1s;
    ProcessorSharing::NoteResume(placement, now_);
    sharing_.NoteStop(id, placement, now_ + ran);
  }

  void StopOften(pid_t id, TaskPlacement& placement) {
    for (unsigned i = 0; i < ProcessorSharing::kQuickStops; ++i) {
      Run(id, placement, 20us);
    }
  }

  testing::ScriptedKernel kernel_;
  ProcessorSharing sharing_{kernel_};
  TaskPlacement placement_;
  TaskPlacement other_;
  ProcessorSharing::TimePoint now_ = ProcessorSharing::TimePoint() + 1h;
};

TEST_F(ProcessorSharingTest, BringsATaskThatStopsOften) {
  for (unsigned i = 1; i < ProcessorSharing::kQuickStops; ++i) {
    Run(kTask, placement_, 20us);
  }
  EXPECT_THAT(kernel_.log, IsEmpty());
  Run(kTask, placement_, 20us);
  EXPECT_THAT(kernel_.log, ElementsAre("processors 0 1", "processors 10 1"));
  EXPECT_EQ(sharing_.arrivals(), 1U);
  StopOften(kTask, placement_);
  EXPECT_EQ(kernel_.log.size(), 2U);  // it is there
}

TEST_F(ProcessorSharingTest, LeavesAloneWhatStopsSeldom) {
  for (int i = 0; i < 10; ++i) {
    Run(kTask, placement_, 200us);
    Run(kTask, placement_, 20us);
  }
  EXPECT_THAT(kernel_.log, IsEmpty());
}

TEST_F(ProcessorSharingTest, LetsATaskGoThatComputes) {
  StopOften(kTask, placement_);
  kernel_.log.clear();
  Run(kTask, placement_, 900us);
  EXPECT_THAT(kernel_.log, IsEmpty());
  Run(kTask, placement_, 2ms);
  EXPECT_THAT(kernel_.log, ElementsAre("processors 10 0,1,2,3"));
  sharing_.Rest();
  EXPECT_EQ(kernel_.log.back(), "processors 0 0,1,2,3");
}

TEST_F(ProcessorSharingTest, LetsATaskGoThatWaitsForOthers) {
  StopOften(kTask, placement_);
  StopOften(kOther, other_);
  kernel_.log.clear();
  now_ += 1s;
  ProcessorSharing::NoteResume(placement_, now_);
  ProcessorSharing::NoteResume(other_, now_);
  sharing_.NoteStop(kOther, other_, now_ + 30us);
  sharing_.NoteStop(kTask, placement_, now_ + 60us);
  EXPECT_THAT(kernel_.log, ElementsAre("processors 10 0,1,2,3"));
  // It does not come back as soon as others do.
  StopOften(kTask, placement_);
  EXPECT_EQ(kernel_.log.size(), 1U);
  for (unsigned i = 0; i < ProcessorSharing::kQuickStopsWhenCrowded; ++i) {
    Run(kTask, placement_, 20us);
  }
  EXPECT_EQ(kernel_.log.back(), "processors 10 1");
}

TEST_F(ProcessorSharingTest, FindsATaskThatHasNotStoppedForLong) {
  StopOften(kTask, placement_);
  EXPECT_FALSE(ProcessorSharing::IsLong(placement_, now_ + 1h));  // it is stopped
  ProcessorSharing::NoteResume(placement_, now_);
  EXPECT_FALSE(ProcessorSharing::IsLong(placement_, now_ + 900us));
  EXPECT_TRUE(ProcessorSharing::IsLong(placement_, now_ + 2ms));
  sharing_.Part(kTask, placement_);
  EXPECT_FALSE(ProcessorSharing::IsLong(placement_, now_ + 2ms));
}

TEST_F(ProcessorSharingTest, StaysWhileAnybodyShares) {
  StopOften(kTask, placement_);
  StopOften(kOther, other_);
  sharing_.Part(kTask, placement_);
  kernel_.log.clear();
  sharing_.Rest();
  EXPECT_THAT(kernel_.log, IsEmpty());
  sharing_.NoteEnd(other_);
  sharing_.Rest();
  EXPECT_THAT(kernel_.log, ElementsAre("processors 0 0,1,2,3"));
}

TEST_F(ProcessorSharingTest, KeepsWhatSomebodyElseChose) {
  StopOften(kTask, placement_);
  kernel_.processors[kTask] = Processors({2});
  sharing_.Part(kTask, placement_);
  EXPECT_THAT(kernel_.log, ElementsAre("processors 0 1", "processors 10 1"));
}

TEST_F(ProcessorSharingTest, LeavesAloneWhatIsBoundOrMayNotBeBound) {
  kernel_.processors[kTask] = Processors({1});
  StopOften(kTask, placement_);
  kernel_.processors[kOther] = Processors({0, 2});
  StopOften(kOther, other_);
  EXPECT_THAT(kernel_.log, ElementsAre("processors 0 1"));
  StopOften(kTask, placement_);
  EXPECT_EQ(kernel_.log.size(), 1U);
}

TEST_F(ProcessorSharingTest, LeavesAMachineOfOneProcessorAlone) {
  kernel_.processors[0] = Processors({1});
  StopOften(kTask, placement_);
  EXPECT_THAT(kernel_.log, IsEmpty());
}

TEST_F(ProcessorSharingTest, GivesAChildItsMakersPlace) {
  StopOften(kTask, placement_);
  kernel_.processors[kOther] = Processors({1});
  sharing_.NoteMade(kOther, placement_, other_);
  sharing_.Part(kOther, other_);
  EXPECT_EQ(kernel_.log.back(), "processors 11 0,1,2,3");
}

TEST_F(ProcessorSharingTest, FreesAChildWhoseMakerWasLetGoMeanwhile) {
  StopOften(kTask, placement_);
  kernel_.processors[kOther] = Processors({1});
  sharing_.Part(kTask, placement_);
  sharing_.NoteMade(kOther, placement_, other_);
  EXPECT_EQ(kernel_.log.back(), "processors 11 0,1,2,3");
}

TEST_F(ProcessorSharingTest, KnowsTheCallsThatTell) {
  const auto need = [&](std::string_view name) {
    return sharing_.NeedOf(SignatureOf(Architecture::kX86_64, name));
  };
  EXPECT_EQ(need("getppid"), ProcessorSharing::Need::kNothing);
  EXPECT_EQ(sharing_.NeedOf({.name = "sched_getaffinity"}), ProcessorSharing::Need::kAll);
  EXPECT_EQ(sharing_.NeedOf({.name = "sched_setaffinity"}), ProcessorSharing::Need::kAll);
}

TEST_F(ProcessorSharingTest, BringsNobodyAfterItsEnd) {
  sharing_.End();
  StopOften(kTask, placement_);
  EXPECT_THAT(kernel_.log, IsEmpty());
}

}  // namespace
}  // namespace cordon
