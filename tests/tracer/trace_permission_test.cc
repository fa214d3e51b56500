#include "tracer/trace_permission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace cordon {
namespace {

using ::testing::HasSubstr;

Error Refused(int sys_errno) {
  return SystemError(sys_errno, "trace the program (PTRACE_SEIZE)");
}

TEST(ExplainTraceFailure, NamesWhatRefusedAndWhatToDo) {
  TraceSurroundings filtered;
  filtered.seccomp_filtered = true;
  EXPECT_THAT(ExplainTraceFailure(Refused(EPERM), filtered).message,
              HasSubstr("--cap-add SYS_PTRACE"));
  TraceSurroundings scope2;
  scope2.yama_scope = 2;
  EXPECT_THAT(ExplainTraceFailure(Refused(EPERM), scope2).message, HasSubstr("ptrace_scope is 2"));
  TraceSurroundings scope3 = filtered;
  scope3.yama_scope = 3;
  EXPECT_THAT(ExplainTraceFailure(Refused(EPERM), scope3).message, HasSubstr("ptrace_scope is 3"));
}

TEST(ExplainTraceFailure, SaysNothingItDoesNotKnow) {
  TraceSurroundings privileged;
  privileged.yama_scope = 2;
  privileged.has_sys_ptrace = true;
  EXPECT_EQ(ExplainTraceFailure(Refused(EPERM), privileged).message, Refused(EPERM).message);
  TraceSurroundings filtered;
  filtered.seccomp_filtered = true;
  EXPECT_EQ(ExplainTraceFailure(Refused(ESRCH), filtered).message, Refused(ESRCH).message);
}

TEST(CheckProc, FailsWithoutProc) {
  EXPECT_TRUE(CheckProc(ReadTraceSurroundings()).has_value());
  TraceSurroundings bare;
  bare.has_proc = false;
  const Status missing = CheckProc(bare);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(missing.error().message, HasSubstr("mount -t proc"));
}

}  // namespace
}  // namespace cordon
