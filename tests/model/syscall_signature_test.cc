#include "model/syscall_signature.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace cordon {
namespace {

TEST(SyscallSignature, RowsAreSortedAndNamedOnce) {
  const auto rows = AllSignatures();
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_LT(rows[i - 1].name, rows[i].name);
  }
}

TEST(SyscallSignature, EveryRowNamesACall) {
  for (const SyscallSignature& row : AllSignatures()) {
    EXPECT_TRUE(IsSyscallName(row.name)) << row.name;
  }
}

TEST(SyscallSignature, RolesFitTogether) {
  for (const SyscallSignature& row : AllSignatures()) {
    for (std::size_t i = 0; i < row.roles.size(); ++i) {
      if (row.roles[i] == ArgumentRole::kDirectoryFd) {
        ASSERT_LT(i + 1, row.roles.size()) << row.name;
        EXPECT_TRUE(row.roles[i + 1] == ArgumentRole::kPath ||
                    row.roles[i + 1] == ArgumentRole::kPathNoFollow)
            << row.name;
      }
      if (row.roles[i] == ArgumentRole::kSocketAddress) {
        EXPECT_LT(i + 1, row.roles.size()) << row.name << " has no length after its address";
      }
    }
  }
}

TEST(SyscallSignature, PathFlagsBelongToPaths) {
  for (const SyscallSignature& row : AllSignatures()) {
    const auto paths = std::ranges::count_if(row.roles, [](ArgumentRole role) {
      return role == ArgumentRole::kPath || role == ArgumentRole::kPathNoFollow;
    });
    EXPECT_LE(row.path_flags.size(), static_cast<std::size_t>(paths)) << row.name;
    for (const PathFlags& flags : row.path_flags) {
      EXPECT_LT(flags.index, 6) << row.name;
    }
  }
}

TEST(SyscallSignature, ScalarsStayInTheRegisters) {
  for (const SyscallSignature& row : AllSignatures()) {
    for (const ScalarArgument& scalar : row.scalars) {
      EXPECT_LT(scalar.index, 6) << row.name;
      EXPECT_TRUE(scalar.width_bits == 32 || scalar.width_bits == 64) << row.name;
    }
  }
}

TEST(SyscallSignature, IsFoundByNumberInEveryAbi) {
  for (const Architecture arch :
       {Architecture::kX86_64, Architecture::kX86, Architecture::kX32, Architecture::kAarch64}) {
    for (const auto& [number, name] : SyscallsOf(arch)) {
      EXPECT_EQ(SignatureOf(Syscall{arch, number}).name, name);
    }
  }
}

TEST(SyscallSignature, UnnamedNumbersHaveAnEmptyRow) {
  EXPECT_TRUE(SignatureOf(Syscall{Architecture::kX86_64, -1}).name.empty());
  EXPECT_TRUE(SignatureOf(Syscall{Architecture::kX86_64, 100000}).name.empty());
}

TEST(SyscallSignature, AbiRowsWin) {
  ASSERT_FALSE(RecordedScalars(Architecture::kX86, "mmap").empty());
  EXPECT_EQ(RecordedScalars(Architecture::kX86, "mmap")[0].member, "prot");
  EXPECT_TRUE(RecordedScalars(Architecture::kX86_64, "mmap")[0].member.empty());
}

TEST(SyscallSignature, RecordsTheScalarsThatFiltersAreMadeOf) {
  EXPECT_EQ(RecordedScalars(Architecture::kX86_64, "socket").size(), 3U);
  EXPECT_EQ(RecordedScalars(Architecture::kX86_64, "clone")[0].kind, ScalarKind::kFlags);
  EXPECT_EQ(RecordedScalars(Architecture::kX86_64, "clone3")[0].member, "flags");
  EXPECT_TRUE(RecordedScalars(Architecture::kX86_64, "read").empty());
  EXPECT_TRUE(RecordedScalars(Architecture::kX86_64, "no_such_call").empty());
}

}  // namespace
}  // namespace cordon
