#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "common/text.h"
#include "model/default_sandbox.h"
#include "runtime/host_features.h"
#include "tests/runtime/sandbox_fixture.h"
#include "tests/testing/skip.h"
#include "tests/testing/temp_dir.h"

namespace cordon::testing {
namespace {

using ::testing::HasSubstr;

/// What holds for every caller: as root, and as an ordinary user.
class Sandbox : public ::testing::TestWithParam<Caller> {
 protected:
  ProgramOutput Run(const std::vector<std::string>& arguments) const {
    return CordonRun(arguments, GetParam());
  }

  ProgramOutput Shell(const std::string& script) const {
    return Run({"--", "/bin/sh", "-c", script});
  }
};

INSTANTIATE_TEST_SUITE_P(Callers, Sandbox, ::testing::Values(Caller::kSelf, Caller::kNobody),
                         [](const auto& test) {
                           return test.param == Caller::kSelf ? "self" : "ordinary";
                         });

TEST_P(Sandbox, IsInNamespacesOfItsOwn) {
  for (const std::string name : {"pid", "mnt", "uts", "ipc", "cgroup", "net"}) {
    const std::string link = "/proc/self/ns/" + name;
    const ProgramOutput inside = Run({"--", "/usr/bin/readlink", link});
    ASSERT_EQ(inside.exit_code, 0) << inside.standard_error;
    EXPECT_THAT(inside.standard_output, HasSubstr(name + ":["));
    EXPECT_NE(inside.standard_output, Directly({"/usr/bin/readlink", link}).standard_output);
  }
}

TEST_P(Sandbox, HasAUserNamespaceOnlyForOrdinaryCallers) {
  const std::string outside = Directly({"/usr/bin/readlink", "/proc/self/ns/user"}).standard_output;
  const ProgramOutput inside = Run({"--", "/usr/bin/readlink", "/proc/self/ns/user"});
  EXPECT_EQ(inside.standard_output == outside, GetParam() == Caller::kSelf && IsRoot())
      << inside.standard_error;
  const ProgramOutput forced = Run({"--userns", "--", "/usr/bin/readlink", "/proc/self/ns/user"});
  EXPECT_NE(forced.standard_output, outside) << forced.standard_error;
}

TEST_P(Sandbox, SeesItsOwnProcessesOnly) {
  const ProgramOutput output = Shell("set -- /proc/[0-9]*; echo $#; readlink /proc/1/exe; echo $$");
  EXPECT_EQ(output.standard_output, "2\n2\n")
      << output.standard_error;  // PID 1 is not to be looked into
}

TEST_P(Sandbox, HasItsOwnHostname) {
  EXPECT_EQ(Run({"--hostname", "inside", "--", "/bin/hostname"}).standard_output, "inside\n");
}

TEST_P(Sandbox, HasNothingButLoopback) {
  const ProgramOutput output = Shell(
      "cat /proc/net/dev | tail -n +3 | cut -d: -f1; cat /sys/class/net/lo/operstate "
      "/sys/class/net/lo/flags");
  EXPECT_EQ(output.standard_output, "    lo\nunknown\n0x9\n") << output.standard_error;
}

TEST_P(Sandbox, SeesTheRootButCannotWriteIt) {
  const TempDir folder;  // beneath /tmp: not there inside
  const ProgramOutput output = Shell(
      "test -x /bin/ls && echo root; touch /etc/cordon-test 2>&1; touch /tmp/mine && echo tmp; ls "
      "-d " +
      folder.path() + " 2>&1");
  EXPECT_THAT(output.standard_output, HasSubstr("root\n"));
  EXPECT_THAT(output.standard_output, HasSubstr("Read-only file system"));
  EXPECT_THAT(output.standard_output, HasSubstr("tmp\n"));
  EXPECT_THAT(output.standard_output, HasSubstr("No such file"));
  EXPECT_FALSE(std::filesystem::exists("/etc/cordon-test"));
  EXPECT_FALSE(std::filesystem::exists("/tmp/mine"));
}

TEST_P(Sandbox, ReadOnlyHoldsForEveryMountOfTheRoot) {
  // A read-only flag on the top mount alone would leave those below writable.
  const ProgramOutput output = Run({"--", "/bin/cat", "/proc/self/mountinfo"});
  ASSERT_EQ(output.exit_code, 0) << output.standard_error;
  std::size_t checked = 0;
  for (const std::string& line : Split(output.standard_output, '\n')) {
    const std::vector<std::string> fields = Split(line, ' ');
    if (fields.size() < 6) {
      continue;
    }
    const std::string& point = fields[4];
    if (point.starts_with("/dev") || point.starts_with("/proc") || point == "/tmp") {
      continue;  // the sandbox's own
    }
    ++checked;
    EXPECT_THAT("," + fields[5] + ",", HasSubstr(",ro,")) << line;
  }
  EXPECT_GE(checked, 1U);
}

TEST_P(Sandbox, HasItsOwnDevices) {
  const ProgramOutput output = Shell(
      "head -c 4 /dev/zero | wc -c; echo gone > /dev/null && echo null; ls /dev | tr '\\n' ' '; "
      "stat -c %t:%T /dev/null; ls /dev/pts /dev/shm");
  EXPECT_THAT(output.standard_output, HasSubstr("4\nnull\n"));
  EXPECT_THAT(
      output.standard_output,
      HasSubstr("fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"));
  EXPECT_THAT(output.standard_output, HasSubstr("1:3\n"));
}

TEST_P(Sandbox, MasksWhatWouldShowOrChangeTheHost) {
  const ProgramOutput output =
      Shell("cat /proc/kcore | wc -c; echo 1 > /proc/sys/kernel/panic; ls /sys/firmware | wc -l");
  EXPECT_EQ(output.standard_output, "0\n0\n") << output.standard_error;
  EXPECT_THAT(output.standard_error, HasSubstr("/proc/sys/kernel/panic: "));
}

TEST_P(Sandbox, CannotGainPrivileges) {
  const ProgramOutput output = Run({"--", "/bin/cat", "/proc/self/status"});
  EXPECT_EQ(StatusField(output.standard_output, "NoNewPrivs"), "1");
  EXPECT_EQ(StatusField(output.standard_output, "CapInh"), "0000000000000000");
  EXPECT_EQ(StatusField(output.standard_output, "CapAmb"), "0000000000000000");
  // Podman's default set; without CAP_SYS_ADMIN, CAP_NET_RAW, CAP_SYS_PTRACE.
  EXPECT_EQ(StatusField(output.standard_output, "CapEff"), "00000000800405fb");
  EXPECT_EQ(StatusField(output.standard_output, "CapBnd"), "00000000800405fb");
}

TEST_P(Sandbox, LosesTheCapabilityToMount) {
  const ProgramOutput inside =
      Run({"--volume", Victim("") + ":/mnt:ro", "--", "/mnt/syscall_probe", "mount"});
  EXPECT_THAT(inside.standard_output, HasSubstr("mount EPERM")) << inside.standard_error;
  if (IsRoot()) {
    EXPECT_THAT(Directly({Victim("syscall_probe"), "mount"}).standard_output,
                HasSubstr("mount ok"));
  }
}

TEST_P(Sandbox, PassesExitCodesAndSignalsOn) {
  EXPECT_EQ(Shell("exit 42").exit_code, 42);
  EXPECT_EQ(Shell("kill -9 $$").exit_code, 137);
  EXPECT_EQ(Shell("kill -TERM $$").exit_code, 143);
  EXPECT_EQ(Run({"--", "/nonexistent"}).exit_code, 127);
  EXPECT_EQ(Run({"--", "no-such-program-anywhere"}).exit_code, 127);
  EXPECT_EQ(Run({"--", "/etc/passwd"}).exit_code, 126);
  EXPECT_EQ(Run({"--", "true"}).exit_code, 0);
}

TEST_P(Sandbox, NamesTheStepThatFailed) {
  const ProgramOutput output = Run({"--volume", "/usr:/nowhere/at/all", "--", "true"});
  EXPECT_EQ(output.exit_code, 125);
  EXPECT_THAT(
      output.standard_error,
      HasSubstr("finding the place of the mount on '/nowhere/at/all': Read-only file system"));
}

TEST_P(Sandbox, LeaksNoDescriptor) {
  // 0, 1, 2, and the one that ls has open.
  const ProgramOutput output = Shell("exec ls /proc/self/fd");
  EXPECT_EQ(output.standard_output, "0\n1\n2\n3\n") << output.standard_error;
}

TEST_P(Sandbox, EndsWithItsFirstProcessAndTakesTheOthersAlong) {
  const ProgramOutput output = Shell("sleep 1000 & exit 3");
  EXPECT_EQ(output.exit_code, 3) << output.standard_error;
}

TEST_P(Sandbox, ReapsOrphans) {
  const ProgramOutput output = Shell(
      "(sh -c 'exit 0' &) ; i=0; while ls -d /proc/[0-9]*/status | xargs grep -l 'Z (zombie)' && [ "
      "$i -lt 50 ]; do i=$((i+1)); sleep 0.1; done 2>/dev/null; [ $i -lt 50 ]");
  EXPECT_EQ(output.exit_code, 0) << output.standard_output << output.standard_error;
}

TEST_P(Sandbox, VolumesShowAndProtectTheHostsFiles) {
  const TempDir folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  std::ofstream(folder / "file") << "content\n";
  const ProgramOutput read = Run({"--volume", folder.path() + ":/mnt:ro", "--", "/bin/sh", "-c",
                                  "cat /mnt/file; touch /mnt/new"});
  EXPECT_EQ(read.standard_output, "content\n");
  EXPECT_THAT(read.standard_error, HasSubstr("Read-only file system"));
  EXPECT_FALSE(std::filesystem::exists(folder / "new"));
  const ProgramOutput written = Run({"--volume", folder.path() + ":/tmp/deep/inside", "--",
                                     "/bin/touch", "/tmp/deep/inside/new"});
  EXPECT_EQ(written.exit_code, 0) << written.standard_error;
  EXPECT_TRUE(std::filesystem::exists(folder / "new"));
}

TEST(SandboxLimits, MemoryIsHeld) {
  if (!IsRoot()) {
    SKIP_BECAUSE("cgroups need root here");
  }
  const std::vector<std::string> hog{"--volume", Victim("") + ":/mnt:ro"};
  std::vector<std::string> limited = hog;
  limited.insert(limited.end(), {"--memory", "32M", "--", "/mnt/memory_hog", "128"});
  const ProgramOutput killed = CordonRun(limited);
  EXPECT_EQ(killed.exit_code, 137) << killed.standard_error;
  EXPECT_EQ(killed.standard_output, "");
  std::vector<std::string> free = hog;
  free.insert(free.end(), {"--memory", "256M", "--", "/mnt/memory_hog", "128"});
  EXPECT_EQ(CordonRun(free).standard_output, "ok\n");
}

TEST(SandboxLimits, TasksAreHeld) {
  if (!IsRoot()) {
    SKIP_BECAUSE("cgroups need root here");
  }
  const ProgramOutput limited = CordonRun(
      {"--volume", Victim("") + ":/mnt:ro", "--pids", "10", "--", "/mnt/many_children", "50"});
  EXPECT_EQ(limited.standard_output, "9\n") << limited.standard_error;  // and itself
  const ProgramOutput free =
      CordonRun({"--volume", Victim("") + ":/mnt:ro", "--", "/mnt/many_children", "50"});
  EXPECT_EQ(free.standard_output, "50\n") << free.standard_error;
}

TEST(SandboxLimits, ProcessorTimeIsSetAndTheCgroupsAreGoneAfterwards) {
  if (!IsRoot()) {
    SKIP_BECAUSE("cgroups need root here");
  }
  const Expected<HostFeatures> host = ProbeHost();
  ASSERT_TRUE(host.has_value());
  const auto cpu = host->cgroups.v1.find("cpu");
  if (cpu == host->cgroups.v1.end()) {
    SKIP_BECAUSE("the cpu controller is not in a v1 hierarchy here");
  }
  // The sandbox does not see the host's cgroup files unless they are shown to it.
  const ProgramOutput output =
      CordonRun({"--cpus", "1.5", "--volume", cpu->second + ":/mnt:ro", "--", "/bin/sh", "-c",
                 "cat /mnt/cordon-*/cpu.cfs_quota_us; cat /mnt/cordon-*/cgroup.procs | wc -l"});
  EXPECT_THAT(output.standard_output, HasSubstr("150000\n")) << output.standard_error;
  for (const auto& [controller, folder] : host->cgroups.v1) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      EXPECT_FALSE(
          entry.path().filename().string().starts_with("cordon-" + std::to_string(::getpid())));
    }
  }
}

TEST(SandboxLimits, AskedLimitsThatCannotBeHeldAreAnError) {
  if (!IsRoot()) {
    SKIP_BECAUSE("this compares root with an ordinary user");
  }
  const ProgramOutput refused = CordonRun({"--memory", "64M", "--", "true"}, Caller::kNobody);
  EXPECT_EQ(refused.exit_code, 125);
  EXPECT_THAT(refused.standard_error, HasSubstr("the memory limit cannot be held"));
  EXPECT_THAT(refused.standard_error, HasSubstr("Delegate=yes"));
  const ProgramOutput degraded =
      CordonRun({"--memory", "64M", "--allow-degraded", "limits", "--", "true"}, Caller::kNobody);
  EXPECT_EQ(degraded.exit_code, 0) << degraded.standard_error;
  EXPECT_THAT(degraded.standard_error, HasSubstr("cannot be held"));
}

TEST(SandboxUsage, MistakesAreOneSentenceAndExitTwo) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--memory", "lots", "--", "true"}, "--memory 'lots'"},
      {{"--memory", "0", "--", "true"}, "--memory '0'"},
      {{"--cpus", "-1", "--", "true"}, "--cpus '-1'"},
      {{"--pids", "x", "--", "true"}, "--pids 'x'"},
      {{"--publish", "80", "--", "true"}, "--publish '80'"},
      {{"--publish", "80:0", "--", "true"}, "--publish '80:0'"},
      {{"--publish", "1.2.3:80:80", "--", "true"}, "--publish '1.2.3:80:80'"},
      {{"--publish", "80:80/sctp", "--", "true"}, "--publish '80:80/sctp'"},
      {{"--publish", "53:53/udp", "--", "true"}, "with --network private only"},
      {{"--time-offset", "boottime", "--", "true"}, "--time-offset 'boottime'"},
      {{"--time-offset", "realtime=1", "--", "true"}, "--time-offset 'realtime=1'"},
      {{"--time-offset", "monotonic=nan", "--", "true"}, "--time-offset 'monotonic=nan'"},
      {{"--time-offset", "monotonic=1,monotonic=2", "--", "true"}, "--time-offset"},
      {{"--volume", "/usr", "--", "true"}, "--volume '/usr'"},
      {{"--volume", "/usr:relative", "--", "true"}, "--volume '/usr:relative'"},
      {{"--network", "host", "--publish", "80:80", "--", "true"}, "ports cannot be published"},
      {{"--require", "landlock", "--", "true"}, "--require needs --policy"},
      {{"--policy", "/nonexistent.policy", "--", "true"}, "/nonexistent.policy"},
  };
  for (const auto& [arguments, sentence] : cases) {
    const ProgramOutput output = CordonRun(arguments);
    EXPECT_EQ(output.exit_code, 2) << sentence;
    EXPECT_THAT(output.standard_error, HasSubstr(sentence));
  }
}

}  // namespace
}  // namespace cordon::testing
