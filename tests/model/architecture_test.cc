#include "model/architecture.h"

#include <gtest/gtest.h>
#include <linux/audit.h>

namespace cordon {
namespace {

TEST(ArchitectureTest, NamesRoundTrip) {
  for (std::size_t i = 0; i < kArchitectureCount; ++i) {
    const auto arch = static_cast<Architecture>(i);
    EXPECT_EQ(ArchitectureFromName(Name(arch)), arch);
    EXPECT_EQ(ArchitectureFromScmpName(ScmpName(arch)), arch);
    EXPECT_EQ(KernelArchitectures(arch).front(), arch);
  }
  EXPECT_EQ(ArchitectureFromName("vax"), std::nullopt);
}

TEST(ArchitectureTest, TheX32BitDecidesAndMinusOneIsNoX32Call) {
  EXPECT_EQ(ArchitectureFromAudit(AUDIT_ARCH_X86_64, 39), Architecture::kX86_64);
  EXPECT_EQ(ArchitectureFromAudit(AUDIT_ARCH_X86_64, kX32SyscallBit | 39), Architecture::kX32);
  EXPECT_EQ(ArchitectureFromAudit(AUDIT_ARCH_X86_64, 0xffffffff), Architecture::kX86_64);
  EXPECT_EQ(ArchitectureFromAudit(AUDIT_ARCH_I386, 20), Architecture::kX86);
  EXPECT_EQ(ArchitectureFromAudit(0x12345678, 0), std::nullopt);
}

}  // namespace
}  // namespace cordon
