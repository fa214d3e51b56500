#include "generator/convert_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "generator/convert_selinux_module.h"
#include "generator/seccomp_generator.h"
#include "generator/syscall_data.h"
#include "model/bpf_interpreter.h"
#include "model/program_check.h"
#include "model/seccomp_comparison.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_policy_json.h"
#include "tests/testing/recorded.h"

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A policy with all that the targets differ in: two classes, conditions, families.
SeccompPolicy Policy(const SeccompOptions& options = {}) {
  testing::Recorded recorded;
  recorded.Calls({"execve", "brk", "read", "write", "openat", "close", "bind", "listen"})
      .Call("socket", {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0})
      .Call("socket", {AF_UNIX, SOCK_STREAM, 0})
      .Call("clone", {17})
      .Call("ioctl", {0x5401}, ENOTTY)
      .NoReturn("exit_group");
  Expected<GeneratedSeccomp> generated = GenerateSeccomp(recorded.recording(), options);
  EXPECT_TRUE(generated.has_value()) << generated.error().message;
  return generated ? std::move(generated->policy) : SeccompPolicy{};
}

ConvertedPolicy MustConvert(const SeccompPolicy& policy, PolicyTarget target) {
  Expected<ConvertedPolicy> converted = ConvertPolicy(policy, "web", target);
  EXPECT_TRUE(converted.has_value()) << converted.error().message;
  return converted ? *std::move(converted) : ConvertedPolicy{};
}

std::vector<AnswerDifference> Differences(const SeccompPolicy& left, const SeccompPolicy& right) {
  Expected<std::vector<AnswerDifference>> found =
      FindDifferences(left, right, AnswerRelation::kDiffers);
  EXPECT_TRUE(found.has_value()) << found.error().message;
  return found ? *std::move(found) : std::vector<AnswerDifference>{};
}

TEST(ConvertPolicy, MeansTheSameWhereItIsReadBack) {
  for (const OnViolation on_violation :
       {OnViolation::kErrno, OnViolation::kLog, OnViolation::kKill}) {
    const SeccompPolicy policy = Policy({.on_violation = on_violation});
    for (const PolicyTarget target :
         {PolicyTarget::kDocker, PolicyTarget::kOci, PolicyTarget::kPodman}) {
      const ConvertedPolicy converted = MustConvert(policy, target);
      const Expected<SeccompPolicy> read = ReadSeccompPolicy(converted.document, "converted");
      ASSERT_TRUE(read.has_value()) << read.error().message;
      EXPECT_THAT(Differences(policy, *read), IsEmpty());
    }
  }
}

TEST(ConvertPolicy, SaysWhatDockerAndOciLose) {
  EXPECT_THAT(MustConvert(Policy(), PolicyTarget::kPodman).losses, IsEmpty());
  EXPECT_THAT(MustConvert(Policy(), PolicyTarget::kOci).losses,
              ::testing::ElementsAre(HasSubstr("no comments")));
  EXPECT_THAT(MustConvert(Policy(), PolicyTarget::kDocker).losses,
              ::testing::ElementsAre(HasSubstr("numbers without a name get EPERM")));
  // And that is all: what Docker 20.10 makes of it differs for unnamed numbers only.
  for (const AnswerDifference& difference : Differences(Policy(), AsDocker2010Reads(Policy()))) {
    EXPECT_FALSE(SyscallName(difference.example.call).has_value());
  }
}

TEST(ConvertPolicy, WritesTheObjectOfTheSecurityProfilesOperator) {
  const ConvertedPolicy converted = MustConvert(Policy(), PolicyTarget::kKubernetes);
  const nlohmann::json object = nlohmann::json::parse(converted.document, nullptr, false);
  ASSERT_FALSE(object.is_discarded());
  EXPECT_EQ(object["kind"], "SeccompProfile");
  EXPECT_EQ(object["metadata"]["name"], "web");
  EXPECT_EQ(object["spec"]["defaultAction"], "SCMP_ACT_ERRNO");
  EXPECT_FALSE(object["spec"].contains("defaultErrnoRet"));
  EXPECT_THAT(converted.losses, Contains(HasSubstr("Security Profiles Operator has no errno")));
  std::set<std::string> errnos;
  for (const nlohmann::json& rule : object["spec"]["syscalls"]) {
    if (rule.contains("errnoRet")) {
      errnos.insert(rule["errnoRet"].get<std::string>());
    }
  }
  EXPECT_EQ(errnos, (std::set<std::string>{"1", "13", "38"}));  // EACCES: refused multiplexers
  for (const char* name : {"", "Web", "a_b", "-a", "a-"}) {
    const auto refused = ConvertPolicy(Policy(), name, PolicyTarget::kKubernetes);
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput);
  }
}

TEST(ConvertSelinuxModule, LeavesCommentsOutButNotWhatLooksLikeThem) {
  const auto converted = ConvertSelinuxModule(
      "; made (by hand\n\n(type a_t) ; the domain\n(filecon \"/a;b\" file ())\n", "a_t", "web");
  ASSERT_TRUE(converted.has_value()) << converted.error().message;
  const nlohmann::json object = nlohmann::json::parse(converted->document, nullptr, false);
  EXPECT_EQ(object["spec"]["policy"],
            "(type a_t) \n(filecon \"/a;b\" file ())\n(typealias process)\n"
            "(typealiasactual process a_t)\n");
  EXPECT_THAT(converted->losses, Contains(HasSubstr("filecon (1)")));
  const auto large = ConvertSelinuxModule(std::string(600'000, ' '), "a_t", "web");
  ASSERT_TRUE(large.has_value());
  EXPECT_THAT(large->losses, Contains(HasSubstr("takes 500000")));
  EXPECT_THAT(large->losses, ::testing::Not(Contains(HasSubstr("filecon"))));
  EXPECT_FALSE(ConvertSelinuxModule("", "a_t", "Web").has_value());
}

TEST(ConvertPolicy, WritesTheProgramAsTheKernelTakesIt) {
  const SeccompPolicy policy = Policy();
  const ConvertedPolicy converted = MustConvert(policy, PolicyTarget::kBpf);
  ASSERT_EQ(converted.document.size() % sizeof(sock_filter), 0U);
  std::vector<sock_filter> program(converted.document.size() / sizeof(sock_filter));
  std::memcpy(program.data(), converted.document.data(), converted.document.size());
  EXPECT_TRUE(CheckBpf(program).has_value());
  EXPECT_TRUE(CheckProgram(policy, program).has_value());
}

/// What systemd makes of a drop-in (systemd.exec(5)), as far as this writer uses it.
SeccompPolicy AsSystemdReads(const std::string& text) {
  SeccompPolicy policy;
  std::set<std::string> names;
  std::vector<std::uint64_t> families;
  std::istringstream lines(text);
  bool restricts_families = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(line.find('=') + 1));
    for (std::string word; words >> word;) {
      if (line.starts_with("SystemCallFilter=")) {
        names.insert(word);
      } else if (line.starts_with("SystemCallErrorNumber=")) {
        EXPECT_EQ(word, "ENOSYS");
        policy.default_action = SeccompAction::Errno(ENOSYS);
      } else if (line.starts_with("RestrictAddressFamilies=")) {
        restricts_families = true;
        const std::map<std::string, int> known = {{"AF_UNIX", AF_UNIX}, {"AF_INET", AF_INET}};
        families.push_back(static_cast<std::uint64_t>(known.at(word)));
      } else if (line.starts_with("SystemCallArchitectures=")) {
        EXPECT_EQ(word, "x86-64");
        policy.architectures.push_back(Architecture::kX86_64);
      }
    }
  }
  const auto always = LoadSystemdDefault();
  EXPECT_TRUE(always.has_value());
  for (const ReasonedNames& group : *always) {
    names.insert(group.names.begin(), group.names.end());
  }
  if (restricts_families && names.erase("socket") != 0) {
    for (std::uint64_t family = 0; family < 64; ++family) {
      const bool allowed = std::ranges::find(families, family) != families.end();
      policy.rules.push_back({{"socket"},
                              allowed ? SeccompAction::Allow() : SeccompAction::Errno(EAFNOSUPPORT),
                              {{0, Comparison::kMaskedEqual, family, 0xffffffff}},
                              {}});
    }
  }
  policy.rules.push_back({{names.begin(), names.end()}, SeccompAction::Allow(), {}, {}});
  return policy;
}

TEST(ConvertPolicy, StatesEveryLossOfSystemd) {
  const SeccompPolicy policy = Policy();
  const ConvertedPolicy converted = MustConvert(policy, PolicyTarget::kSystemd);
  EXPECT_THAT(converted.document, HasSubstr("RestrictAddressFamilies=AF_UNIX AF_INET\n"));
  std::string losses;
  std::size_t counted = 0;       // "N calls …"
  std::set<std::string> single;  // "NAME: …"
  for (const std::string& loss : converted.losses) {
    losses += loss + "\n";
    if (std::isdigit(static_cast<unsigned char>(loss.front())) != 0) {
      counted += std::stoul(loss);
    } else {
      single.insert(loss.substr(0, loss.find(':')));
    }
  }
  std::set<std::string> differing;
  for (const AnswerDifference& difference :
       Differences(policy, AsSystemdReads(converted.document))) {
    differing.emplace(SyscallName(difference.example.call).value_or("a number without a name"));
  }
  for (const std::string& name : single) {
    EXPECT_TRUE(differing.contains(name)) << name << " is no loss";
  }
  EXPECT_EQ(differing.size(), counted + single.size()) << losses;
  EXPECT_THAT(single, Contains("clone"));
  EXPECT_THAT(single, Contains("socket"));
  EXPECT_THAT(losses, HasSubstr("get ENOSYS instead of EPERM"));
  EXPECT_THAT(losses, HasSubstr("@default"));
}

TEST(ConvertPolicy, RefusesAListOfWhatIsForbiddenForSystemd) {
  SeccompPolicy policy{SeccompAction::Allow(), {Architecture::kX86_64}, {}, {}};
  policy.rules.push_back({{"mount"}, SeccompAction::Errno(EPERM), {}, {}});
  const auto converted = ConvertPolicy(policy, "web", PolicyTarget::kSystemd);
  ASSERT_FALSE(converted.has_value());
  EXPECT_EQ(converted.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace cordon
