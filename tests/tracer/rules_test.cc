#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include <csignal>

#include "tracer/capability_rules.h"
#include "tracer/path_cache.h"
#include "tracer/recording_log.h"
#include "tracer/stop_event.h"
#include "tracer/wait_status.h"

namespace cordon {
namespace {

Credentials User(std::uint32_t uid, std::uint32_t gid, std::uint64_t capabilities) {
  Credentials credentials;
  credentials.uids.fill(uid);
  credentials.gids.fill(gid);
  credentials.effective_capabilities = capabilities;
  return credentials;
}

constexpr std::uint64_t kBothDac = (1ULL << CAP_DAC_OVERRIDE) | (1ULL << CAP_DAC_READ_SEARCH);

TEST(DacCapability, IsNotNeededWhereTheModeGrants) {
  const Inode inode{.path = "/f", .mode = S_IFREG | 0640, .uid = 0, .gid = 4};
  EXPECT_EQ(DacCapability(User(0, 0, kBothDac), inode, kWantRead | kWantWrite), std::nullopt);
  EXPECT_EQ(DacCapability(User(7, 4, kBothDac), inode, kWantRead), std::nullopt);
}

TEST(DacCapability, IsNeededWhereTheModeDenies) {
  const Inode file{.path = "/f", .mode = S_IFREG | 0640, .uid = 33, .gid = 33};
  EXPECT_EQ(DacCapability(User(0, 0, kBothDac), file, kWantRead), "CAP_DAC_READ_SEARCH");
  EXPECT_EQ(DacCapability(User(0, 0, kBothDac), file, kWantWrite), "CAP_DAC_OVERRIDE");
  EXPECT_EQ(DacCapability(User(0, 0, 1ULL << CAP_DAC_OVERRIDE), file, kWantRead),
            "CAP_DAC_OVERRIDE");
  const Inode folder{.path = "/d", .mode = S_IFDIR | 0700, .uid = 33, .gid = 33};
  EXPECT_EQ(DacCapability(User(0, 0, kBothDac), folder, kWantExecute), "CAP_DAC_READ_SEARCH");
  EXPECT_EQ(DacCapability(User(0, 0, kBothDac), folder, kWantWrite | kWantExecute),
            "CAP_DAC_OVERRIDE");
}

TEST(DacCapability, ComesOnlyFromThoseWhoHaveIt) {
  const Inode file{.path = "/f", .mode = S_IFREG, .uid = 33, .gid = 33};
  EXPECT_EQ(DacCapability(User(0, 0, 0), file, kWantRead), std::nullopt);
}

TEST(WaitStatus, RoundTrips) {
  EXPECT_EQ(WaitStatus::ForExit(7).outcome(), Outcome(Exited{7}));
  EXPECT_EQ(WaitStatus::ForKill(SIGSEGV).outcome(), Outcome(Signaled{SIGSEGV}));
  EXPECT_TRUE(WaitStatus::ForSyscallStop().is_syscall_stop());
  EXPECT_EQ(WaitStatus::ForSyscallStop().value(), SIGTRAP);
  EXPECT_EQ(WaitStatus::ForStop(SIGTRAP, kEventExec).event(), kEventExec);
}

TEST(ClassifyStop, TellsStopsApart) {
  EXPECT_TRUE(std::holds_alternative<SyscallStop>(ClassifyStop(WaitStatus::ForSyscallStop())));
  EXPECT_TRUE(std::holds_alternative<SignalStop>(ClassifyStop(WaitStatus::ForStop(SIGTRAP))));
  EXPECT_TRUE(std::holds_alternative<SignalStop>(ClassifyStop(WaitStatus::ForStop(SIGSTOP))));
  EXPECT_TRUE(
      std::holds_alternative<GroupStop>(ClassifyStop(WaitStatus::ForStop(SIGSTOP, kEventStop))));
  EXPECT_TRUE(
      std::holds_alternative<TrapStop>(ClassifyStop(WaitStatus::ForStop(SIGTRAP, kEventStop))));
  EXPECT_TRUE(std::holds_alternative<SeccompStop>(
      ClassifyStop(WaitStatus::ForStop(SIGTRAP, kEventSeccomp))));
  EXPECT_TRUE(std::holds_alternative<OtherStop>(
      ClassifyStop(WaitStatus::ForStop(SIGTRAP, kEventVforkDone))));
  EXPECT_TRUE(std::holds_alternative<TaskEnd>(ClassifyStop(WaitStatus::ForExit(0))));
}

TEST(RecordingLog, BoundsSocketAddresses) {
  RecordingLog log;
  for (std::size_t i = 0; i < 4 * kMaxSocketAddresses; ++i) {
    SocketKey key;
    key.operation = SocketOperation::kConnect;
    key.address = "10.0.0.1";
    key.port = static_cast<std::uint16_t>(i + 1);
    log.NoteSocket(key, 0, "/bin/client");
  }
  EXPECT_EQ(log.Take().sockets.size(), kMaxSocketAddresses + 1);
}

TEST(PathCache, StaysBounded) {
  PathCache cache;
  for (std::size_t i = 0; i < 2 * PathCache::kMaxEntries; ++i) {
    cache.Put(std::to_string(i), {});
  }
  EXPECT_NE(cache.Find(std::to_string(2 * PathCache::kMaxEntries - 1)), nullptr);
  EXPECT_EQ(cache.Find("0"), nullptr);
  cache.Clear();
  EXPECT_EQ(cache.Find(std::to_string(2 * PathCache::kMaxEntries - 1)), nullptr);
}

}  // namespace
}  // namespace cordon
