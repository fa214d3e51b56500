#include "common/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

using testing::TempDir;

std::size_t EntriesOf(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(FileTest, WritesAndReadsBack) {
  const TempDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir / "f", "one"));
  ASSERT_TRUE(WriteFileAtomically(dir / "f", "two"));
  EXPECT_EQ(ReadFile(dir / "f", 3).value(), "two");
  EXPECT_EQ(EntriesOf(dir.path()), 1U);
}

TEST(FileTest, ReadFileKeepsItsBound) {
  const TempDir dir;
  ASSERT_TRUE(WriteFileAtomically(dir / "f", "four"));
  const auto content = ReadFile(dir / "f", 3);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().code, ErrorCode::kLimit);
}

TEST(FileTest, ReadFileRefusesAFolderAndNamesAMissingFile) {
  const TempDir dir;
  EXPECT_EQ(ReadFile(dir.path(), 10).error().code, ErrorCode::kInvalidInput);
  const Error missing = ReadFile(dir / "gone", 10).error();
  EXPECT_EQ(missing.code, ErrorCode::kNotFound);
  EXPECT_NE(missing.message.find("gone"), std::string::npos);
}

TEST(FileTest, AFailedWriteLeavesNothingBehind) {
  const TempDir dir;
  ASSERT_EQ(::mkdir((dir / "target").c_str(), 0700), 0);
  std::ofstream(dir / "target/inside") << "x";
  EXPECT_FALSE(
      WriteFileAtomically(dir / "target", "content"));  // a folder cannot be replaced by a file
  EXPECT_EQ(EntriesOf(dir.path()), 1U);
  EXPECT_FALSE(WriteFileAtomically(dir / "no/such/folder", "content"));
}

TEST(FolderTest, ReplacesOnlyWhatCarriesTheMarker) {
  const TempDir dir;
  const std::string folder = dir / "b";
  ASSERT_TRUE(WriteFolderAtomically(folder, {{"mark", "1"}, {"old", "x"}}, "mark"));
  ASSERT_TRUE(WriteFolderAtomically(folder + "/", {{"mark", "2"}, {"new", "y"}}, "mark"));
  EXPECT_EQ(ReadFile(folder + "/mark", 10).value(), "2");
  EXPECT_FALSE(std::filesystem::exists(folder + "/old"));
  EXPECT_EQ(EntriesOf(dir.path()), 1U);

  ASSERT_EQ(::mkdir((dir / "precious").c_str(), 0700), 0);
  std::ofstream(dir / "precious/data") << "x";
  const auto refused = WriteFolderAtomically(dir / "precious", {{"mark", "1"}}, "mark");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput);
  EXPECT_TRUE(std::filesystem::exists(dir / "precious/data"));
  EXPECT_EQ(EntriesOf(dir.path()), 2U);
}

TEST(FolderTest, AFailureLeavesTheOldFolderWhole) {
  const TempDir dir;
  const std::string folder = dir / "b";
  ASSERT_TRUE(WriteFolderAtomically(folder, {{"mark", "1"}}, "mark"));
  const std::string too_long(300, 'n');  // over NAME_MAX
  EXPECT_FALSE(WriteFolderAtomically(folder, {{"mark", "2"}, {too_long, ""}}, "mark"));
  EXPECT_EQ(ReadFile(folder + "/mark", 10).value(), "1");
  EXPECT_EQ(EntriesOf(dir.path()), 1U);
}

}  // namespace
}  // namespace cordon
