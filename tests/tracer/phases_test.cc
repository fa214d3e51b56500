#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/testing/temp_dir.h"
#include "tests/tracer/learned.h"

namespace cordon {
namespace {

struct Case {
  std::string how;  ///< of the victim
  ServingWhen when;
};

std::string TestName(const ::testing::TestParamInfo<std::tuple<Case, TraceTier>>& info) {
  return fmt::format("{}_{}", std::get<0>(info.param).how, Name(std::get<1>(info.param)));
}

std::string Phases(PhaseSet phases) {
  return fmt::format("{}{}", phases.Has(Phase::kStart) ? "start " : "",
                     phases.Has(Phase::kServe) ? "serve" : "");
}

class PhasesTest : public ::testing::TestWithParam<std::tuple<Case, TraceTier>> {
 protected:
  testing::Learned LearnPhases(ServingWhen when) {
    std::filesystem::create_directory(folder());
    RecordOptions options;
    options.serving_when = when;
    options.silent_stops_before_stubs = 1;
    return testing::Learn({"phases", std::get<0>(GetParam()).how, folder()},
                          std::get<1>(GetParam()), options);
  }

  std::string folder() const { return std::filesystem::canonical(temp_.path()).string() + "/work"; }

  std::string OfFile(const Recording& recording, const std::string& name) const {
    const auto path = name.starts_with('/') ? name : folder() + "/" + name;
    for (const auto& [key, file] : recording.files) {
      if (key.path == path) {
        return Phases(file.seen.phases);
      }
    }
    return "none";
  }

  static std::string OfCall(const Recording& recording, std::string_view name) {
    for (const auto& [call, item] : recording.syscalls) {
      if (SyscallName(call) == name) {
        return Phases(item.seen.phases);
      }
    }
    return "none";
  }

  testing::TempDir temp_;
};

TEST_P(PhasesTest, AreToldApart) {
  const testing::Learned learned = LearnPhases(std::get<0>(GetParam()).when);
  ASSERT_EQ(learned.exit_status, 0);
  const Recording& recording = learned.run.recording;
  const ::cordon::Run& run = recording.runs.begin()->second;
  EXPECT_EQ(run.serving_when, Name(std::get<0>(GetParam()).when));
  EXPECT_TRUE(run.serving_ms);
  EXPECT_EQ(OfCall(recording, "getpgrp"), "start ");
  EXPECT_EQ(OfCall(recording, "getsid"), "serve");
  EXPECT_EQ(OfCall(recording, "getppid"), "start serve");
  EXPECT_EQ(OfCall(recording, "execve"), "start ");
  EXPECT_EQ(OfCall(recording, "exit_group"), "serve");
  EXPECT_EQ(OfFile(recording, "before"), "start ");
  EXPECT_EQ(OfFile(recording, "both"), "start serve");
  EXPECT_EQ(OfFile(recording, "/cordon-victim/both"), "start serve");
  EXPECT_EQ(OfFile(recording, "/cordon-victim/after"), "serve");
  if (::geteuid() == 0) {
    ASSERT_TRUE(recording.capabilities.contains("CAP_SYS_ADMIN"));
    EXPECT_EQ(Phases(recording.capabilities.at("CAP_SYS_ADMIN").phases), "start serve");
  }
  for (const auto& [key, socket] : recording.sockets) {
    EXPECT_FALSE(key.address.starts_with("@cordon-notify")) << key.address;
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, PhasesTest,
                         ::testing::Combine(::testing::Values(Case{"listen", ServingWhen::kListen},
                                                              Case{"fd", ServingWhen::kReady},
                                                              Case{"socket", ServingWhen::kReady},
                                                              Case{"signal", ServingWhen::kSignal}),
                                            ::testing::Values(TraceTier::kExact,
                                                              TraceTier::kFiltered,
                                                              TraceTier::kFast)),
                         TestName);

class NoBoundaryTest : public PhasesTest {};

TEST_P(NoBoundaryTest, LeavesEverythingInTheStartAndSaysSo) {
  const testing::Learned learned = LearnPhases(std::get<0>(GetParam()).when);
  ASSERT_EQ(learned.exit_status, 0);
  const Recording& recording = learned.run.recording;
  EXPECT_FALSE(recording.runs.begin()->second.serving_ms);
  EXPECT_EQ(OfCall(recording, "getsid"), "start ");
  EXPECT_EQ(testing::Behaviours(recording).contains("limitation no-serving-boundary"),
            std::get<0>(GetParam()).when != ServingWhen::kNever);
}

INSTANTIATE_TEST_SUITE_P(Ways, NoBoundaryTest,
                         ::testing::Combine(::testing::Values(Case{"never", ServingWhen::kListen},
                                                              Case{"listen", ServingWhen::kNever}),
                                            ::testing::Values(TraceTier::kExact,
                                                              TraceTier::kFiltered,
                                                              TraceTier::kFast)),
                         TestName);

}  // namespace
}  // namespace cordon
