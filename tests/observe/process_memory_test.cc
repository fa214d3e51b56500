#include "observe/process_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cordon {
namespace {

RemoteAddress AddressOf(const void* pointer) {
  return {reinterpret_cast<std::uint64_t>(pointer)};
}

/// Two pages, of which the second may not be touched.
class ProcessMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    page_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* const map =
        ::mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(map, MAP_FAILED);
    start_ = static_cast<char*>(map);
    ASSERT_EQ(::mprotect(start_ + page_, page_, PROT_NONE), 0);
  }

  void TearDown() override { ::munmap(start_, 2 * page_); }

  ProcessMemory memory_{::getpid()};
  std::size_t page_ = 0;
  char* start_ = nullptr;
};

TEST_F(ProcessMemoryTest, ReadsAStringThatEndsWithItsPage) {
  char* const text = start_ + page_ - 5;
  std::memcpy(text, "abcd", 5);
  const auto read = memory_.ReadString(AddressOf(text), 4096);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, "abcd");
}

TEST_F(ProcessMemoryTest, FailsForAStringThatLeavesReadableMemory) {
  std::memset(start_ + page_ - 4, 'x', 4);
  const auto read = memory_.ReadString(AddressOf(start_ + page_ - 4), 4096);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().sys_errno, EFAULT);
}

TEST_F(ProcessMemoryTest, BoundsStrings) {
  std::memset(start_, 'x', page_);
  const auto read = memory_.ReadString(AddressOf(start_), 300);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kLimit);
}

TEST_F(ProcessMemoryTest, NeverReadsPartly) {
  std::uint64_t value = 0;
  EXPECT_FALSE(memory_.Read(AddressOf(start_ + page_ - 4), &value, sizeof value).has_value());
}

TEST_F(ProcessMemoryTest, Writes) {
  const int value = 42;
  ASSERT_TRUE(memory_.Write(AddressOf(start_), &value, sizeof value).has_value());
  EXPECT_EQ(memory_.ReadValue<int>(AddressOf(start_)).value_or(0), 42);
}

TEST(ProcessMemory, SaysThatATaskIsGone) {
  const auto read = ProcessMemory(0x3fffffff).ReadValue<int>(RemoteAddress{4096});
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().sys_errno, ESRCH);
}

}  // namespace
}  // namespace cordon
