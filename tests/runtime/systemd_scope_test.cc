#include "runtime/systemd_scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/text.h"

namespace cordon {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST(ScopeRequest, AsksForADelegatedScopeWithoutLimits) {
  EXPECT_EQ(Join(ScopeRequest({}, "cordon-7-0.scope", 42), " "),
            "StartTransientUnit ssa(sv)a(sa(sv)) cordon-7-0.scope fail 5 "
            "Description s cordon sandbox cordon-7-0.scope PIDs au 1 42 Delegate b true "
            "TasksMax t 18446744073709551615 CollectMode s inactive-or-failed 0");
  EXPECT_THAT(Join(ScopeRequest({.slice = "web.slice", .v2_root = {}}, "a.scope", 42), " "),
              AllOf(HasSubstr("fail 6 "), EndsWith(" Slice s web.slice 0")));
}

TEST(PlanScope, IsForMachinesOfCgroupV2Only) {
  CgroupLayout v1;
  v1.v1["memory"] = "/cg/memory";
  v1.v2 = "/cg/unified";
  v1.v2_root = "/cg/unified";
  EXPECT_EQ(PlanScope(CgroupManager::kAsHost, "/x", v1, 0).value(), std::nullopt);
  const auto asked = PlanScope(CgroupManager::kSystemd, "", v1, 0);
  ASSERT_FALSE(asked.has_value());
  EXPECT_THAT(asked.error().message, HasSubstr("systemd does not run this machine"));
  EXPECT_EQ(PlanScope(CgroupManager::kFolders, "/x", v1, 0).value(), std::nullopt);
}

}  // namespace
}  // namespace cordon
