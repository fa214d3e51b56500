#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "model/default_sandbox.h"
#include "runtime/host_features.h"
#include "tests/runtime/sandbox_fixture.h"
#include "tests/testing/skip.h"
#include "tests/testing/temp_dir.h"

namespace cordon::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

int LandlockAbi() {
  const Expected<HostFeatures> host = ProbeHost();
  return host ? host->landlock_abi : 0;
}

/// Held to a written policy, as root and as an ordinary user.
class HeldToPolicy : public ::testing::TestWithParam<Caller> {
 protected:
  void SetUp() override {
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
    config_ = DefaultSandbox();
    config_.mounts.push_back({"/mnt", "bind", Victim(""), {"rbind", "ro"}});
  }

  void Write(const SeccompPolicy& policy) { WriteBundle(folder_ / "test.policy", config_, policy); }

  ProgramOutput Run(std::vector<std::string> options, const std::vector<std::string>& command) {
    options.insert(options.begin(), {"--policy", folder_ / "test.policy"});
    options.emplace_back("--");
    options.insert(options.end(), command.begin(), command.end());
    return CordonRun(options, GetParam());
  }

  TempDir folder_;
  SandboxConfig config_;
};

INSTANTIATE_TEST_SUITE_P(Callers, HeldToPolicy, ::testing::Values(Caller::kSelf, Caller::kNobody),
                         [](const auto& test) {
                           return test.param == Caller::kSelf ? "self" : "ordinary";
                         });

TEST_P(HeldToPolicy, RefusedCallsAreReportedWithArgumentsProcessAndRule) {
  Write(AllBut({"socket", "unshare"}));
  const ProgramOutput refused = Run({}, {"/mnt/syscall_probe", "unshare", "packet_socket"});
  EXPECT_EQ(refused.exit_code, 0);
  EXPECT_THAT(refused.standard_output, HasSubstr("unshare EPERM\n"));
  EXPECT_THAT(refused.standard_output, HasSubstr("packet_socket EPERM\n"));
  EXPECT_THAT(refused.standard_error, HasSubstr("refused socket(AF_PACKET, SOCK_"));
  EXPECT_THAT(refused.standard_error, HasSubstr("= EPERM by 'syscall_probe' (pid "));
  EXPECT_THAT(refused.standard_error,
              HasSubstr(R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,)"));
  EXPECT_THAT(refused.standard_error, HasSubstr("refused unshare("));
  EXPECT_THAT(refused.standard_error, Not(HasSubstr("compiled anew")));
}

TEST_P(HeldToPolicy, TheControlIsNotRefused) {
  Write(AllBut({"vhangup"}));
  config_.capabilities.insert("CAP_SYS_ADMIN");
  config_.capabilities.insert("CAP_NET_RAW");
  Write(AllBut({"vhangup"}));
  const ProgramOutput output = Run({}, {"/mnt/syscall_probe", "unshare", "packet_socket"});
  EXPECT_EQ(output.standard_output, "unshare ok\npacket_socket ok\n") << output.standard_error;
  EXPECT_THAT(output.standard_error, Not(HasSubstr("refused")));
}

TEST_P(HeldToPolicy, WithoutNoNewPrivilegesTooAndWithNoMoreCapabilities) {
  config_.landlock = std::vector<LandlockRule>{{"/", {"read_file", "read_dir", "execute"}}};
  const std::vector<std::string> command = {"/bin/sh", "-c",
                                            "cat /proc/self/status; /mnt/syscall_probe unshare"};
  for (const bool no_new_privileges : {true, false}) {
    config_.no_new_privileges = no_new_privileges;
    std::filesystem::remove_all(folder_ / "test.policy");
    Write(AllBut({"unshare"}));
    const ProgramOutput output = Run({"--allow-degraded", "files"}, command);
    EXPECT_EQ(output.exit_code, 0) << output.standard_error;
    EXPECT_EQ(StatusField(output.standard_output, "NoNewPrivs"), no_new_privileges ? "1" : "0");
    EXPECT_EQ(StatusField(output.standard_output, "Seccomp"), "2");
    const std::uint64_t effective =
        std::stoull(StatusField(output.standard_output, "CapEff"), nullptr, 16);
    EXPECT_EQ(effective & (std::uint64_t{1} << 21), 0U) << "CAP_SYS_ADMIN is left";
    EXPECT_THAT(output.standard_output, HasSubstr("unshare EPERM\n"));
  }
}

TEST_P(HeldToPolicy, OtherErrnosAreGivenAsThePolicySays) {
  SeccompPolicy policy = AllBut({"clone3"});
  policy.rules[0].action = SeccompAction::Errno(ENOSYS);
  Write(policy);
  EXPECT_THAT(Run({}, {"/mnt/syscall_probe", "clone3"}).standard_output,
              HasSubstr("clone3 ENOSYS"));
}

TEST_P(HeldToPolicy, TheFilterIsInForceInTheWorkloadAndItsChildren) {
  Write(AllBut({"vhangup"}));
  const ProgramOutput output = Run({}, {"/bin/sh", "-c", "cat /proc/self/status; :"});
  EXPECT_EQ(StatusField(output.standard_output, "Seccomp"), "2") << output.standard_error;
  EXPECT_EQ(StatusField(output.standard_output, "NoNewPrivs"), "1");
}

TEST_P(HeldToPolicy, SilentReportsRefuseAllTheSame) {
  Write(AllBut({"unshare"}));
  const ProgramOutput output = Run({"--report", "none"}, {"/mnt/syscall_probe", "unshare"});
  EXPECT_THAT(output.standard_output, HasSubstr("unshare EPERM"));
  EXPECT_THAT(output.standard_error, Not(HasSubstr("refused")));
}

TEST_P(HeldToPolicy, AuditRefusesNothingAndReportsEverything) {
  config_.capabilities.insert("CAP_SYS_ADMIN");
  config_.landlock.emplace();
  Write(AllBut({"unshare"}));
  const ProgramOutput output = Run({"--audit"}, {"/mnt/syscall_probe", "unshare"});
  EXPECT_THAT(output.standard_output, HasSubstr("unshare ok")) << output.standard_error;
  EXPECT_THAT(output.standard_error, HasSubstr("would refuse unshare("));
}

TEST_P(HeldToPolicy, RepetitionsAreCounted) {
  Write(AllBut({"unshare"}));
  const ProgramOutput output = Run({}, {"/mnt/syscall_probe", "unshare", "unshare", "unshare"});
  const std::string& said = output.standard_error;
  EXPECT_EQ(said.find("refused unshare"), said.rfind("refused unshare")) << said;
  EXPECT_THAT(said, HasSubstr("3 violations in all, 2 of them"));
}

TEST_P(HeldToPolicy, AStaleFilterIsCompiledAnewAndSaidSo) {
  Write(AllBut({"unshare"}));
  // A rule that the user added by hand.
  std::ofstream(folder_ / "test.policy/seccomp.json", std::ios::app) << "\n";
  const ProgramOutput output = Run({}, {"/mnt/syscall_probe", "unshare"});
  EXPECT_THAT(output.standard_output, HasSubstr("unshare EPERM"));
  EXPECT_THAT(output.standard_error, HasSubstr("seccomp.bpf: compiled anew"));
}

TEST_P(HeldToPolicy, ExecutionMayBeRefusedToo) {
  Write(AllBut({"execve"}));
  const ProgramOutput output = Run({}, {"/bin/true"});
  EXPECT_EQ(output.exit_code, 126);
  EXPECT_THAT(output.standard_error, HasSubstr("refused execve("));
}

TEST_P(HeldToPolicy, ListedCapabilitiesOnly) {
  config_.capabilities = {"CAP_CHOWN"};
  Write(AllBut({"vhangup"}));
  const ProgramOutput output = Run({}, {"/bin/cat", "/proc/self/status"});
  EXPECT_EQ(StatusField(output.standard_output, "CapEff"), "0000000000000001")
      << output.standard_error;
  EXPECT_EQ(StatusField(output.standard_output, "CapBnd"), "0000000000000001");
}

TEST_P(HeldToPolicy, RlimitsAreSetAndClamped) {
  config_.rlimits = {{"RLIMIT_NOFILE", 512, 256}, {"RLIMIT_CORE", ~std::uint64_t{0}, 0}};
  Write(AllBut({"vhangup"}));
  const ProgramOutput output = Run({}, {"/bin/sh", "-c", "ulimit -Sn; ulimit -Hn"});
  EXPECT_EQ(output.standard_output, "256\n512\n") << output.standard_error;
}

/// The Landlock part: a file that the policy names, and its neighbour.
class HeldByLandlock : public HeldToPolicy {
 protected:
  void SetUp() override {
    HeldToPolicy::SetUp();
    if (LandlockAbi() == 0) {
      SKIP_BECAUSE("this kernel has no Landlock");
    }
    std::filesystem::create_directory(folder_ / "data");
    std::filesystem::permissions(folder_ / "data", std::filesystem::perms::all);
    std::ofstream(folder_ / "data/seen") << "seen\n";
    std::ofstream(folder_ / "data/unseen") << "unseen\n";
    config_.mounts.push_back({"/srv", "bind", folder_ / "data", {"rbind", "rw"}});
    config_.landlock = {{"/usr", {"execute", "read_file", "read_dir"}},
                        {"/lib", {"execute", "read_file"}},
                        {"/lib64", {"execute", "read_file"}},
                        {"/bin", {"execute", "read_file"}},
                        {"/etc/ld.so.cache", {"read_file"}},
                        {"/srv/seen", {"read_file"}},
                        {"/dev/null", {"read_file", "write_file"}}};
  }
};

INSTANTIATE_TEST_SUITE_P(Callers, HeldByLandlock, ::testing::Values(Caller::kSelf, Caller::kNobody),
                         [](const auto& test) {
                           return test.param == Caller::kSelf ? "self" : "ordinary";
                         });

TEST_P(HeldByLandlock, FilesOutsideThePolicyAreRefused) {
  Write(AllBut({"vhangup"}));
  const ProgramOutput output = Run({}, {"/bin/cat", "/srv/seen", "/srv/unseen"});
  EXPECT_EQ(output.standard_output, "seen\n");
  EXPECT_THAT(output.standard_error, HasSubstr("/srv/unseen: Permission denied"));
  EXPECT_THAT(output.standard_error, HasSubstr("files are held by Landlock (ABI "));
}

TEST_P(HeldByLandlock, TheControlWithoutFilePartReadsBoth) {
  config_.landlock.reset();
  Write(AllBut({"vhangup"}));
  const ProgramOutput output = Run({}, {"/bin/cat", "/srv/seen", "/srv/unseen"});
  EXPECT_EQ(output.standard_output, "seen\nunseen\n") << output.standard_error;
}

TEST_P(HeldByLandlock, CreatingNeedsARule) {
  Write(AllBut({"vhangup"}));
  EXPECT_THAT(Run({}, {"/usr/bin/touch", "/srv/new"}).standard_error,
              HasSubstr("Permission denied"));
  config_.landlock->push_back({"/srv", {"make_reg", "write_file", "read_file"}});
  Write(AllBut({"vhangup"}));
  const ProgramOutput output = Run({}, {"/usr/bin/touch", "/srv/new"});
  EXPECT_EQ(output.exit_code, 0) << output.standard_error;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "data/new"));
}

TEST_P(HeldByLandlock, AuditHoldsNoFile) {
  Write(AllBut({"vhangup"}));
  const ProgramOutput output = Run({"--audit"}, {"/bin/cat", "/srv/unseen"});
  EXPECT_EQ(output.standard_output, "unseen\n") << output.standard_error;
}

TEST_P(HeldByLandlock, ARuleForAMissingFileIsLeftOutAloud) {
  config_.landlock->push_back({"/srv/gone", {"read_file"}});
  Write(AllBut({"vhangup"}));
  const ProgramOutput output = Run({}, {"/bin/cat", "/srv/seen"});
  EXPECT_EQ(output.exit_code, 0);
  EXPECT_THAT(
      output.standard_error,
      HasSubstr(
          "adding the Landlock rule for '/srv/gone' was left out: No such file or directory"));
}

TEST_P(HeldByLandlock, SelinuxIsInsistedOnInVain) {
  const Expected<HostFeatures> host = ProbeHost();
  if (host && host->selinux == SelinuxState::kEnforcing) {
    SKIP_BECAUSE("SELinux enforces here");
  }
  config_.selinux_label = "system_u:system_r:test_t:s0";
  Write(AllBut({"vhangup"}));
  const ProgramOutput output = Run({"--require", "selinux"}, {"true"});
  EXPECT_EQ(output.exit_code, 125);
  EXPECT_THAT(output.standard_error, HasSubstr("the file part of the policy cannot be held"));
}

TEST_P(HeldByLandlock, AFilePartThatNobodyHoldsFailsClosed) {
  const Expected<HostFeatures> host = ProbeHost();
  if (host && host->selinux == SelinuxState::kEnforcing) {
    SKIP_BECAUSE("SELinux enforces here");
  }
  config_.landlock.reset();
  config_.selinux_label = "system_u:system_r:test_t:s0";
  Write(AllBut({"vhangup"}));
  const ProgramOutput refused = Run({}, {"/bin/echo", "ran"});
  EXPECT_EQ(refused.exit_code, 125);
  EXPECT_EQ(refused.standard_output, "");
  const ProgramOutput degraded = Run({"--allow-degraded", "files"}, {"/bin/echo", "ran"});
  EXPECT_EQ(degraded.standard_output, "ran\n");
  EXPECT_THAT(degraded.standard_error, HasSubstr("files are NOT held"));
}

}  // namespace
}  // namespace cordon::testing
