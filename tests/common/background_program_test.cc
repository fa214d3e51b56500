#include "common/background_program.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "common/pipe.h"

namespace cordon {
namespace {

/// All that comes from `fd` until its end; fails after ten seconds.
std::string ReadToEnd(int fd) {
  std::string text;
  std::array<char, 256> buffer{};
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  while (::poll(&wait, 1, 10'000) == 1) {
    const ssize_t length = ::read(fd, buffer.data(), buffer.size());
    if (length <= 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(length));
  }
  ADD_FAILURE() << "no end after: " << text;
  return text;
}

std::string ReadLine(int fd) {
  std::string line;
  char byte = 0;
  while (::read(fd, &byte, 1) == 1 && byte != '\n') {
    line += byte;
  }
  return line;
}

TEST(BackgroundProgramTest, ItsEndIsSeen) {
  const auto program = BackgroundProgram::Start({"sh", "-c", "echo oops >&2"});
  ASSERT_TRUE(program);
  EXPECT_EQ(ReadToEnd(program->errors()), "oops\n");
}

TEST(BackgroundProgramTest, SaysThatThereIsNoSuchProgram) {
  const auto program = BackgroundProgram::Start({"no-such-program"});
  ASSERT_TRUE(program);
  EXPECT_EQ(ReadToEnd(program->errors()), "no-such-program cannot be run: it is not installed\n");
}

TEST(BackgroundProgramTest, IsKilledWithTheObject) {
  int pid = 0;
  {
    const auto program = BackgroundProgram::Start({"sh", "-c", "echo $$ >&2; exec sleep 1000"});
    ASSERT_TRUE(program);
    pid = std::stoi(ReadLine(program->errors()));
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

TEST(BackgroundProgramTest, IsKilledWhenItsStarterIs) {
  auto told = MakePipe();
  ASSERT_TRUE(told);
  const pid_t starter = ::fork();
  if (starter == 0) {
    const auto program = BackgroundProgram::Start({"sh", "-c", "echo $$ >&2; exec sleep 1000"});
    const std::string line = ReadLine(program->errors()) + "\n";
    (void)!::write(told->write_end.get(), line.data(), line.size());
    ::pause();
  }
  const int pid = std::stoi(ReadLine(told->read_end.get()));
  EXPECT_EQ(::kill(pid, 0), 0);
  ::kill(starter, SIGKILL);
  ::waitpid(starter, nullptr, 0);
  for (int i = 0; i < 1000 && ::kill(pid, 0) == 0; ++i) {
    ::usleep(10'000);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(BackgroundProgramTest, HasNothingOfOurs) {
  ASSERT_TRUE(MakePipe());
  const auto program = BackgroundProgram::Start({"sh", "-c",
                                                 "ls /proc/self/fd >&2; grep -E 'Sig(Blk|Ign)' "
                                                 "/proc/self/status >&2; cat >&2"});
  ASSERT_TRUE(program);
  // 3 is the folder that ls reads.
  EXPECT_EQ(ReadToEnd(program->errors()),
            "0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

}  // namespace
}  // namespace cordon
