#pragma once

#include <gtest/gtest.h>

#include <string>

#include "generator/selinux_target.h"

namespace cordon::testing {

/// For tests with all modules of the reference policy that Debian ships. It is fetched as a package
/// and never installed (tests/selinux/debian-policy.sh); without it the tests are skipped.
class DebianPolicyTest : public ::testing::Test {
 protected:
  void SetUp() override;

  std::string folder_;
  SelinuxTarget target_;
};

}  // namespace cordon::testing
