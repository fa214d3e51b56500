#include "generator/policy_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "common/file.h"
#include "tests/testing/skip.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

namespace fs = std::filesystem;

const std::string kKey(64, 'a');

std::string FileOf(const std::string& folder, const std::string& key) {
  return folder + "/" + key + ".slice";
}

class PolicyCacheTest : public ::testing::Test {
 protected:
  void SetUp() override { cache_.Keep(kKey, content_); }

  const testing::TempDir work_;
  const std::string folder_ = work_ / "deep/cordon";
  const std::string content_ = std::string("some\0thing\n", 11);
  const PolicyCache cache_{folder_};
};

TEST_F(PolicyCacheTest, FindsWhatItKept) {
  EXPECT_EQ(cache_.Find(kKey), content_);
  EXPECT_EQ(cache_.Find(std::string(64, 'b')), std::nullopt);
  struct stat status{};
  ASSERT_EQ(::stat(FileOf(folder_, kKey).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  ASSERT_EQ(::stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(PolicyCacheTest, DoesNotBelieveWhatWasDamaged) {
  const std::string path = FileOf(folder_, kKey);
  const std::string good = *ReadFile(path, 1024);
  for (const std::string& bad : {good.substr(0, good.size() - 1), good + "x", std::string(),
                                 std::string("kept by cordon"), good.substr(1)}) {
    ASSERT_TRUE(WriteFileAtomically(path, bad, 0600));
    EXPECT_EQ(cache_.Find(kKey), std::nullopt) << bad;
  }
  ASSERT_TRUE(WriteFileAtomically(path, good, 0600));
  EXPECT_EQ(cache_.Find(kKey), content_);
}

TEST_F(PolicyCacheTest, DoesNotBelieveWhatOthersMayWrite) {
  const std::string path = FileOf(folder_, kKey);
  for (const std::string& place : {path, folder_}) {
    struct stat before{};
    ASSERT_EQ(::stat(place.c_str(), &before), 0);
    ASSERT_EQ(::chmod(place.c_str(), 0720), 0);
    EXPECT_EQ(cache_.Find(kKey), std::nullopt) << place;
    ASSERT_EQ(::chmod(place.c_str(), before.st_mode & 07777U), 0);
    EXPECT_EQ(cache_.Find(kKey), content_);
  }
  // Nor is anything kept there.
  ASSERT_EQ(::chmod(folder_.c_str(), 0777), 0);
  cache_.Keep(std::string(64, 'b'), content_);
  EXPECT_FALSE(fs::exists(FileOf(folder_, std::string(64, 'b'))));
}

TEST_F(PolicyCacheTest, DoesNotBelieveLinks) {
  const std::string path = FileOf(folder_, kKey);
  fs::rename(path, work_ / "elsewhere");
  fs::create_symlink(work_ / "elsewhere", path);
  EXPECT_EQ(cache_.Find(kKey), std::nullopt);
  fs::remove(path);
  fs::rename(work_ / "elsewhere", path);
  EXPECT_EQ(cache_.Find(kKey), content_);
  fs::create_directory_symlink(folder_, work_ / "link");
  EXPECT_EQ(PolicyCache(work_ / "link").Find(kKey), std::nullopt);
}

TEST_F(PolicyCacheTest, DoesNotBelieveAnotherUser) {
  if (::geteuid() != 0) {
    SKIP_BECAUSE("only root can give files away");
  }
  constexpr uid_t kNobody = 65534;
  for (const std::string& place : {FileOf(folder_, kKey), folder_}) {
    ASSERT_EQ(::chown(place.c_str(), kNobody, kNobody), 0);
    EXPECT_EQ(cache_.Find(kKey), std::nullopt) << place;
    ASSERT_EQ(::chown(place.c_str(), 0, 0), 0);
    EXPECT_EQ(cache_.Find(kKey), content_);
  }
}

TEST_F(PolicyCacheTest, KeepsTheNewestFew) {
  for (const char digit : {'b', 'c', 'd', 'e', 'f'}) {
    cache_.Keep(std::string(64, digit), content_);
    fs::last_write_time(FileOf(folder_, std::string(64, digit)),
                        fs::file_time_type::clock::now() - std::chrono::hours('f' - digit));
  }
  cache_.Keep(std::string(64, '0'), content_);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 4);
  EXPECT_TRUE(cache_.Find(std::string(64, '0')).has_value());
  EXPECT_FALSE(cache_.Find(std::string(64, 'b')).has_value());
}

TEST(PolicyCache, IsWhereTheUserSays) {
  const testing::TempDir work;
  // NOLINTBEGIN(concurrency-mt-unsafe): the test has one thread
  ASSERT_EQ(::setenv("XDG_CACHE_HOME", work.path().c_str(), 1), 0);
  PolicyCache().Keep(kKey, "x");
  ASSERT_EQ(::unsetenv("XDG_CACHE_HOME"), 0);
  // NOLINTEND(concurrency-mt-unsafe)
  EXPECT_TRUE(fs::exists(FileOf(work / "cordon", kKey)));
}

}  // namespace
}  // namespace cordon
