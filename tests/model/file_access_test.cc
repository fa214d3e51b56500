#include "model/file_access.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace cordon {
namespace {

TEST(FileAccessTest, NamesRoundTrip) {
  for (int i = 0; i <= static_cast<int>(FileAccess::kTestAccess); ++i) {
    const auto access = static_cast<FileAccess>(i);
    EXPECT_EQ(FileAccessFromName(Name(access)), access);
  }
  for (int i = 0; i <= static_cast<int>(FileClass::kAnonymous); ++i) {
    const auto file_class = static_cast<FileClass>(i);
    EXPECT_EQ(FileClassFromName(Name(file_class)), file_class);
  }
  EXPECT_EQ(FileAccessFromName("peek"), std::nullopt);
}

TEST(FileAccessTest, ASetListsWhatWasAdded) {
  FileAccessSet set{FileAccess::kTestAccess, FileAccess::kOpen};
  set.Add(FileAccessSet{FileAccess::kRead, FileAccess::kOpen});
  EXPECT_EQ(set.List(),
            (std::vector{FileAccess::kOpen, FileAccess::kRead, FileAccess::kTestAccess}));
  EXPECT_FALSE(set.Has(FileAccess::kWrite));
  EXPECT_TRUE(set.HasAny({FileAccess::kWrite, FileAccess::kRead}));
}

TEST(FileAccessTest, ClassOfAMode) {
  EXPECT_EQ(FileClassFromMode(S_IFDIR | 0755), FileClass::kDirectory);
  EXPECT_EQ(FileClassFromMode(S_IFSOCK), FileClass::kSocket);
  EXPECT_EQ(FileClassFromMode(0600), FileClass::kAnonymous);
}

}  // namespace
}  // namespace cordon
