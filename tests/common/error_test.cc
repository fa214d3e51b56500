#include "common/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace cordon {
namespace {

TEST(ErrorTest, SystemErrorKeepsTheErrnoAndClassifiesIt) {
  const Error error = SystemError(EACCES, "open 'x'");
  EXPECT_EQ(error.sys_errno, EACCES);
  EXPECT_EQ(error.code, ErrorCode::kPermission);
  EXPECT_EQ(error.message, "open 'x': Permission denied");
  EXPECT_EQ(SystemError(ENOENT, "x").code, ErrorCode::kNotFound);
  EXPECT_EQ(SystemError(ENOSYS, "x").code, ErrorCode::kUnsupported);
  EXPECT_EQ(SystemError(EIO, "x").code, ErrorCode::kSystem);
}

TEST(ErrorTest, ContextStandsBeforeTheMessage) {
  EXPECT_EQ(InvalidInput("bad").WithContext("reading 'f'").message, "reading 'f': bad");
}

Expected<int> Half(int value) {
  if (value % 2 != 0) {
    return Fail(InvalidInput("odd"));
  }
  return value / 2;
}

Expected<int> Quarter(int value) {
  ASSIGN_OR_RETURN(const int half, Half(value));
  ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

TEST(ErrorTest, MacrosPropagate) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(6).error().message, "odd");
}

}  // namespace
}  // namespace cordon
