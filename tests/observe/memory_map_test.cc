#include "observe/memory_map.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/unique_fd.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

TEST(ParseMapping, TakesALine) {
  const auto mapping =
      ParseMapping("7f0000001000-7f0000003000 r-xp 00001000 fe:01 42    /usr/lib/a b.so");
  ASSERT_TRUE(mapping.has_value());
  EXPECT_EQ(mapping->begin, 0x7f0000001000U);
  EXPECT_EQ(mapping->end, 0x7f0000003000U);
  EXPECT_TRUE(mapping->readable && !mapping->writable && mapping->executable &&
              mapping->is_private);
  EXPECT_EQ(mapping->path, "/usr/lib/a b.so");
  EXPECT_EQ(ParseMapping("1000-2000 rw-s 0 00:00 0")->path, "");
}

TEST(ParseMapping, RefusesOtherText) {
  for (const char* line : {"", "x", "1000", "1000-zz rw-p 0 0 0", "1000-2000 rw"}) {
    EXPECT_FALSE(ParseMapping(line).has_value()) << line;
  }
}

TEST(FindMapping, FindsThisProgram) {
  static int variable = 0;
  const auto mapping = FindMapping(::getpid(), reinterpret_cast<std::uint64_t>(&variable));
  ASSERT_TRUE(mapping.has_value() && mapping->has_value());
  EXPECT_TRUE((*mapping)->writable);
  EXPECT_FALSE(FindMapping(::getpid(), 8).value().has_value());
}

TEST(OpenedForAppend, ReadsTheFlags) {
  const testing::TempDir folder;
  const UniqueFd append(
      ::open((folder / "a").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
  const UniqueFd plain(::open((folder / "b").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_TRUE(OpenedForAppend(::getpid(), append.get()));
  EXPECT_FALSE(OpenedForAppend(::getpid(), plain.get()));
}

}  // namespace
}  // namespace cordon
