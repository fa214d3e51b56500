#include "tracer/register_file.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/user.h>

namespace cordon {
namespace {

TEST(RegisterFile, HasEveryRoleOfEveryAbiThatItHasRowsFor) {
  for (const Architecture abi : {Architecture::kX86_64, Architecture::kX86, Architecture::kX32,
                                 Architecture::kAarch64, Architecture::kArm}) {
    for (const RegisterRole role :
         {RegisterRole::kFirstArgument, RegisterRole::kCallNumber, RegisterRole::kResult}) {
      EXPECT_TRUE(RegisterNote(role, abi).has_value()) << Name(abi);
    }
  }
  EXPECT_FALSE(RegisterNote(RegisterRole::kResult, Architecture::kS390x).has_value());
}

#if defined(__x86_64__)
TEST(RegisterFile, AgreesWithTheHeadersOfX86) {
  constexpr std::size_t kSet = sizeof(user_regs_struct);
  const auto offset = [](RegisterRole role, Architecture abi) {
    return FindRegister(role, abi, kSet).value().offset;
  };
  EXPECT_EQ(offset(RegisterRole::kFirstArgument, Architecture::kX86_64),
            offsetof(user_regs_struct, rdi));
  EXPECT_EQ(offset(RegisterRole::kFirstArgument, Architecture::kX86),
            offsetof(user_regs_struct, rbx));
  EXPECT_EQ(offset(RegisterRole::kCallNumber, Architecture::kX86_64),
            offsetof(user_regs_struct, orig_rax));
  EXPECT_EQ(offset(RegisterRole::kResult, Architecture::kX86_64), offsetof(user_regs_struct, rax));
}
#endif

TEST(RegisterFile, KnowsWhereTheResultReplacesTheFirstArgument) {
  EXPECT_FALSE(ResultReplacesFirstArgument(Architecture::kX86_64));
  EXPECT_FALSE(ResultReplacesFirstArgument(Architecture::kX86));
  EXPECT_TRUE(ResultReplacesFirstArgument(Architecture::kAarch64));
  EXPECT_TRUE(ResultReplacesFirstArgument(Architecture::kArm));
}

TEST(RegisterFile, KnowsTheLayoutByItsSize) {
  const auto narrow = FindRegister(RegisterRole::kFirstArgument, Architecture::kX86, 68);
  ASSERT_TRUE(narrow.has_value());
  EXPECT_EQ(narrow->width, 4U);
  EXPECT_EQ(narrow->offset, 0U);
  EXPECT_FALSE(FindRegister(RegisterRole::kFirstArgument, Architecture::kX86_64, 68).has_value());
}

}  // namespace
}  // namespace cordon
