#include "model/oci_spec_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cordon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

/// Everything that the specification has for Linux.
Json FullSpec() {
  return Json::parse(R"({
    "ociVersion": "1.2.0",
    "process": {
      "terminal": true, "consoleSize": {"height": 25, "width": 80},
      "user": {"uid": 33, "gid": 34, "umask": 18, "additionalGids": [5, 6]},
      "args": ["sh", "-c", "true"], "env": ["PATH=/bin"], "cwd": "/srv",
      "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"],
                       "inheritable": [], "ambient": ["CAP_KILL"]},
      "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 512}],
      "noNewPrivileges": true, "apparmorProfile": "acme", "selinuxLabel": "a:b:c:s0", "oomScoreAdj": -5,
      "scheduler": {"policy": "SCHED_OTHER", "nice": 5, "flags": ["SCHED_FLAG_RESET_ON_FORK"]},
      "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4}
    },
    "root": {"path": "rootfs", "readonly": true},
    "hostname": "box", "domainname": "example",
    "mounts": [{"destination": "/data", "type": "bind", "source": "/srv/data", "options": ["rbind", "idmap"],
                "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
                "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}]}],
    "hooks": {"prestart": [{"path": "/h", "args": ["h", "x"], "env": ["A=b"], "timeout": 3}],
              "createRuntime": [{"path": "/r"}], "createContainer": [{"path": "/c"}],
              "startContainer": [{"path": "/s"}], "poststart": [{"path": "/p"}], "poststop": [{"path": "/q"}]},
    "annotations": {"key": "value"},
    "linux": {
      "namespaces": [{"type": "pid"}, {"type": "network", "path": "/run/netns/a"}, {"type": "time"}, {"type": "user"}],
      "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
      "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
      "timeOffsets": {"boottime": {"secs": -2, "nanosecs": 500000000}},
      "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 8630, "uid": 1, "gid": 2}],
      "cgroupsPath": "/docker/a",
      "resources": {
        "devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": -1, "access": "r"}],
        "memory": {"limit": 1048576, "reservation": -1, "swap": 2097152, "kernel": 1, "kernelTCP": 1, "swappiness": 60,
                   "disableOOMKiller": false, "useHierarchy": true, "checkBeforeUpdate": true},
        "cpu": {"shares": 512, "quota": 50000, "burst": 1, "period": 100000, "realtimeRuntime": 1, "realtimePeriod": 2,
                "cpus": "0-1", "mems": "0", "idle": 0},
        "pids": {"limit": 100},
        "blockIO": {"weight": 500, "leafWeight": 10, "weightDevice": [{"major": 8, "minor": 0, "weight": 500}],
                    "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 600}],
                    "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 300}]},
        "hugepageLimits": [{"pageSize": "2MB", "limit": 209715200}],
        "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
        "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}},
        "unified": {"memory.high": "1000000"}
      },
      "sysctl": {"net.ipv4.ip_forward": "1"},
      "rootfsPropagation": "rslave",
      "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"],
      "mountLabel": "a:b:c:s0",
      "personality": {"domain": "LINUX32"},
      "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"],
                  "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/run/agent", "listenerMetadata": "m",
                  "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}
    }
  })");
}

Expected<OciSpec> Read(const Json& json) {
  return ReadOciSpec(json.dump(), "config.json");
}

TEST(OciSpecJson, ReadsAllOfAProcess) {
  const Expected<OciSpec> spec = Read(FullSpec());
  ASSERT_TRUE(spec.has_value()) << spec.error().message;
  ASSERT_TRUE(spec->process.has_value());
  const OciProcess& process = *spec->process;
  EXPECT_TRUE(process.terminal);
  EXPECT_EQ(process.console_size, (OciConsoleSize{25, 80}));
  EXPECT_EQ(process.user, (OciUser{33, 34, 18, {5, 6}}));
  EXPECT_THAT(process.arguments, ElementsAre("sh", "-c", "true"));
  EXPECT_EQ(process.working_directory, "/srv");
  EXPECT_THAT(process.capabilities.ambient, ElementsAre("CAP_KILL"));
  EXPECT_TRUE(process.capabilities.inheritable.empty());
  EXPECT_THAT(process.rlimits, ElementsAre(Rlimit{"RLIMIT_NOFILE", 1024, 512}));
  EXPECT_EQ(process.oom_score_adj, -5);
  EXPECT_EQ(process.scheduler->nice, 5);
  EXPECT_EQ(process.io_priority, (OciIoPriority{"IOPRIO_CLASS_BE", 4}));
}

TEST(OciSpecJson, ReadsAllOfTheRest) {
  const Expected<OciSpec> spec = Read(FullSpec());
  ASSERT_TRUE(spec.has_value()) << spec.error().message;
  EXPECT_EQ(spec->mounts.front().uid_mappings.front(), (OciIdMapping{0, 1000, 1}));
  EXPECT_EQ(spec->hooks.prestart.front(), (OciHook{"/h", {"h", "x"}, {"A=b"}, 3}));
  EXPECT_EQ(spec->hooks.poststop.front().path, "/q");
  EXPECT_EQ(spec->namespaces[1], (OciNamespace{Namespace::kNetwork, "/run/netns/a"}));
  EXPECT_EQ(spec->time_offsets.at("boottime"), (ClockOffset{-2, 500'000'000}));
  EXPECT_EQ(spec->devices.front(), (OciDevice{"/dev/fuse", 'c', 10, 229, 0666, 1, 2}));
  EXPECT_EQ(spec->root_propagation, (OciPropagationMode{OciPropagation::kSlave, true}));
  EXPECT_EQ(spec->seccomp->listener_path, "/run/agent");
  const OciResources& resources = spec->resources;
  EXPECT_EQ(resources.devices[0], (OciDeviceRule{false, 'a', {}, {}, "rwm"}));
  EXPECT_EQ(resources.devices[1], (OciDeviceRule{true, 'c', 1, {}, "r"}));
  EXPECT_EQ(resources.memory_reservation, -1);
  EXPECT_EQ(resources.cpuset_cpus, "0-1");
  EXPECT_EQ(resources.hugepage_limits.at("2MB"), 209715200U);
  EXPECT_EQ(resources.network_priorities.at("eth0"), 500U);
  EXPECT_EQ(resources.rdma.at("mlx5_1").objects, 10000U);
  EXPECT_EQ(resources.unified.at("memory.high"), "1000000");
}

/// Whatever object a member is added to, it is refused where it stands: nothing is read over.
void AddEverywhere(const Json& document, const Json::json_pointer& at,
                   std::vector<std::string>& read_over) {
  // The free-form objects, whose members are names of the user's.
  const std::string place = at.to_string();
  const bool is_free = place == "/annotations" || place == "/linux/sysctl" ||
                       place == "/linux/resources/unified" || place == "/linux/resources/rdma";
  const Json& here = document.at(at);
  if (here.is_object() && !is_free) {
    Json changed = document;
    changed[at]["xUnknown"] = 1;
    const Expected<OciSpec> read = Read(changed);
    if (read.has_value() || !read.error().message.contains(place + "/xUnknown")) {
      read_over.push_back(place);
    }
  }
  if (here.is_object()) {
    for (const auto& [name, value] : here.items()) {
      AddEverywhere(document, at / name, read_over);
    }
  } else if (here.is_array()) {
    for (std::size_t i = 0; i < here.size(); ++i) {
      AddEverywhere(document, at / i, read_over);
    }
  }
}

TEST(OciSpecJson, AnUnknownMemberIsRefusedWithItsPointerEverywhere) {
  std::vector<std::string> read_over;
  AddEverywhere(FullSpec(), Json::json_pointer(""), read_over);
  EXPECT_THAT(read_over, ElementsAre());
}

/// An array where something else belongs is refused at its place. The members of the seccomp
/// profile are read when it is compiled.
void BreakEverywhere(const Json& document, const Json::json_pointer& at,
                     std::vector<std::string>& taken) {
  const std::string place = at.to_string();
  if (place.starts_with("/linux/seccomp/") || place.starts_with("/process/user/username")) {
    return;
  }
  if (!place.empty()) {
    Json changed = document;
    changed[at] = Json::array({Json::array()});
    const Expected<OciSpec> read = Read(changed);
    if (read.has_value() || !read.error().message.contains(place)) {
      taken.push_back(place);
    }
  }
  const Json& here = document.at(at);
  if (here.is_object()) {
    for (const auto& [name, value] : here.items()) {
      BreakEverywhere(document, at / name, taken);
    }
  } else if (here.is_array()) {
    for (std::size_t i = 0; i < here.size(); ++i) {
      BreakEverywhere(document, at / i, taken);
    }
  }
}

TEST(OciSpecJson, AValueOfTheWrongKindIsRefusedEverywhere) {
  std::vector<std::string> taken;
  BreakEverywhere(FullSpec(), Json::json_pointer(""), taken);
  EXPECT_THAT(taken, ElementsAre());
}

struct Wrong {
  const char* pointer;
  const char* value;
};

class OciSpecMistake : public ::testing::TestWithParam<Wrong> {};

TEST_P(OciSpecMistake, IsRefusedAtItsPlace) {
  Json json = FullSpec();
  const Json::json_pointer place(GetParam().pointer);
  json[place] = Json::parse(GetParam().value);
  const Expected<OciSpec> read = Read(json);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(read.error().message, HasSubstr("config.json: "));
}

INSTANTIATE_TEST_SUITE_P(
    Each, OciSpecMistake,
    ::testing::Values(
        Wrong{"/ociVersion", "\"2.0.0\""}, Wrong{"/process/cwd", "\"relative\""},
        Wrong{"/process/args", "[]"}, Wrong{"/process/args/0", "\"\""},
        Wrong{"/process/args/0", R"("a\u0000b")"}, Wrong{"/process/user/uid", "-1"},
        Wrong{"/process/user/uid", "4294967295"}, Wrong{"/process/user/uid", "\"0\""},
        Wrong{"/process/user/umask", "512"}, Wrong{"/process/rlimits/0/soft", "2048"},
        Wrong{"/process/oomScoreAdj", "1001"}, Wrong{"/process/ioPriority/priority", "8"},
        Wrong{"/mounts/0/destination", "\"data\""}, Wrong{"/mounts/0/gidMappings", "[]"},
        Wrong{"/hooks/prestart/0/timeout", "0"}, Wrong{"/hooks/prestart/0/path", "\"h\""},
        Wrong{"/linux/namespaces/0/type", "\"pids\""},
        Wrong{"/linux/namespaces/1/path", "\"netns\""},
        Wrong{"/linux/namespaces/1/type", "\"pid\""}, Wrong{"/linux/devices/0/type", "\"x\""},
        Wrong{"/linux/devices/0/path", "\"fuse\""},
        Wrong{"/linux/timeOffsets/boottime/nanosecs", "1000000000"},
        Wrong{"/linux/rootfsPropagation", "\"sharing\""},
        Wrong{"/linux/personality/domain", "\"BSD\""},
        Wrong{"/linux/intelRdt", R"({"closID":"a"})"}, Wrong{"/linux/netDevices", R"({"eth0":{}})"},
        Wrong{"/linux/resources/cpu/cpus", R"("0\n1")"},
        Wrong{"/linux/resources/devices/0/access", "\"x\""},
        Wrong{"/linux/resources/devices/0/major", "1"},
        Wrong{"/linux/resources/unified", R"({"../x.y":"1"})"},
        Wrong{"/linux/resources/hugepageLimits/0/pageSize", "\"../2MB\""},
        Wrong{"/linux/uidMappings/0/size", "0"}, Wrong{"/linux/seccomp/listenerPath", "\"\""},
        Wrong{"/linux/sysctl", R"({"net/../x":"1"})"}));

TEST(OciSpecJson, MembersThatAreNullAreNotThere) {
  Json json = FullSpec();
  json["hooks"] = nullptr;
  json["linux"]["seccomp"] = nullptr;
  json["process"]["rlimits"] = nullptr;
  json["linux"]["intelRdt"] = Json::object();
  const Expected<OciSpec> spec = Read(json);
  ASSERT_TRUE(spec.has_value()) << spec.error().message;
  EXPECT_TRUE(spec->hooks.prestart.empty());
  EXPECT_FALSE(spec->seccomp.has_value());
  EXPECT_TRUE(spec->process->rlimits.empty());
}

TEST(OciSpecJson, NeedsAVersionAndARoot) {
  for (const char* const name : {"ociVersion", "root"}) {
    Json json = FullSpec();
    json.erase(name);
    EXPECT_FALSE(Read(json).has_value()) << name;
  }
  Json no_process = FullSpec();
  no_process.erase("process");
  EXPECT_TRUE(Read(no_process).has_value());
}

TEST(OciSpecJson, ADocumentOverTheLimitIsNotRead) {
  const Expected<OciSpec> read = ReadOciSpec(std::string(kMaxOciSpecBytes + 1, ' '), "config.json");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kLimit);
}

TEST(OciSpecJson, ReadsAProcessAndResourcesAlone) {
  const Expected<OciProcess> process = ReadOciProcess(FullSpec()["process"].dump(), "process");
  ASSERT_TRUE(process.has_value()) << process.error().message;
  EXPECT_EQ(process->user.uid, 33U);
  const Expected<OciResources> resources =
      ReadOciResources(FullSpec()["linux"]["resources"].dump(), "-");
  ASSERT_TRUE(resources.has_value()) << resources.error().message;
  EXPECT_EQ(resources->pids_limit, 100);
}

}  // namespace
}  // namespace cordon
