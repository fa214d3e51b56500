// The default profiles of Docker and Podman, as their packages have them: read, compiled, taken
// apart by asking, written again. They mean the same for every call, and for the values on every
// side of every condition.

#include <gtest/gtest.h>

#include <filesystem>

#include "common/file.h"
#include "model/answer_diagrams.h"
#include "model/program_check.h"
#include "model/seccomp_comparison.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_policy_json.h"
#include "tests/testing/skip.h"

namespace cordon {
namespace {

struct Case {
  std::string file;
  Architecture architecture;
  std::set<std::string> capabilities;
  KernelVersion kernel;
};

std::string Podmans() {
  return "/usr/share/containers/seccomp.json";
}

std::string Dockers() {
  return std::string(CORDON_PROFILES) + "/docker_default.json";
}

class ProfileRoundTrip : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(GetParam().file)) {
      SKIP_BECAUSE(GetParam().file + " is not there: golang-github-containers-common has it");
    }
    const Expected<std::string> text = ReadFile(GetParam().file, kMaxSeccompProfileBytes);
    ASSERT_TRUE(text.has_value()) << text.error().message;
    Expected<ResolvedProfile> profile =
        ReadContainerProfile(*text, "profile.json",
                             {GetParam().architecture, GetParam().capabilities, GetParam().kernel});
    ASSERT_TRUE(profile.has_value()) << profile.error().message;
    policy_ = std::move(profile->policy);
    ASSERT_GT(policy_.rules.size(), 5U);
  }

  /// The policy on one architecture, put together from what it answers to each call.
  SeccompPolicy TakenApart(Architecture arch) const {
    SeccompPolicy made{policy_.default_action, {arch}, {}, policy_.flags};
    for (const auto& [number, name] : SyscallsOf(arch)) {
      AnswerDiagrams diagrams;
      const auto answers = diagrams.Of(CallRules(policy_, {arch, number}));
      EXPECT_TRUE(answers.has_value());
      const unsigned bits =
          CallRules(policy_, {arch, number}).comparable_bits() > 0xffffffff ? 64 : 32;
      const auto rules = diagrams.Rules(answers.value_or(0), made.default_action, bits, 4096);
      EXPECT_TRUE(rules.has_value()) << name;
      for (const auto& [action, conditions] : rules.value_or(std::vector<AnswerDiagrams::Rule>{})) {
        // The multiplexers stand before the single calls that they stand for.
        const bool first = name == "socketcall" || name == "ipc";
        made.rules.insert(first ? made.rules.begin() : made.rules.end(),
                          {{std::string(name)}, action, conditions, ""});
      }
    }
    return made;
  }

  SeccompPolicy policy_;
};

SeccompPolicy WrittenAndRead(const SeccompPolicy& policy) {
  const Expected<SeccompPolicy> again =
      ReadSeccompPolicy(WriteSeccompPolicy(policy, SeccompProfileFormat::kOci), "again.json");
  EXPECT_TRUE(again.has_value()) << again.error().message;
  return again.value_or(SeccompPolicy{});
}

TEST_P(ProfileRoundTrip, WrittenAgainItMeansTheSame) {
  const SeccompPolicy again = WrittenAndRead(policy_);
  const auto differences = FindDifferences(policy_, again, AnswerRelation::kDiffers);
  ASSERT_TRUE(differences.has_value()) << differences.error().message;
  EXPECT_TRUE(differences->empty());
  const auto program = CompileSeccomp(policy_);
  ASSERT_TRUE(program.has_value()) << program.error().message;
  const Status holds = CheckProgram(again, *program);
  EXPECT_TRUE(holds.has_value()) << holds.error().message;
}

TEST_P(ProfileRoundTrip, TakenApartByAskingItMeansTheSame) {
  for (const Architecture arch : policy_.architectures) {
    SCOPED_TRACE(Name(arch));
    SeccompPolicy here = policy_;
    here.architectures = {arch};
    const SeccompPolicy again = WrittenAndRead(TakenApart(arch));
    const auto differences = FindDifferences(here, again, AnswerRelation::kDiffers);
    ASSERT_TRUE(differences.has_value()) << differences.error().message;
    EXPECT_TRUE(differences->empty());
    // The program of the one answers as the rules of the other, on every side of every condition.
    const auto program = CompileSeccomp(here);
    ASSERT_TRUE(program.has_value()) << program.error().message;
    const Status here_holds = CheckProgram(here, *program);
    EXPECT_TRUE(here_holds.has_value()) << here_holds.error().message;
    const Status again_holds = CheckProgram(again, *program);
    EXPECT_TRUE(again_holds.has_value()) << again_holds.error().message;
    // The control: another policy's rules are told from it.
    SeccompPolicy other = again;
    other.rules.push_back({{"reboot"}, {SeccompActionKind::kTrap, 0}, {}, ""});
    EXPECT_FALSE(CheckProgram(other, *program).has_value());
  }
}

INSTANTIATE_TEST_SUITE_P(
    DockerAndPodman, ProfileRoundTrip,
    ::testing::Values(
        Case{Dockers(), Architecture::kX86_64, DefaultContainerCapabilities(), {5, 10}},
        Case{Dockers(), Architecture::kX86_64, {"CAP_SYS_ADMIN", "CAP_BPF"}, {5, 10}},
        Case{Dockers(), Architecture::kX86_64, {}, {4, 7}},
        Case{Dockers(), Architecture::kAarch64, DefaultContainerCapabilities(), {6, 1}},
        Case{Podmans(), Architecture::kX86_64, DefaultContainerCapabilities(), {5, 10}},
        Case{Podmans(), Architecture::kX86_64, {}, {5, 10}},
        Case{Podmans(), Architecture::kX86_64, {"CAP_SYS_ADMIN", "CAP_SYS_TIME"}, {6, 1}},
        Case{Podmans(), Architecture::kAarch64, DefaultContainerCapabilities(), {6, 1}}));

}  // namespace
}  // namespace cordon
