#include "observe/executable_image.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

TEST(ScriptInterpreter, TakesTheFirstWord) {
  EXPECT_EQ(ScriptInterpreter("#!/bin/sh\n"), "/bin/sh");
  EXPECT_EQ(ScriptInterpreter("#! \t/usr/bin/env python3\nprint()"), "/usr/bin/env");
  EXPECT_EQ(ScriptInterpreter("#!/bin/sh"), "/bin/sh");
  EXPECT_EQ(ScriptInterpreter("#!\n/bin/sh"), "");
  EXPECT_EQ(ScriptInterpreter("/bin/sh"), "");
}

TEST(ReadExecutableImage, FollowsTheChain) {
  const testing::TempDir temp;
  const std::string folder = std::filesystem::canonical(temp.path());
  const std::string self = std::filesystem::canonical("/proc/self/exe");
  std::ofstream(folder + "/inner") << "#!" << self << "\n";
  std::ofstream(folder + "/outer") << "#!" << folder << "/inner -x\n";
  const IsWorkloadTask nobody = [](pid_t) { return false; };
  const PathResolver resolver({.task = ::getpid(), .innermost_pid = ::getpid(), .root = "/"},
                              nobody);
  const ExecutableImage image =
      ReadExecutableImage(::getpid(), {folder + "/outer", FileClass::kFile}, resolver);
  EXPECT_TRUE(image.is_script);
  ASSERT_GE(image.interpreters.size(), 2U);
  EXPECT_EQ(image.interpreters[0].path, folder + "/inner");
  EXPECT_EQ(image.interpreters[1].path, self);

  const ExecutableImage program =
      ReadExecutableImage(::getpid(), {self, FileClass::kFile}, resolver);
  EXPECT_FALSE(program.is_script);
  EXPECT_LE(program.interpreters.size(), 1U);  // the dynamic linker, unless linked statically
}

TEST(ReadExecutableImage, TakesAnyFile) {
  const testing::TempDir temp;
  const std::string folder = std::filesystem::canonical(temp.path());
  const IsWorkloadTask nobody = [](pid_t) { return false; };
  const PathResolver resolver({.task = ::getpid(), .innermost_pid = ::getpid(), .root = "/"},
                              nobody);
  const std::string elf(
      "\x7f"
      "ELF\x02\x01\x01",
      7);
  for (const std::string& content : {std::string(), std::string("#!"), elf,
                                     elf + std::string(300, '\xff'), std::string("#!/no/such")}) {
    std::ofstream(folder + "/file") << content;
    EXPECT_TRUE(ReadExecutableImage(::getpid(), {folder + "/file", FileClass::kFile}, resolver)
                    .interpreters.empty());
  }
}

}  // namespace
}  // namespace cordon
