#include "model/sandbox_config_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/default_sandbox.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;

SandboxConfig FullConfig() {
  SandboxConfig config = DefaultSandbox();
  config.arguments = {"/usr/sbin/nginx", "-g", "daemon off;"};
  config.uid = 33;
  config.gid = 34;
  config.additional_gids = {4, 20};
  config.oom_score_adj = -17;
  config.working_directory = "/srv";
  config.rlimits = {{"RLIMIT_NOFILE", 4096, 1024}};
  config.limits.memory_bytes = std::uint64_t{256} << 20;
  config.limits.cpu_quota_us = 150000;
  config.limits.pids = 64;
  config.selinux_label = "system_u:system_r:nginx_t:s0";
  config.network = NetworkMode::kPrivate;
  config.published = {{8080, 80}, {443, 443}, {5353, 53, Transport::kUdp, 0x7f000001}};
  config.namespaces.insert(Namespace::kTime);
  config.time_offsets = {{"boottime", {86400, 0}}, {"monotonic", {-2, 500'000'000}}};
  config.landlock = std::vector<LandlockRule>{{"/etc/nginx", {"read_file"}},
                                              {"/var/log/nginx", {"make_reg", "write_file"}}};
  SeccompPolicy seccomp;
  seccomp.default_action = SeccompAction::Errno(38);
  seccomp.architectures = {Architecture::kX86_64};
  SeccompRule rule;
  rule.names = {"read", "write"};
  seccomp.rules = {rule};
  config.seccomp = seccomp;
  return config;
}

TEST(SandboxConfigJson, RoundTrips) {
  SandboxConfig bare;
  bare.root_path = "/srv/root";
  for (const SandboxConfig& config : {bare, DefaultSandbox(), FullConfig()}) {
    const std::string text = WriteSandboxConfig(config);
    const Expected<SandboxConfig> read = ReadSandboxConfig(text, "config.json");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, config);
    EXPECT_EQ(WriteSandboxConfig(*read), text);
    EXPECT_EQ(text.back(), '\n');
  }
}

TEST(SandboxConfigJson, AnEmptyFilePartIsNotNone) {
  SandboxConfig config = DefaultSandbox();
  config.landlock.emplace();
  const Expected<SandboxConfig> read = ReadSandboxConfig(WriteSandboxConfig(config), "config.json");
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->landlock.has_value());
}

TEST(SandboxConfigJson, SaysTheHostsRootInAWayThatOtherRuntimesTake) {
  const nlohmann::json document = nlohmann::json::parse(WriteSandboxConfig(DefaultSandbox()));
  EXPECT_EQ(document["root"]["path"], "rootfs");
  EXPECT_EQ(document["annotations"]["dev.cordon.root"], "host");
}

struct Mistake {
  std::string pointer;  ///< where to put `value`
  nlohmann::json value;
  std::vector<std::string> said;
};

TEST(SandboxConfigJson, NamesEveryMistakeAndItsPlace) {
  const std::vector<Mistake> mistakes{
      {"/unknown", 1, {"/unknown", "does not understand"}},
      {"/linux/intelRdt", nlohmann::json::object(), {"/linux/intelRdt"}},
      {"/linux/resources/memory/kernel", 1, {"/linux/resources/memory/kernel"}},
      {"/linux/resources/memory/limit", -2, {"/linux/resources/memory/limit"}},
      {"/linux/resources/hugepageLimits", 1, {"/linux/resources/hugepageLimits"}},
      {"/linux/namespaces/0/type", "galaxy", {"/linux/namespaces/0/type", "galaxy"}},
      {"/linux/namespaces/0/path", "/proc/1/ns/net", {"/linux/namespaces/0/path"}},
      {"/linux/seccomp/defaultAction", "SCMP_ACT_PERHAPS", {"/linux/seccomp", "SCMP_ACT_PERHAPS"}},
      {"/linux/maskedPaths", "x", {"/linux/maskedPaths"}},
      {"/process/terminal", true, {"/process/terminal"}},
      {"/process/user/uid", "root", {"/process/user/uid"}},
      {"/process/user/uid", 4294967295U, {"/process/user/uid"}},
      {"/process/cwd", "relative", {"/process/cwd", "absolute"}},
      {"/process/capabilities/ambient", {"CAP_CHOWN"}, {"/process/capabilities"}},
      {"/process/capabilities/bounding/0", "CHOWN", {"/process/capabilities/bounding", "CHOWN"}},
      {"/process/rlimits/0/soft", 99999, {"/process/rlimits/0"}},
      {"/process/args/0", nullptr, {"/process/args/0"}},
      {"/mounts/0/destination", "", {"/mounts/0/destination"}},
      {"/root/readonly", "yes", {"/root/readonly"}},
      {"/ociVersion", "2.0", {"/ociVersion", "2.0"}},
      {"/linux/timeOffsets/boottime/nanosecs",
       1'000'000'000,
       {"/linux/timeOffsets/boottime/nanosecs"}},
      {"/linux/timeOffsets/realtime", nlohmann::json::object(), {"/linux/timeOffsets"}},
      {"/annotations/dev.cordon.network", "fast", {"/annotations/dev.cordon.network", "fast"}},
      {"/annotations/dev.cordon.root", "moon", {"/annotations/dev.cordon.root"}},
      {"/annotations/dev.cordon.unheard", "of", {"/annotations/dev.cordon.unheard"}},
      {"/annotations/dev.cordon.landlock", "[{", {"/annotations/dev.cordon.landlock"}},
      {"/annotations/dev.cordon.landlock",
       R"([{"path":"x","access":[]}])",
       {"/annotations/dev.cordon.landlock", "/0/path"}},
      {"/annotations/dev.cordon.publish",
       R"([{"host":0,"container":1}])",
       {"/annotations/dev.cordon.publish", "/0"}},
      {"/annotations/dev.cordon.publish",
       R"([{"host":1,"container":1,"address":"1.2.3.4; flush ruleset"}])",
       {"/annotations/dev.cordon.publish", "/0/address", "IPv4"}},
      {"/annotations/dev.cordon.publish",
       R"([{"host":1,"container":1,"protocol":"sctp"}])",
       {"/annotations/dev.cordon.publish", "/0/protocol", "tcp or udp"}},
  };
  for (const Mistake& mistake : mistakes) {
    nlohmann::json document = nlohmann::json::parse(WriteSandboxConfig(FullConfig()));
    document[nlohmann::json::json_pointer(mistake.pointer)] = mistake.value;
    const Expected<SandboxConfig> read = ReadSandboxConfig(document.dump(), "b.policy/config.json");
    ASSERT_FALSE(read.has_value()) << mistake.pointer;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(read.error().message, HasSubstr("b.policy/config.json"));
    for (const std::string& said : mistake.said) {
      EXPECT_THAT(read.error().message, HasSubstr(said));
    }
  }
}

TEST(SandboxConfigJson, ForeignAnnotationsAreTaken) {
  nlohmann::json document = nlohmann::json::parse(WriteSandboxConfig(DefaultSandbox()));
  document["annotations"]["org.example"] = "x";
  EXPECT_TRUE(ReadSandboxConfig(document.dump(), "config.json").has_value());
}

TEST(SandboxConfigJson, EveryTruncationIsRefused) {
  const std::string text = WriteSandboxConfig(FullConfig());
  for (std::size_t length = 0; length + 2 < text.size(); length += 97) {
    EXPECT_FALSE(ReadSandboxConfig(text.substr(0, length), "config.json").has_value()) << length;
  }
}

}  // namespace
}  // namespace cordon
