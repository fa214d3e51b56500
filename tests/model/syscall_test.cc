#include "model/syscall.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

namespace cordon {
namespace {

TEST(SyscallTest, AgreesWithTheKernelHeaders) {
  EXPECT_EQ(SyscallNumber(NativeArchitecture(), "openat"), SYS_openat);
  EXPECT_EQ(SyscallNumber(NativeArchitecture(), "clone3"), SYS_clone3);
  EXPECT_EQ(SyscallNumber(NativeArchitecture(), "landlock_restrict_self"),
            SYS_landlock_restrict_self);
  EXPECT_EQ(SyscallNumber(Architecture::kX86, "socketcall"), 102);
  EXPECT_EQ(SyscallNumber(Architecture::kX86_64, "socketcall"), std::nullopt);
  EXPECT_EQ(SyscallNumber(Architecture::kX86_64, "nonsense"), std::nullopt);
}

TEST(SyscallTest, EveryNumberHasTheNameThatHasTheNumber) {
  for (std::size_t i = 0; i < kArchitectureCount; ++i) {
    const auto arch = static_cast<Architecture>(i);
    EXPECT_GT(SyscallsOf(arch).size(), 250U) << Name(arch);
    for (const auto& [number, name] : SyscallsOf(arch)) {
      EXPECT_EQ(SyscallNumber(arch, name), number) << Name(arch) << " " << name;
      EXPECT_EQ(SyscallName({.arch = arch, .number = number}), name);
    }
  }
}

TEST(SyscallTest, AnUnnamedNumberStaysANumber) {
  const Syscall call{.arch = Architecture::kX86_64, .number = 9999};
  EXPECT_EQ(SyscallName(call), std::nullopt);
  EXPECT_EQ(SyscallLabel(call), "syscall_9999");
  EXPECT_EQ(SyscallLabel({.arch = Architecture::kX86_64, .number = -1}), "syscall_-1");
}

}  // namespace
}  // namespace cordon
