#include "model/resource_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/resource_limits_json.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;

ResourceLimits EveryLimit() {
  ResourceLimits limits;
  limits.memory_bytes = 64 << 20;
  limits.memory_swap_bytes = kUnlimited;
  limits.memory_reservation_bytes = 32 << 20;
  limits.cpu_quota_us = 25000;
  limits.cpu_period_us = 50000;
  limits.cpu_shares = 512;
  limits.cpuset_cpus = "0-1";
  limits.cpuset_mems = "0";
  limits.pids = 20;
  limits.io_weight = 200;
  limits.read_bps = {{{8, 0}, 1 << 20}};
  limits.write_bps = {{{8, 16}, kUnlimited}};
  limits.read_iops = {{{8, 0}, 100}, {{259, 3}, 200}};
  limits.write_iops = {{{8, 0}, 50}};
  limits.devices = {{DeviceAnswer::kDeny, DeviceKind::kAny, {}, {}, kAnyDeviceAccess},
                    {DeviceAnswer::kAllow, DeviceKind::kCharacter, 10, 229, kReadDevice},
                    {DeviceAnswer::kAllow, DeviceKind::kBlock, 7, {}, kMakeDevice | kWriteDevice}};
  limits.unified = {{"memory.high", "50331648"}};
  return limits;
}

Expected<ResourceLimits> Read(std::string_view text) {
  const Expected<nlohmann::json> document = JsonCursor::Parse(text, "f");
  if (!document) {
    return Fail(document.error());
  }
  return ReadResourceLimits(JsonCursor(*document, "f"));
}

TEST(ResourceLimitsJson, ReadsWhatItWrote) {
  ResourceLimits lifted;
  lifted.memory_bytes = kUnlimited;
  lifted.cpu_quota_us = kUnlimited;
  lifted.pids = kUnlimited;
  for (const ResourceLimits& limits : {ResourceLimits(), EveryLimit(), lifted}) {
    const Expected<ResourceLimits> read = Read(WriteResourceLimits(limits));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, limits);
  }
  EXPECT_EQ(WriteResourceLimits({}), "{}");
}

TEST(ResourceLimitsJson, IsWhatOtherRuntimesRead) {
  const nlohmann::json json = nlohmann::json::parse(WriteResourceLimits(EveryLimit()));
  EXPECT_EQ(json["memory"]["swap"], -1);
  EXPECT_EQ(json["cpu"]["quota"], 25000);
  EXPECT_EQ(json["blockIO"]["throttleWriteBpsDevice"][0]["rate"], -1);
  EXPECT_EQ(json["devices"][0],
            nlohmann::json::parse(R"({"allow":false,"type":"a","access":"rwm"})"));
  EXPECT_EQ(json["unified"]["memory.high"], "50331648");
}

TEST(ResourceLimitsJson, EveryNumberOfADeviceMayBeLeftOutOrMinusOne) {
  const Expected<ResourceLimits> read = Read(
      R"({"devices":[{"allow":false},{"allow":true,"type":"u","major":-1,"minor":3,"access":"m"}]})");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->devices,
            (std::vector<DeviceRule>{
                {DeviceAnswer::kDeny, DeviceKind::kAny, {}, {}, kAnyDeviceAccess},
                {DeviceAnswer::kAllow, DeviceKind::kCharacter, {}, 3, kMakeDevice}}));
}

TEST(ResourceLimitsJson, NamesEveryMistakeAndItsPlace) {
  for (const auto& [text, place] : std::vector<std::pair<std::string, std::string>>{
           {R"({"memory":{"swappiness":1}})", "/memory/swappiness"},
           {R"({"memory":{"limit":-2}})", "/memory/limit"},
           {R"({"cpu":{"shares":1}})", "/cpu/shares"},
           {R"({"cpu":{"period":1000001}})", "/cpu/period"},
           {R"({"blockIO":{"weight":1001}})", "/blockIO/weight"},
           {R"({"blockIO":{"throttleReadBpsDevice":[{"major":1,"minor":1}]}})",
            "/blockIO/throttleReadBpsDevice/0"},
           {R"({"devices":[{"type":"c"}]})", "/devices/0"},
           {R"({"devices":[{"allow":true,"type":"x"}]})", "/devices/0/type"},
           {R"({"devices":[{"allow":true,"access":"rx"}]})", "/devices/0/access"},
           {R"({"devices":[{"allow":true,"access":""}]})", "/devices/0/access"},
           {R"({"unified":{"cgroup.kill":"1"}})", "/unified/cgroup.kill"},
           {R"({"unified":{"../x.y":"1"}})", "/unified/"},
           {R"({"unified":{"memory":"1"}})", "/unified/memory"},
           {R"({"unified":{"memory.high":""}})", "/unified/memory.high"},
           {R"({"unified":{"memory.high":1}})", "/unified/memory.high"},
           {R"({"pids":1})", "/pids"},
           {R"({"rdma":{}})", "/rdma"}}) {
    const Expected<ResourceLimits> read = Read(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_THAT(read.error().message, HasSubstr("f: " + place));
  }
}

TEST(ChangeLimits, LeavesWhatIsNotNamed) {
  EXPECT_EQ(ChangeLimits(EveryLimit(), {}), EveryLimit());
  EXPECT_EQ(ChangeLimits({}, EveryLimit()), EveryLimit());
  ResourceLimits change;
  change.pids = 7;
  change.cpu_quota_us = 10000;
  change.read_iops = {{{259, 3}, 1}, {{1, 1}, 2}};
  change.unified = {{"pids.max", "9"}};
  const ResourceLimits changed = ChangeLimits(EveryLimit(), change);
  ResourceLimits expected = EveryLimit();
  expected.pids = 7;
  expected.cpu_quota_us = 10000;
  expected.cpu_period_us = 100000;
  expected.read_iops = {{{8, 0}, 100}, {{259, 3}, 1}, {{1, 1}, 2}};
  expected.unified["pids.max"] = "9";
  EXPECT_EQ(changed, expected);
}

}  // namespace
}  // namespace cordon
