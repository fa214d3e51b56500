#include "observe/file_name.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/unique_fd.h"

namespace cordon {
namespace {

bool IsTen(pid_t id) {
  return id == 10 || id == 11;
}

TEST(NormalizeProcPath, NamesOwnProcessesAlike) {
  EXPECT_EQ(NormalizeProcPath("/proc/10/maps", IsTen), "/proc/self/maps");
  EXPECT_EQ(NormalizeProcPath("/proc/10", IsTen), "/proc/self");
  EXPECT_EQ(NormalizeProcPath("/proc/10/task/11/comm", IsTen), "/proc/thread-self/comm");
  EXPECT_EQ(NormalizeProcPath("/proc/self/task/11/comm", IsTen), "/proc/thread-self/comm");
  EXPECT_EQ(NormalizeProcPath("/proc/10/task", IsTen), "/proc/self/task");
}

TEST(NormalizeProcPath, LeavesOthersAlone) {
  for (const char* path : {"/proc/12/maps", "/proc/101", "/proc/10x", "/proc/sys/kernel", "/proc",
                           "/srv/proc/10/maps", "/proc/selfish"}) {
    EXPECT_EQ(NormalizeProcPath(path, IsTen), path);
  }
}

TEST(NormalizeLinkText, DropsWhatDiffersFromRunToRun) {
  EXPECT_EQ(NormalizeLinkText("pipe:[123]", 1, "/"), "pipe:");
  EXPECT_EQ(NormalizeLinkText("socket:[99]", 1, "/"), "socket:");
  EXPECT_EQ(NormalizeLinkText("mnt:[4026531841]", 1, "/"), "mnt:");
  EXPECT_EQ(NormalizeLinkText("anon_inode:[eventpoll]", 1, "/"), "anon_inode:[eventpoll]");
  EXPECT_EQ(NormalizeLinkText("anon_inode:inotify", 1, "/"), "anon_inode:inotify");
  EXPECT_EQ(NormalizeLinkText("/memfd:buffer (deleted)", 0, "/"), "memfd:buffer");
}

TEST(NormalizeLinkText, CutsTheMarkOfDeletedFilesOnly) {
  EXPECT_EQ(NormalizeLinkText("/tmp/file (deleted)", 0, "/"), "/tmp/file");
  EXPECT_EQ(NormalizeLinkText("/tmp/file (deleted)", 1, "/"), "/tmp/file (deleted)");
}

TEST(StripRoot, GivesThePathInside) {
  EXPECT_EQ(StripRoot("/jail/etc/passwd", "/jail"), "/etc/passwd");
  EXPECT_EQ(StripRoot("/jail", "/jail"), "/");
  EXPECT_EQ(StripRoot("/jailed/etc", "/jail"), "/jailed/etc");
  EXPECT_EQ(StripRoot("/etc", "/"), "/etc");
}

TEST(DescribeOpenFile, TellsClassAndName) {
  const UniqueFd memory(::memfd_create("cordon test", MFD_CLOEXEC));
  ASSERT_TRUE(memory.valid());
  const auto described =
      DescribeOpenFile("/proc/self/fd/" + std::to_string(memory.get()), "/", IsTen);
  ASSERT_TRUE(described.has_value());
  EXPECT_EQ(described->key, (FileKey{"memfd:cordon test", FileClass::kFile}));
  const UniqueFd device(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto null = DescribeOpenFile("/proc/self/fd/" + std::to_string(device.get()), "/", IsTen);
  ASSERT_TRUE(null.has_value());
  EXPECT_EQ(null->key, (FileKey{"/dev/null", FileClass::kCharacter}));
}

TEST(DescribeOpenFile, FailsForAClosedDescriptor) {
  const auto described = DescribeOpenFile("/proc/self/fd/1000000", "/", IsTen);
  ASSERT_FALSE(described.has_value());
  EXPECT_EQ(described.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cordon
