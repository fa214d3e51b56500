#include "cli/describe_coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Recording With(std::set<Limitation> limitations) {
  Recording recording;
  ::cordon::Run& run = recording.runs["1"];
  run.command = {"/usr/bin/server"};
  run.outcome = Exited{0};
  run.limitations = std::move(limitations);
  return recording;
}

TEST(DescribeVerdict, IsCompleteWithoutLimitations) {
  EXPECT_THAT(DescribeVerdict(With({})), StartsWith("Complete: "));
}

TEST(DescribeVerdict, NamesWhatIsMissing) {
  const std::string verdict = DescribeVerdict(With({{.kind = "io_uring", .detail = "a ring"}}));
  EXPECT_THAT(verdict, StartsWith("Complete, except"));
  EXPECT_THAT(verdict, HasSubstr("  io_uring: a ring\n"));
}

TEST(DescribeVerdict, IsPartialWhereAPartOfTheWorkloadIsMissing) {
  EXPECT_THAT(DescribeVerdict(With({{.kind = "attached", .detail = ""}})), StartsWith("Partial"));
  EXPECT_THAT(DescribeVerdict(With({{.kind = "untraced-clone", .detail = ""}})),
              StartsWith("Partial"));
  Recording ended = With({});
  ended.runs["1"].outcome.reset();
  EXPECT_THAT(DescribeVerdict(ended), StartsWith("Complete, except"));
  EXPECT_THAT(DescribeVerdict(Recording{}), StartsWith("Partial"));
}

TEST(DescribeVerdict, IsPartialWhereNoRunWasTraced) {
  for (const char* tier : {"audit", "denials"}) {
    Recording recording = With({{.kind = tier, .detail = ""}});
    recording.runs["1"].tier = tier;
    EXPECT_THAT(DescribeVerdict(recording), StartsWith("Partial"));
    EXPECT_THAT(DescribeVerdict(recording), HasSubstr("no run was traced"));
    recording.runs["2"] = With({}).runs["1"];
    EXPECT_THAT(DescribeVerdict(recording), StartsWith("Complete, except"));
    EXPECT_THAT(DescribeVerdict(recording), Not(HasSubstr("no run was traced")));
  }
}

TEST(DescribeVerdict, OnePartialRunMakesTheWholePartial) {
  Recording recording = With({});
  recording.runs["2"] = recording.runs["1"];
  EXPECT_THAT(DescribeVerdict(recording), StartsWith("Complete: "));
  recording.runs["2"].limitations.insert({.kind = "attached", .detail = ""});
  EXPECT_THAT(DescribeVerdict(recording), StartsWith("Partial"));
}

TEST(DescribeSaturation, EstimatesTheUnseenFromWhatWasSeenOnce) {
  Recording recording = With({});
  ::cordon::Run& run = recording.runs["1"];
  EXPECT_THAT(DescribeSaturation(recording), IsEmpty());
  run.duration_ms = 10'000;
  run.discovery = {{.ms = 100, .items = 30}, {.ms = 1000, .items = 50}, {.ms = 4200, .items = 51}};
  run.coverage = {.calls = 2000, .calls_once = 20, .uses = 400, .files_once = 0};
  const std::string text = DescribeSaturation(recording);
  EXPECT_THAT(text, HasSubstr("51 distinct behaviours, half of them by 0.1 s, the last new one at "
                              "4.2 s of 10.0 s"));
  EXPECT_THAT(text, HasSubstr("2000 calls, 20 of them the only one of its kind: the next is new "
                              "with a chance of about 1 %"));
  EXPECT_THAT(text, HasSubstr("400 uses of files, none of them the only one of its kind: the next "
                              "is new with a chance below 0.75 %"));
}

TEST(DescribeSaturation, NeverSaysNever) {
  Recording recording = With({});
  recording.runs["1"].coverage = {.calls = 10'000'000, .calls_once = 1, .uses = 0, .files_once = 0};
  EXPECT_THAT(DescribeSaturation(recording), HasSubstr("chance below 0.01 %"));
  EXPECT_THAT(DescribeSaturation(recording), Not(HasSubstr("uses of files")));
}

}  // namespace
}  // namespace cordon::cli
