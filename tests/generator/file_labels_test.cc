#include "generator/file_labels.h"

#include <gtest/gtest.h>

#include "generator/file_context_regex.h"

namespace cordon {
namespace {

FileLabels Labels() {
  PolicyFacts facts;
  facts.filesystem_prefixes = {
      {"proc", "/", "proc_t"},      {"proc", "/net", "proc_net_t"},
      {"proc", "/sys", "sysctl_t"}, {"proc", "/sys/kernel", "sysctl_kernel_t"},
      {"sysfs", "/", "sysfs_t"},    {"cgroup2", "/", "cgroup_t"}};
  facts.filesystem_types = {{"tmpfs", "tmpfs_t"}};
  Expected<FileLabels> labels =
      FileLabels::Create(FileContextsText({{"/usr/bin(/.*)?", std::nullopt, "bin_t"},
                                           {"/usr/bin/bash", FileClass::kFile, "shell_exec_t"},
                                           {"/etc(/.*)?", std::nullopt, "etc_t"},
                                           {"/etc/app(/.*)?", std::nullopt, "app_conf_t"},
                                           {"/tmp", FileClass::kDirectory, "tmp_t"},
                                           {"/tmp/.*", std::nullopt, ""}}),
                         "/bin /usr/bin\n# comment\n", facts);
  EXPECT_TRUE(labels.has_value());
  return std::move(*labels);
}

TEST(FileLabels, TakesTheMostSpecificContext) {
  const FileLabels labels = Labels();
  EXPECT_EQ(labels.TypeOf("/etc/passwd", FileClass::kFile), "etc_t");
  EXPECT_EQ(labels.TypeOf("/etc/app/x", FileClass::kFile), "app_conf_t");
  EXPECT_EQ(labels.TypeOf("/usr/bin/bash", FileClass::kFile), "shell_exec_t");
  EXPECT_EQ(labels.TypeOf("/usr/bin/bash", FileClass::kSymlink), "bin_t");
}

TEST(FileLabels, FollowsSubstitutions) {
  EXPECT_EQ(Labels().TypeOf("/bin/bash", FileClass::kFile), "shell_exec_t");
  EXPECT_EQ(Labels().TypeOf("/binary", FileClass::kFile), "");
}

TEST(FileLabels, InheritsWhereNothingIsSaid) {
  const FileLabels labels = Labels();
  EXPECT_EQ(labels.TypeOf("/tmp/a/b", FileClass::kFile), "tmp_t");
  EXPECT_FALSE(labels.Names("/tmp/a", FileClass::kFile));
  EXPECT_TRUE(labels.Names("/etc/passwd", FileClass::kFile));
}

TEST(FileLabels, KnowsTheKernelsFileSystems) {
  const FileLabels labels = Labels();
  EXPECT_EQ(labels.TypeOf("/proc/cpuinfo", FileClass::kFile), "proc_t");
  EXPECT_EQ(labels.TypeOf("/proc/sys/kernel/hostname", FileClass::kFile), "sysctl_kernel_t");
  EXPECT_EQ(labels.TypeOf("/proc/sys/net/core", FileClass::kDirectory), "sysctl_t");
  EXPECT_EQ(labels.TypeOf("/sys/fs/cgroup/memory.max", FileClass::kFile), "cgroup_t");
  EXPECT_EQ(labels.TypeOf("/sys/fs", FileClass::kDirectory), "sysfs_t");
  EXPECT_EQ(labels.TypeOf("/dev/shm/x", FileClass::kFile), "tmpfs_t");
}

TEST(FileLabels, GivesATasksEntriesToTheTask) {
  const FileLabels labels = Labels();
  EXPECT_EQ(labels.TypeOf("/proc/self", FileClass::kSymlink), "proc_t");
  EXPECT_EQ(labels.TypeOf("/proc/self", FileClass::kDirectory), "self");
  EXPECT_EQ(labels.TypeOf("/proc/self/status", FileClass::kFile), "self");
  EXPECT_EQ(labels.TypeOf("/proc/self/net/tcp", FileClass::kFile), "proc_net_t");
  EXPECT_EQ(labels.TypeOf("/proc/1/status", FileClass::kFile), "");
}

TEST(FileContextRegex, MatchesNothingElse) {
  EXPECT_EQ(PathRegex("/a.b+c(1)"), "/a\\.b\\+c\\(1\\)");
  EXPECT_EQ(PathRegex("/a b\"c\n"), "/a.b.c.");
  EXPECT_EQ(TreeRegex("/"), "/.*");
  EXPECT_EQ(TreeRegex("/srv/x"), "/srv/x(/.*)?");
  EXPECT_EQ(GlobRegex("/dev/tty*"), "/dev/tty[^/]*");
}

}  // namespace
}  // namespace cordon
