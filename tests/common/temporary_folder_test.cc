#include "common/temporary_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "common/file.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

TEST(TemporaryFolder, IsTheOwnersAloneAndGoesWithAllItHolds) {
  const testing::TempDir parent;
  std::string path;
  {
    Expected<TemporaryFolder> folder = TemporaryFolder::Create(parent.path(), "work");
    ASSERT_TRUE(folder.has_value());
    path = folder->path();
    EXPECT_TRUE(path.starts_with(parent / "work."));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700U);
    ASSERT_TRUE(std::filesystem::create_directory(*folder / "inner"));
    ASSERT_TRUE(WriteFileAtomically(*folder / "inner/file", "text").has_value());
    const TemporaryFolder moved = *std::move(folder);
    EXPECT_EQ(moved.path(), path);
    EXPECT_TRUE(std::filesystem::exists(moved / "inner/file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TemporaryFolder, SaysWhereNoneCanBeMade) {
  const Expected<TemporaryFolder> folder = TemporaryFolder::Create("/proc", "work");
  ASSERT_FALSE(folder.has_value());
  EXPECT_NE(folder.error().message.find("/proc/work."), std::string::npos);
}

}  // namespace
}  // namespace cordon
