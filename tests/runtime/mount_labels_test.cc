#include "runtime/mount_labels.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>

#include "tests/testing/skip.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

using testing::TempDir;

constexpr std::string_view kLabel = "system_u:object_r:tmp_t:s0";

MountStep Mounted(const std::string& destination, const std::string& type) {
  MountStep step;
  step.destination = destination;
  step.type = type;
  return step;
}

TEST(LabelMounts, GivesATmpfsTheLabelOfWhatItCovers) {
  const TempDir root;
  ASSERT_EQ(::mkdir((root / "tmp").c_str(), 0700), 0);
  ASSERT_EQ(::mkdir((root / "bare").c_str(), 0700), 0);
  // With the zero byte that the kernel and setfiles write. Without SELinux it is an attribute like
  // any other, to root.
  const std::string value = std::string(kLabel) + '\0';
  if (::setxattr((root / "tmp").c_str(), "security.selinux", value.data(), value.size(), 0) != 0) {
    SKIP_BECAUSE("labels cannot be written here (root, and a file system with attributes)");
  }
  EXPECT_EQ(FileLabel(root / "tmp"), kLabel);
  LaunchPlan plan;
  plan.root_path = root.path();
  plan.mounts = {Mounted("/tmp", "tmpfs"), Mounted("/none", "tmpfs"), Mounted("/tmp", "proc"),
                 Mounted("/tmp", "tmpfs")};
  plan.mounts[3].parameters = {{"context", "system_u:object_r:own_t:s0"}};
  LabelMounts(plan);
  ASSERT_EQ(plan.mounts[0].parameters.size(), 1U);
  EXPECT_EQ(plan.mounts[0].parameters[0].first, "rootcontext");
  EXPECT_EQ(plan.mounts[0].parameters[0].second, kLabel);
  EXPECT_TRUE(plan.mounts[1].parameters.empty());
  EXPECT_TRUE(plan.mounts[2].parameters.empty());
  EXPECT_EQ(plan.mounts[3].parameters.size(), 1U) << "it has a label of its own";
}

TEST(FileLabel, IsEmptyWhereThereIsNone) {
  const TempDir folder;
  EXPECT_EQ(FileLabel(folder / "nothing"), "");
  EXPECT_EQ(ProcessLabel(-1), "");
}

}  // namespace
}  // namespace cordon
