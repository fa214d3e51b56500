// Domains for containers: from cordon's own tables, and against all of Debian's modules.

#include "generator/selinux_container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "common/child_process.h"
#include "common/file.h"
#include "common/text.h"
#include "generator/bundle.h"
#include "generator/cil_writer.h"
#include "generator/selinux_check.h"
#include "generator/selinux_generator.h"
#include "generator/selinux_policy_file.h"
#include "generator/selinux_proof.h"
#include "generator/selinux_replay.h"
#include "generator/selinux_rules.h"
#include "model/policy_bundle.h"
#include "policies/embedded.h"
#include "tests/generator/selinux_recordings.h"
#include "tests/testing/skip.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kTarget = "container:refpolicy-debian12";

SelinuxTarget Target(const std::string& name) {
  Expected<SelinuxTarget> target = LoadSelinuxTarget(name);
  EXPECT_TRUE(target.has_value()) << target.error().message;
  return target.value_or(SelinuxTarget{});
}

SelinuxRules Rules(const Recording& recording, const SelinuxTarget& target) {
  Expected<SelinuxRules> rules =
      BuildSelinuxRules(recording, target, {.module = "boxed", .workload = "boxed"});
  EXPECT_TRUE(rules.has_value()) << rules.error().message;
  return rules.value_or(SelinuxRules{});
}

/// What a rule of the domain allows on `target`.
std::set<std::string> Allowed(const SelinuxRules& rules, const std::string& target,
                              const std::string& object_class) {
  const auto found = rules.policy.allow.find({rules.policy.domain, target, object_class});
  return found == rules.policy.allow.end() ? std::set<std::string>() : found->second.permissions;
}

/// Types of files that a rule of the domain names.
std::set<std::string> FileTypes(const SelinuxRules& rules) {
  std::set<std::string> types;
  for (const auto& [key, rule] : rules.policy.allow) {
    if (key.source == rules.policy.domain &&
        (key.object_class == "file" || key.object_class == "dir")) {
      types.insert(key.target);
    }
  }
  return types;
}

TEST(ContainerTarget, KnowsTheFilesOfTheImageByOneType) {
  const SelinuxTarget target = Target(kTarget);
  const Expected<FileLabels> labels = TargetLabels(target, target.file_contexts);
  ASSERT_TRUE(labels.has_value()) << labels.error().message;
  for (const char* const path :
       {"/etc/shadow", "/usr/bin/env", "/var/lib/x", "/dev/shm/y", "/tmp/z"}) {
    EXPECT_EQ(labels->TypeOf(path, FileClass::kFile), "container_file_t") << path;
  }
  EXPECT_EQ(labels->TypeOf("/dev/null", FileClass::kCharacter), "container_file_t");
  EXPECT_EQ(labels->TypeOf("/dev/pts/0", FileClass::kCharacter), "container_file_t");
  EXPECT_EQ(labels->TypeOf("/proc/meminfo", FileClass::kFile), "proc_t");
  EXPECT_EQ(labels->TypeOf("/proc/self/stat", FileClass::kFile), "self");
  EXPECT_EQ(labels->TypeOf("/proc/sys/kernel/osrelease", FileClass::kFile), "sysctl_kernel_t");
  EXPECT_EQ(labels->TypeOf("/sys/devices/x", FileClass::kFile), "sysfs_t");
}

TEST(ContainerTarget, GivesTheDomainTheContainersFilesAndNoneOfTheHosts) {
  const SelinuxRules rules = Rules(testing::TinyServer(), Target(kTarget));
  EXPECT_THAT(FileTypes(rules), Contains("container_file_t"));
  for (const std::string& type : FileTypes(rules)) {
    EXPECT_TRUE(type == "container_file_t" || type == "self" || type.starts_with("proc") ||
                type.starts_with("sys") || type.starts_with("boxed_"))
        << type;
  }
  EXPECT_TRUE(rules.policy.file_contexts.empty());
  EXPECT_TRUE(rules.policy.ports.empty());
  EXPECT_THAT(rules.policy.types.at("boxed_t").attributes,
              ElementsAre("domain", "mcs_constrained_type"));
  EXPECT_EQ(rules.policy.role_types.size(), 1U);
  EXPECT_TRUE(rules.policy.role_types.contains("system_r"));
}

TEST(ContainerTarget, AllowsOfTheOneTypeOnlyWhatWasSeen) {
  Recording recording;
  testing::AddProgramStart(&recording, "/usr/sbin/reader");
  testing::AddFile(&recording, "/etc/reader.conf", FileClass::kFile,
                   {FileAccess::kOpen, FileAccess::kRead});
  const SelinuxTarget target = Target(kTarget);
  const std::set<std::string> reads = Allowed(Rules(recording, target), "container_file_t", "file");
  EXPECT_THAT(reads, Contains("read"));
  EXPECT_THAT(reads, Contains("entrypoint"));
  for (const char* const more :
       {"write", "append", "create", "unlink", "execute_no_trans", "setattr"}) {
    EXPECT_THAT(reads, Not(Contains(more)));
  }
  EXPECT_THAT(Allowed(Rules(recording, target), "container_file_t", "dir"), Not(Contains("write")));
  testing::AddFile(&recording, "/data/log", FileClass::kFile,
                   {FileAccess::kOpen, FileAccess::kAppend});
  EXPECT_THAT(Allowed(Rules(recording, target), "container_file_t", "file"), Contains("append"));
}

TEST(ContainerTarget, LeavesPortsAndServersOfTheHostAlone) {
  Recording recording;
  testing::AddProgramStart(&recording, "/usr/sbin/server");
  testing::AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kCreate);
  testing::AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kBind, "0.0.0.0", 7777);
  testing::AddSocket(&recording, AF_UNIX, SOCK_DGRAM, SocketOperation::kCreate);
  testing::AddSocket(&recording, AF_UNIX, SOCK_DGRAM, SocketOperation::kConnect, "/dev/log");
  const SelinuxRules boxed = Rules(recording, Target(kTarget));
  const SelinuxRules daemon = Rules(recording, Target("refpolicy-debian12"));
  EXPECT_THAT(Allowed(boxed, "unreserved_port_t", "tcp_socket"), ElementsAre("name_bind"));
  EXPECT_TRUE(boxed.policy.ports.empty());
  EXPECT_EQ(daemon.policy.ports.size(), 1U);
  EXPECT_THAT(Allowed(boxed, "syslogd_t", "unix_dgram_socket"), IsEmpty());
  EXPECT_THAT(Allowed(daemon, "syslogd_t", "unix_dgram_socket"), Contains("sendto"));
  EXPECT_THAT(boxed.blind_spots, Contains(HasSubstr("/dev/log")));
}

TEST(ContainerTarget, IsEnteredFromTheEnginesThatThePolicyHas) {
  const std::string names = std::string(policies::kSelinuxDebian12Symbols) +
                            "\ntype container_file_t\ntype container_runtime_t\n";
  Expected<SelinuxTarget> target =
      TargetFromTables("with-engines", names, policies::kSelinuxDebian12Places);
  ASSERT_TRUE(target.has_value()) << target.error().message;
  MakeContainerTarget(&*target);
  EXPECT_TRUE(target->companions.empty());
  const SelinuxRules rules = Rules(testing::TinyServer(), *target);
  EXPECT_THAT(rules.policy.attributes.at("boxed_launcher"), ElementsAre("container_runtime_t"));
  const SelinuxRules without = Rules(testing::TinyServer(), Target(kTarget));
  EXPECT_THAT(without.policy.attributes.at("boxed_launcher"), Contains("unconfined_t"));
}

TEST(ContainerTarget, AllowsCapabilitiesInUserNamespacesToo) {
  Recording recording = testing::TinyServer();
  recording.capabilities["CAP_CHOWN"] = {};
  const SelinuxRules rules = Rules(recording, Target(kTarget));
  EXPECT_THAT(Allowed(rules, "self", "capability"), Contains("chown"));
  EXPECT_THAT(Allowed(rules, "self", "cap_userns"), Contains("chown"));
  EXPECT_THAT(Allowed(rules, "self", "cap_userns"), Not(Contains("sys_admin")));
}

TEST(ContainerTarget, BringsTheTypesThatThePolicyLacks) {
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(testing::TinyServer(), {.name = "boxed", .target = kTarget});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  const auto types = generated->files.find(std::string(kContainerTypesFile));
  ASSERT_NE(types, generated->files.end());
  EXPECT_THAT(types->second, HasSubstr("(type container_file_t)"));
  EXPECT_THAT(types->second, HasSubstr("(type container_ro_file_t)"));
  EXPECT_THAT(generated->files.at("boxed.cil"), Not(HasSubstr("(type container_file_t)")));
  EXPECT_THAT(generated->summary,
              Contains(HasSubstr("semodule -i cordon_container.cil boxed.cil")));
  EXPECT_THAT(generated->summary, Contains(HasSubstr("label=type:boxed_t")));
  const nlohmann::json proof = nlohmann::json::parse(generated->proof_json, nullptr, false);
  EXPECT_EQ(proof["target"]["name"], kTarget);
  EXPECT_EQ(proof["recorded_accesses"], proof["allowed"]);
  EXPECT_FALSE(proof.contains("kept_apart_by_categories"));  // of names alone nobody knows
  EXPECT_EQ(proof["must_stay_denied"]["denied"], proof["must_stay_denied"]["asked"]);
}

TEST(ContainerTarget, KnowsFedorasNames) {
  const SelinuxTarget target = Target("fedora-container");
  EXPECT_THAT(target.version, HasSubstr("container-selinux"));
  EXPECT_TRUE(target.companions.empty());
  EXPECT_TRUE(target.facts.HasPermission("user_namespace", "create"));
  EXPECT_TRUE(target.facts.HasPermission("file", "map"));  // of the common
  EXPECT_FALSE(target.facts.types.contains("alias"));
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(testing::TinyServer(), {.name = "boxed", .target = "fedora-container"});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  const nlohmann::json proof = nlohmann::json::parse(generated->proof_json, nullptr, false);
  EXPECT_EQ(proof["target"]["name"], "fedora-container");
  EXPECT_GT(proof["recorded_accesses"].get<int>(), 100);
  EXPECT_EQ(proof["recorded_accesses"], proof["allowed"]);
  EXPECT_THAT(proof["launchable_from"].dump(), HasSubstr("container_runtime_t"));
  EXPECT_THAT(proof["launchable_from"].dump(), Not(HasSubstr("unconfined_t")));
  EXPECT_THAT(proof["withheld"].dump(), HasSubstr("read on container_var_lib_t:file"));
  EXPECT_THAT(proof["withheld"].dump(), HasSubstr("connectto on container_runtime_t"));
  EXPECT_FALSE(generated->files.contains(std::string(kContainerTypesFile)));
}

TEST(ContainerTarget, IsReplayedWithTheLabelsOfAContainer) {
  const Recording recording = testing::TinyServer();
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(recording, {.name = "boxed", .target = kTarget});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  const auto refused = [&](const std::string& target, const Recording& replayed) {
    const Expected<SelinuxPolicyFile> file =
        ReadSelinuxPolicyFile("boxed.cil", generated->files.at("boxed.cil"), SelinuxFileKind::kCil,
                              {.target = target, .file_contexts = {}});
    EXPECT_TRUE(file.has_value()) << file.error().message;
    const Expected<SelinuxReplay> replay = ReplayRecording(*file, "", replayed);
    EXPECT_TRUE(replay.has_value()) << replay.error().message;
    return replay->Refused();
  };
  EXPECT_EQ(refused(kTarget, recording), 0U);
  Recording more = recording;
  testing::AddFile(&more, "/etc/tinyd/tinyd.conf", FileClass::kFile, {FileAccess::kLink});
  EXPECT_GT(refused(kTarget, more), 0U);
}

TEST(ContainerTarget, IsReadBackByTheModuleOfTheWorkload) {
  const Expected<GeneratedBundle> generated =
      GenerateBundle(testing::TinyServer(), {.name = "sandboxed", .selinux_target = kTarget});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  // Both modules, of which the other comes first.
  EXPECT_TRUE(generated->files.contains(std::string(kContainerTypesFile)));
  const Expected<PolicyBundle> bundle = ParsePolicyBundle(generated->files, "sandboxed.policy");
  ASSERT_TRUE(bundle.has_value()) << bundle.error().message;
  EXPECT_EQ(bundle->selinux_module, generated->files.at("sandboxed.cil"));
}

TEST(ContainerTarget, IsNoNameOfAPolicy) {
  const Expected<SelinuxTarget> target = LoadSelinuxTarget("container:/nowhere");
  ASSERT_FALSE(target.has_value());
  EXPECT_EQ(target.error().code, ErrorCode::kNotFound);
}

/// All of Debian's modules, neverallow rules on.
class ContainerOnDebian : public ::testing::Test {
 protected:
  void SetUp() override {
    const Expected<ProgramOutput> fetched =
        RunProgram({"bash", CORDON_DEBIAN_POLICY_SCRIPT}, std::chrono::minutes(5));
    ASSERT_TRUE(fetched.has_value()) << fetched.error().message;
    if (fetched->exit_code == 77) {
      SKIP_BECAUSE(fetched->standard_error);
    }
    target_ = Target("container:" + Split(fetched->standard_output, '\n').front());
  }

  SelinuxProof Prove(const SelinuxRules& rules) {
    const Expected<CompiledSelinux> compiled = CompileSelinux(
        target_.modules, {"boxed", WriteCil(rules.policy, {})}, NeverallowCheck::kOn);
    EXPECT_TRUE(compiled.has_value()) << compiled.error().message;
    const Expected<SelinuxProof> proof = ProveSelinux(rules, target_, *compiled);
    EXPECT_TRUE(proof.has_value()) << proof.error().message;
    policy_ = compiled->policy;
    return proof.value_or(SelinuxProof{});
  }

  SelinuxTarget target_;
  std::string policy_;
};

TEST_F(ContainerOnDebian, HoldsAndKeepsContainersApart) {
  SelinuxRules rules = Rules(testing::TinyServer(), target_);
  for (const SelinuxProof& proof : {Prove(Rules(testing::NginxServer(), target_)), Prove(rules)}) {
    EXPECT_THAT(proof.denied, IsEmpty());
    EXPECT_GT(proof.asked, 50U);
    EXPECT_THAT(proof.surplus, IsEmpty());
    EXPECT_THAT(proof.wanted, IsEmpty());
    EXPECT_THAT(proof.launchable_from, Contains("kernel_t"));
    EXPECT_EQ(proof.kept_apart, true);
  }
  // The control: without the attribute that the constraints are about, nothing does.
  rules.policy.types.at("boxed_t").attributes.erase("mcs_constrained_type");
  EXPECT_EQ(Prove(rules).kept_apart, false);
}

TEST_F(ContainerOnDebian, StaysOutOfTheHost) {
  const SelinuxRules rules = Rules(testing::TinyServer(), target_);
  (void)Prove(rules);
  const auto ask = [](const std::string& source, const std::string& type,
                      const std::string& permission) {
    return MakeQuestion(source, type, "file", {permission});
  };
  // Files of the host that the daemon was seen reading, and others; unconfined_t may.
  constexpr auto kTypes = std::to_array<const char*>(
      {"bin_t", "etc_t", "shadow_t", "user_home_t", "usr_t", "var_lib_t", "var_log_t"});
  std::vector<SelinuxQuestion> questions;
  for (const char* const type : kTypes) {
    questions.push_back(ask("boxed_t", type, "read"));
    questions.push_back(ask("unconfined_t", type, "read"));
  }
  questions.push_back(ask("boxed_t", "container_file_t", "read"));
  const Expected<std::vector<SelinuxAnswer>> answers = AskSelinux(policy_, questions);
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    EXPECT_FALSE((*answers)[2 * i].missing.empty()) << kTypes[i];
    EXPECT_TRUE((*answers)[(2 * i) + 1].missing.empty()) << kTypes[i];
  }
  EXPECT_TRUE(answers->back().missing.empty());
}

}  // namespace
}  // namespace cordon
