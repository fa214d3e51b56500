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

// Only the lines that can match in a path's folder are tried.
TEST(FileLabels, FindsContextsWhateverTheyBeginWith) {
  const Expected<FileLabels> labels = FileLabels::Create(
      "/.* system_u:object_r:default_t:s0\n"
      "/a/b?c/.* system_u:object_r:maybe_t:s0\n"
      "/a/bb*/x system_u:object_r:many_t:s0\n"
      "/(a|e)/f/.* system_u:object_r:either_t:s0\n"
      "/g/h/.*|/i/j/.* system_u:object_r:one_t:s0\n"
      "/a/[|(]k/.* system_u:object_r:odd_t:s0\n"
      "/a/l\\.d/.* system_u:object_r:dot_t:s0\n"
      "\t/a/m/n/o/.* -- system_u:object_r:deep_t:s0\n"
      "# /a/m/n/.* system_u:object_r:comment_t:s0\n"
      "/a/m/n/o/p -- system_u:object_r:exact_t:s0\n",
      "", {});
  ASSERT_TRUE(labels.has_value()) << labels.error().message;

  struct Row {
    const char* path;
    const char* type;
  };

  for (const Row& row :
       {Row{"/a/c/1", "maybe_t"}, Row{"/a/bc/1", "maybe_t"}, Row{"/a/b/x", "many_t"},
        Row{"/a/bbb/x", "many_t"}, Row{"/a/f/1", "either_t"}, Row{"/e/f/1", "either_t"},
        Row{"/g/h/1", "one_t"}, Row{"/a/|k/1", "odd_t"}, Row{"/a/l.d/1", "dot_t"},
        Row{"/a/lxd/1", "default_t"}, Row{"/a/m/n/o/q", "deep_t"}, Row{"/a/m/n/o/p", "exact_t"},
        Row{"/a/m/n/r", "default_t"}, Row{"/z", "default_t"}}) {
    EXPECT_EQ(labels->TypeOf(row.path, FileClass::kFile), row.type) << row.path;
  }
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
