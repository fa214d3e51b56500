#include "observe/executable_image.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "common/unique_fd.h"
#include "tests/testing/skip.h"
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
      ReadExecutableImage({folder + "/outer", FileClass::kFile}, resolver);
  EXPECT_TRUE(image.is_script);
  ASSERT_GE(image.interpreters.size(), 2U);
  EXPECT_EQ(image.interpreters[0].path, folder + "/inner");
  EXPECT_EQ(image.interpreters[1].path, self);

  const ExecutableImage program = ReadExecutableImage({self, FileClass::kFile}, resolver);
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
    EXPECT_TRUE(
        ReadExecutableImage({folder + "/file", FileClass::kFile}, resolver).interpreters.empty());
  }
}

/// A process whose root is `folder`; ended with this.
class RootedTask {
 public:
  explicit RootedTask(const std::string& folder) {
    std::array<int, 2> ready{};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0) {
      return;
    }
    id_ = ::fork();
    if (id_ == 0) {
      const bool rooted = ::chroot(folder.c_str()) == 0 ||
                          (::unshare(CLONE_NEWUSER) == 0 && ::chroot(folder.c_str()) == 0);
      (void)!::write(ready[1], rooted ? "y" : "n", 1);
      ::pause();
      ::_exit(0);
    }
    const UniqueFd read_end(ready[0]);
    const UniqueFd write_end(ready[1]);
    char said = 'n';
    rooted_ = ::read(read_end.get(), &said, 1) == 1 && said == 'y';
  }

  RootedTask(const RootedTask&) = delete;
  RootedTask& operator=(const RootedTask&) = delete;

  ~RootedTask() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      ::waitpid(id_, nullptr, 0);
    }
  }

  pid_t id() const { return id_; }

  bool rooted() const { return rooted_; }

 private:
  pid_t id_ = -1;
  bool rooted_ = false;
};

TEST(ReadExecutableImage, FollowsNoLinkOutOfTheRoot) {
  const testing::TempDir temp;
  const std::string folder = std::filesystem::canonical(temp.path());
  std::filesystem::create_directories(folder + "/root/bin");
  std::filesystem::create_directories(folder + "/outside");
  std::ofstream(folder + "/root/bin/program") << "#!/bin/program\n";
  std::ofstream(folder + "/outside/program") << "#!/bin/program\n";
  std::filesystem::create_symlink(folder + "/outside", folder + "/root/swapped");
  std::filesystem::create_symlink(folder + "/outside/program", folder + "/root/bin/link");
  const RootedTask task(folder + "/root");
  if (!task.rooted()) {
    SKIP_BECAUSE("chroot(2) takes root or a user namespace");
  }
  const IsWorkloadTask nobody = [](pid_t) { return false; };
  const PathResolver resolver(
      {.task = task.id(), .innermost_pid = task.id(), .root = folder + "/root"}, nobody);
  // The control: within the root it is read.
  EXPECT_TRUE(ReadExecutableImage({"/bin/program", FileClass::kFile}, resolver).is_script);
  // Names that were plain when they were resolved, and where links were put since.
  EXPECT_FALSE(ReadExecutableImage({"/swapped/program", FileClass::kFile}, resolver).is_script);
  EXPECT_FALSE(ReadExecutableImage({"/bin/link", FileClass::kFile}, resolver).is_script);
}

TEST(ReadExecutableImage, OpensNothingButFiles) {
  const testing::TempDir temp;
  const std::string fifo = std::filesystem::canonical(temp.path()).string() + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const UniqueFd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(watch.get(), fifo.c_str(), IN_OPEN), 0);
  const auto was_opened = [&] {
    std::array<char, 4096> events{};
    return ::read(watch.get(), events.data(), events.size()) > 0;
  };
  const IsWorkloadTask nobody = [](pid_t) { return false; };
  const PathResolver resolver({.task = ::getpid(), .innermost_pid = ::getpid(), .root = "/"},
                              nobody);
  EXPECT_FALSE(ReadExecutableImage({fifo, FileClass::kFile}, resolver).is_script);
  EXPECT_FALSE(was_opened());
  const UniqueFd opened(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_TRUE(was_opened());  // the control
}

}  // namespace
}  // namespace cordon
