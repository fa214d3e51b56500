#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "tests/testing/skip.h"
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

class UnprivilegedTest : public ::testing::TestWithParam<std::tuple<const char*, TraceTier>> {};

constexpr int kNotPossible = 77;

/// Of a tracer without CAP_SYS_PTRACE, of the same user: the phases of getppid as a status.
[[noreturn]] void LearnWithoutPrivilege(std::string scenario, TraceTier tier,
                                        const std::string& folder) {
  // From the bounding set too: a program of root's must not have more than its tracer.
  if (::geteuid() == 0) {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (::prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0) != 0 ||
        ::syscall(SYS_capget, &header, sets.data()) != 0) {
      std::_Exit(kNotPossible);
    }
    sets[0].effective &= ~(1U << CAP_SYS_PTRACE);
    sets[0].permitted &= ~(1U << CAP_SYS_PTRACE);
    sets[0].inheritable &= ~(1U << CAP_SYS_PTRACE);
    if (::syscall(SYS_capset, &header, sets.data()) != 0) {
      std::_Exit(kNotPossible);
    }
  }
  RecordOptions options;
  options.serving_when = ServingWhen::kListen;
  options.silent_stops_before_stubs = 1;
  const bool keeps_stubs = scenario == "dumpable" && tier == TraceTier::kFast &&
                           NativeArchitecture() == Architecture::kX86_64;
  const testing::Learned learned =
      testing::Learn({"stubs", std::move(scenario), folder}, tier, options);
  if (learned.exit_status != 0) {
    std::_Exit(learned.exit_status);
  }
  constexpr std::uint64_t kLeastHits = 2100;  // of 2700 calls
  if (keeps_stubs && learned.run.counts.stubs.hits < kLeastHits) {
    std::_Exit(52);
  }
  for (const auto& [call, item] : learned.run.recording.syscalls) {
    if (SyscallName(call) == "getppid") {
      std::_Exit(Phases(item.seen.phases) == "start serve" ? 0 : 50);
    }
  }
  std::_Exit(51);
}

/// What stubs know is taken back while their memory can be written to.
TEST_P(UnprivilegedTest, SeesPhasesOfAProcessThatItMayNotTouchAnyMore) {
  const testing::TempDir temp;
  const auto& [scenario, tier] = GetParam();
  const pid_t child = ::fork();
  if (child == 0) {
    LearnWithoutPrivilege(scenario, tier, temp.path());
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotPossible) {
    SKIP_BECAUSE("the victim may not become another user");
  }
  EXPECT_EQ(WEXITSTATUS(status), 0)
      << "50: getppid is not of both phases; 52: what was known did not stay known";
}

INSTANTIATE_TEST_SUITE_P(Ways, UnprivilegedTest,
                         ::testing::Combine(::testing::Values("dumpable", "undumpable", "demoted"),
                                            ::testing::Values(TraceTier::kExact,
                                                              TraceTier::kFiltered,
                                                              TraceTier::kFast)),
                         [](const auto& named) {
                           return fmt::format("{}_{}", std::get<0>(named.param),
                                              Name(std::get<1>(named.param)));
                         });

INSTANTIATE_TEST_SUITE_P(Ways, NoBoundaryTest,
                         ::testing::Combine(::testing::Values(Case{"never", ServingWhen::kListen},
                                                              Case{"listen", ServingWhen::kNever}),
                                            ::testing::Values(TraceTier::kExact,
                                                              TraceTier::kFiltered,
                                                              TraceTier::kFast)),
                         TestName);

}  // namespace
}  // namespace cordon
