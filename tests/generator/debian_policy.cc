#include "tests/generator/debian_policy.h"

#include <chrono>
#include <utility>

#include "common/child_process.h"
#include "common/text.h"
#include "tests/testing/skip.h"

namespace cordon::testing {

void DebianPolicyTest::SetUp() {
  const Expected<ProgramOutput> fetched =
      RunProgram({"bash", CORDON_DEBIAN_POLICY_SCRIPT}, std::chrono::minutes(5));
  ASSERT_TRUE(fetched.has_value()) << fetched.error().message;
  if (fetched->exit_code == 77) {
    SKIP_BECAUSE(fetched->standard_error);
  }
  ASSERT_EQ(fetched->exit_code, 0) << fetched->standard_error;
  folder_ = Split(fetched->standard_output, '\n').front();
  Expected<SelinuxTarget> target = LoadSelinuxTarget(folder_);
  ASSERT_TRUE(target.has_value()) << target.error().message;
  target_ = *std::move(target);
}

}  // namespace cordon::testing
