#include "observe/process_status.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace cordon {
namespace {

constexpr std::string_view kText =
    "Name:\tnginx: worker\nState:\tS "
    "(sleeping)\nTgid:\t812\nPPid:\t811\nTracerPid:\t7\nUid:\t0\t33\t34\t35\n"
    "Gid:\t1\t2\t3\t4\nGroups:\t4 27 \nNStgid:\t812\t5\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n"
    "CapEff:\t0000000000000400\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n";

TEST(ParseProcessStatus, TakesWhatCordonUses) {
  const ProcessStatus status = ParseProcessStatus(kText);
  EXPECT_EQ(status.thread_group, 812);
  EXPECT_EQ(status.parent, 811);
  EXPECT_EQ(status.tracer, 7);
  EXPECT_EQ(status.innermost_pid, 5);
  EXPECT_EQ(status.credentials.effective_uid(), 33U);
  EXPECT_EQ(status.credentials.file_uid(), 35U);
  EXPECT_EQ(status.credentials.gids[3], 4U);
  EXPECT_TRUE(status.credentials.InGroup(27));
  EXPECT_TRUE(status.credentials.InGroup(4));
  EXPECT_FALSE(status.credentials.InGroup(1));
  EXPECT_TRUE(status.credentials.HasCapability(10));
  EXPECT_FALSE(status.credentials.HasCapability(11));
  EXPECT_TRUE(status.no_new_privileges);
  EXPECT_EQ(status.seccomp_mode, 2);
  EXPECT_EQ(status.seccomp_filters, 3U);
  EXPECT_EQ(status.peak_resident_bytes, 2048U * 1024);
  EXPECT_EQ(status.resident_bytes, 1024U * 1024);
}

TEST(ParseProcessStatus, TakesAnything) {
  EXPECT_EQ(ParseProcessStatus("").thread_group, 0);
  EXPECT_EQ(
      ParseProcessStatus("Tgid\nUid:\nGid:x\n:::\nTgid:\t99999999999999999999999\n").thread_group,
      0);
}

TEST(ReadProcessStatus, KnowsThisProcess) {
  const auto status = ReadProcessStatus(::getpid());
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->thread_group, ::getpid());
  EXPECT_EQ(status->credentials.effective_uid(), ::geteuid());
  EXPECT_EQ(status->parent, ::getppid());
}

}  // namespace
}  // namespace cordon
