#include "generator/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "model/compiled_filter.h"
#include "model/policy_bundle.h"
#include "model/sandbox_config_json.h"
#include "tests/testing/recorded.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;

using testing::Recorded;

constexpr std::string_view kTarget = "refpolicy-debian12";

Recording Server() {
  Recorded recorded("/usr/sbin/server");
  recorded.Calls({"execve", "read", "write", "openat", "close"})
      .Call("socket", {AF_INET, SOCK_STREAM, 0});
  return recorded.recording();
}

GeneratedBundle Generate(const Recording& recording) {
  Expected<GeneratedBundle> bundle =
      GenerateBundle(recording, {.name = "server", .selinux_target = std::string(kTarget)});
  EXPECT_TRUE(bundle.has_value()) << bundle.error().message;
  return bundle ? *std::move(bundle) : GeneratedBundle{};
}

TEST(GenerateBundle, WritesWhatRunReads) {
  const GeneratedBundle bundle = Generate(Server());
  const Expected<PolicyBundle> parsed = ParsePolicyBundle(bundle.files, "server.policy");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->name, "server");
  const Expected<SeccompPolicy> seccomp = ReadSeccompOf(*parsed);
  ASSERT_TRUE(seccomp.has_value()) << seccomp.error().message;
  EXPECT_EQ(seccomp->default_action, SeccompAction::Errno(38));
  const Expected<SandboxConfig> config =
      ReadSandboxConfig(bundle.files.at("config.json"), "config.json");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->seccomp, *seccomp);
  EXPECT_FALSE(parsed->config.selinux_label.empty());
  const Expected<CompiledFilter> filter = ReadCompiledFilter(parsed->seccomp_bpf, "seccomp.bpf");
  ASSERT_TRUE(filter.has_value()) << filter.error().message;
  EXPECT_EQ(WhyStale(*filter, parsed->seccomp_json), "");
  EXPECT_FALSE(parsed->selinux_module.empty());
}

TEST(GenerateBundle, DoesNotDependOnTheOrderOfRecordings) {
  Recorded other("/usr/bin/other");
  other.Calls({"execve", "read", "sync"});
  Recording forth = Server();
  forth.Merge(other.recording());
  Recording back = other.recording();
  back.Merge(Server());
  back.Merge(other.recording());
  EXPECT_EQ(Generate(forth).files, Generate(back).files);
  EXPECT_NE(Generate(forth).files, Generate(Server()).files);
}

TEST(GenerateBundle, RefusesANameThatIsNone) {
  for (const char* name : {"", "../x", "a/b", ".hidden", "with space"}) {
    const Expected<GeneratedBundle> bundle =
        GenerateBundle(Server(), {.name = name, .selinux_target = std::string(kTarget)});
    ASSERT_FALSE(bundle.has_value()) << name;
    EXPECT_EQ(bundle.error().code, ErrorCode::kInvalidInput);
  }
}

TEST(ParsePolicyBundle, NamesTheFolderAndThePartThatIsMissingOrBroken) {
  const GeneratedBundle good = Generate(Server());
  for (const auto& [name, content] : good.files) {
    std::map<std::string, std::string> files = good.files;
    files.erase(name);
    const Expected<PolicyBundle> without = ParsePolicyBundle(files, "x.policy");
    if (name == "report.html") {
      EXPECT_TRUE(without.has_value()) << "a page for people is no part of the policy";
      continue;
    }
    ASSERT_FALSE(without.has_value()) << name;
    EXPECT_EQ(without.error().code, ErrorCode::kInvalidInput) << name;
    EXPECT_NE(without.error().message.find("x.policy"), std::string::npos)
        << without.error().message;
    EXPECT_NE(without.error().message.find(name), std::string::npos) << without.error().message;
  }
  for (const char* name : {"seccomp.bpf", "config.json", "proof.json"}) {
    std::map<std::string, std::string> files = good.files;
    files[name].resize(files[name].size() / 2);
    const Expected<PolicyBundle> broken = ParsePolicyBundle(files, "x.policy");
    ASSERT_FALSE(broken.has_value()) << name;
    EXPECT_NE(broken.error().message.find(std::string("x.policy/") + name), std::string::npos)
        << broken.error().message;
  }
  std::map<std::string, std::string> files = good.files;
  files["seccomp.json"].resize(files["seccomp.json"].size() / 2);
  const Expected<PolicyBundle> parsed = ParsePolicyBundle(files, "x.policy");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_THAT(ReadSeccompOf(*parsed).error().message, HasSubstr("x.policy/seccomp.json"));
}

TEST(DefaultBundleName, IsTheProgramOfTheEarliestRun) {
  Recording recording;
  recording.runs["a"].command = {"/usr/bin/late"};
  recording.runs["a"].started_unix_s = 20;
  recording.runs["b"].command = {"/usr/sbin/my server"};
  recording.runs["b"].started_unix_s = 10;
  EXPECT_EQ(DefaultBundleName(recording).value_or(""), "my_server");
  recording.runs["b"].command = {"-bash"};
  EXPECT_EQ(DefaultBundleName(recording).value_or(""), "bash");
  EXPECT_FALSE(DefaultBundleName(Recording{}).has_value());
}

}  // namespace
}  // namespace cordon
