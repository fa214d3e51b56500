#include "model/seccomp_policy_json.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cordon {
namespace {

constexpr std::string_view kProfile = R"({
  "defaultAction": "SCMP_ACT_ERRNO",
  "defaultErrnoRet": 38,
  "architectures": [
    "SCMP_ARCH_X86_64"
  ],
  "flags": [
    "SECCOMP_FILTER_FLAG_LOG"
  ],
  "syscalls": [
    {
      "names": [
        "read",
        "write"
      ],
      "action": "SCMP_ACT_ALLOW",
      "comment": "seen"
    },
    {
      "names": [
        "socket"
      ],
      "action": "SCMP_ACT_ERRNO",
      "errnoRet": 1,
      "args": [
        {
          "index": 0,
          "value": 4294967295,
          "valueTwo": 38,
          "op": "SCMP_CMP_MASKED_EQ"
        },
        {
          "index": 1,
          "value": 3,
          "op": "SCMP_CMP_EQ"
        }
      ]
    }
  ]
}
)";

TEST(SeccompPolicyJson, ReadsWhatItSays) {
  const Expected<SeccompPolicy> policy = ReadSeccompPolicy(kProfile, "p.json");
  ASSERT_TRUE(policy.has_value()) << policy.error().message;
  EXPECT_EQ(policy->default_action, SeccompAction::Errno(38));
  EXPECT_EQ(policy->architectures, std::vector{Architecture::kX86_64});
  EXPECT_EQ(policy->flags, std::set<std::string>{"SECCOMP_FILTER_FLAG_LOG"});
  ASSERT_EQ(policy->rules.size(), 2U);
  EXPECT_EQ(policy->rules[0], (SeccompRule{{"read", "write"}, SeccompAction::Allow(), {}, "seen"}));
  EXPECT_EQ(
      policy->rules[1],
      (SeccompRule{{"socket"},
                   SeccompAction::Errno(1),
                   {{0, Comparison::kMaskedEqual, 38, 0xffffffff}, {1, Comparison::kEqual, 3, 0}},
                   ""}));
}

TEST(SeccompPolicyJson, RoundTrips) {
  const Expected<SeccompPolicy> policy = ReadSeccompPolicy(kProfile, "p.json");
  ASSERT_TRUE(policy.has_value()) << policy.error().message;
  EXPECT_EQ(WriteSeccompPolicy(*policy), kProfile);
  const Expected<SeccompPolicy> again =
      ReadSeccompPolicy(WriteSeccompPolicy(*policy, SeccompProfileFormat::kOci), "p.json");
  ASSERT_TRUE(again.has_value()) << again.error().message;
  SeccompPolicy without_comments = *policy;
  without_comments.rules[0].comment.clear();
  EXPECT_EQ(*again, without_comments);
}

TEST(SeccompPolicyJson, FillsInWhatTheFormatLeavesOut) {
  const Expected<SeccompPolicy> policy = ReadSeccompPolicy(
      R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_KILL","args":null}]})",
      "p");
  ASSERT_TRUE(policy.has_value()) << policy.error().message;
  EXPECT_EQ(policy->default_action, SeccompAction::Errno(1));
  EXPECT_EQ(policy->architectures, std::vector{NativeArchitecture()});
  EXPECT_EQ(policy->rules[0].action.kind, SeccompActionKind::kKillThread);
  EXPECT_TRUE(policy->rules[0].conditions.empty());
}

struct Malformed {
  const char* text;
  const char* place;
};

TEST(SeccompPolicyJson, NamesTheFileAndThePlaceOfAMistake) {
  const std::vector<Malformed> cases = {
      {"", "p.json"},
      {"{\"defaultAction\": \"SCMP_ACT_ALLOW\"", "p.json"},
      {"[]", "p.json: /"},
      {R"({})", "defaultAction"},
      {R"({"defaultAction":"SCMP_ACT_EAT"})", "/defaultAction"},
      {R"({"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1})", "/defaultErrnoRet"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":-1})", "/defaultErrnoRet"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":4096})", "/defaultErrnoRet"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","archMap":[]})", "/archMap"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_Z80"]})",
       "/architectures/0"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","flags":["FAST"]})", "/flags/0"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":{}})", "/syscalls"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"},{"names":["write"],"action":"ALLOW"}]})",
       "/syscalls/1/action"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"]}]})", "/syscalls/0"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"action":"SCMP_ACT_ALLOW"}]})",
       "/syscalls/0"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":[],"action":"SCMP_ACT_ALLOW"}]})",
       "/syscalls/0/names"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read","raed"],"action":"SCMP_ACT_ALLOW"}]})",
       "/syscalls/0/names/1"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{}}]})",
       "/syscalls/0/includes"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":6,"value":1,"op":"SCMP_CMP_EQ"}]}]})",
       "/syscalls/0/args/0/index"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":1.5,"op":"SCMP_CMP_EQ"}]}]})",
       "/syscalls/0/args/0/value"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":1,"op":"=="}]}]})",
       "/syscalls/0/args/0/op"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":1,"valueTwo":2,"op":"SCMP_CMP_MASKED_EQ"}]}]})",
       "/syscalls/0/args/0/valueTwo"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":1,"op":"SCMP_CMP_GE"},{"index":1,"value":5,"op":"SCMP_CMP_LE"}]}]})",
       "/syscalls/0/args/1"},
      {R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"},{"names":["read"],"action":"SCMP_ACT_TRAP"}]})",
       "/syscalls"},
  };
  for (const Malformed& one : cases) {
    const Expected<SeccompPolicy> policy = ReadSeccompPolicy(one.text, "p.json");
    ASSERT_FALSE(policy.has_value()) << one.text;
    EXPECT_EQ(policy.error().code, ErrorCode::kInvalidInput) << one.text;
    EXPECT_NE(policy.error().message.find("p.json"), std::string::npos) << policy.error().message;
    EXPECT_NE(policy.error().message.find(one.place), std::string::npos) << policy.error().message;
  }
}

TEST(SeccompPolicyJson, NeverCrashesOnATruncatedProfile) {
  for (std::size_t length = 0; length + 2 < kProfile.size(); ++length) {
    EXPECT_FALSE(ReadSeccompPolicy(kProfile.substr(0, length), "p.json").has_value()) << length;
  }
}

}  // namespace
}  // namespace cordon
