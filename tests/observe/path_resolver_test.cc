#include "observe/path_resolver.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "common/unique_fd.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

class PathResolverTest : public ::testing::Test {
 protected:
  PathResolverTest() : base_(std::filesystem::canonical(temp_.path()).string()) {
    std::filesystem::create_directories(base_ + "/a/b");
    std::ofstream(base_ + "/a/b/file") << "x";
    std::filesystem::create_symlink("b", base_ + "/a/link");
    std::filesystem::create_symlink(base_ + "/a/link/file", base_ + "/absolute");
    std::filesystem::create_symlink("loop", base_ + "/loop");
    std::filesystem::create_symlink("nowhere", base_ + "/dangling");
  }

  ResolvedPath Resolve(const std::string& path, FinalLink final_link = FinalLink::kFollow,
                       std::optional<int> directory = {}) const {
    const PathResolver resolver({.task = ::getpid(), .innermost_pid = ::getpid(), .root = "/"},
                                is_own_);
    Expected<ResolvedPath> resolved =
        resolver.Resolve({.directory_fd = directory, .path = path, .final_link = final_link});
    EXPECT_TRUE(resolved.has_value());
    return resolved.value_or(ResolvedPath{});
  }

  static bool Followed(const ResolvedPath& path, const std::string& link) {
    return std::ranges::any_of(path.steps, [&](const PathStep& step) {
      return step.key == FileKey{link, FileClass::kSymlink};
    });
  }

  testing::TempDir temp_;
  std::string base_;
  IsWorkloadTask is_own_ = [](pid_t id) { return id == ::getpid(); };
};

TEST_F(PathResolverTest, WalksLinksOneByOne) {
  const ResolvedPath path = Resolve(base_ + "/absolute");
  EXPECT_TRUE(path.exists());
  EXPECT_EQ(path.key, (FileKey{base_ + "/a/b/file", FileClass::kFile}));
  EXPECT_TRUE(Followed(path, base_ + "/absolute"));
  EXPECT_TRUE(Followed(path, base_ + "/a/link"));
  EXPECT_EQ(path.parent(), base_ + "/a/b");
  EXPECT_EQ(path.steps.front().key.path, "/");
}

TEST_F(PathResolverTest, KeepsTheLastLinkWhenAsked) {
  EXPECT_EQ(Resolve(base_ + "/absolute", FinalLink::kKeep).key,
            (FileKey{base_ + "/absolute", FileClass::kSymlink}));
  // A slash at the end asks for what is behind the link.
  EXPECT_EQ(Resolve(base_ + "/a/link/", FinalLink::kKeep).key,
            (FileKey{base_ + "/a/b", FileClass::kDirectory}));
}

TEST_F(PathResolverTest, GoesUp) {
  EXPECT_EQ(Resolve(base_ + "/a/link/../b/./file").key.path, base_ + "/a/b/file");
  EXPECT_EQ(Resolve("/../../..").key.path, "/");
}

TEST_F(PathResolverTest, SaysWhyAPathLeadsNowhere) {
  const ResolvedPath missing = Resolve(base_ + "/a/new");
  EXPECT_EQ(missing.sys_errno, ENOENT);
  EXPECT_TRUE(missing.parent_exists);
  EXPECT_EQ(missing.key.path, base_ + "/a/new");
  const ResolvedPath deep = Resolve(base_ + "/x/y/z");
  EXPECT_FALSE(deep.parent_exists);
  EXPECT_EQ(deep.key.path, base_ + "/x/y/z");
  EXPECT_EQ(Resolve(base_ + "/a/b/file/below").sys_errno, ENOTDIR);
  EXPECT_EQ(Resolve(base_ + "/loop").sys_errno, ELOOP);
  EXPECT_EQ(Resolve(base_ + "/dangling").key.path, base_ + "/nowhere");
}

TEST_F(PathResolverTest, StartsAtADescriptor) {
  const UniqueFd directory(::open((base_ + "/a").c_str(), O_PATH | O_CLOEXEC));
  EXPECT_EQ(Resolve("link/file", FinalLink::kFollow, directory.get()).key.path,
            base_ + "/a/b/file");
}

TEST_F(PathResolverTest, JumpsThroughMagicLinks) {
  const UniqueFd file(::open((base_ + "/a/b/file").c_str(), O_RDONLY | O_CLOEXEC));
  const ResolvedPath path = Resolve("/proc/self/fd/" + std::to_string(file.get()));
  EXPECT_EQ(path.key.path, base_ + "/a/b/file");
  EXPECT_TRUE(Followed(path, "/proc/self"));
  EXPECT_EQ(Resolve("/proc/" + std::to_string(::getpid()) + "/status").key.path,
            "/proc/self/status");
  EXPECT_EQ(Resolve("/proc/self", FinalLink::kKeep).key,
            (FileKey{"/proc/self", FileClass::kSymlink}));
}

}  // namespace
}  // namespace cordon
