#include "common/background_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "common/file.h"
#include "common/pipe.h"

namespace cordon {
namespace {

void Say(std::string_view text) {
  (void)!::write(STDERR_FILENO, text.data(), text.size());
}

[[noreturn]] void Execute(char* const* arguments) {
  for (int signal = 1; signal < NSIG; ++signal) {
    (void)::signal(signal, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  (void)::execvp(arguments[0], arguments);
  const char* reason = errno == ENOENT ? "it is not installed" : std::strerror(errno);
  Say(arguments[0]);
  Say(" cannot be run: ");
  Say(reason);
  Say("\n");
  ::_exit(127);
}

/// In the process between: stdin is the pipe that ends with the starter, stderr the program's.
[[noreturn]] void Keep(char* const* arguments) {
  (void)::setsid();
  const pid_t program = ::fork();
  if (program == 0) {
    (void)::dup2(STDOUT_FILENO, STDIN_FILENO);
    Execute(arguments);
  }
  if (program < 0) {
    Say("fork: ");
    Say(std::strerror(errno));
    ::_exit(125);
  }
  (void)::close(STDERR_FILENO);
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, program, 0));
  std::array<pollfd, 2> waits{{{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                               {.fd = pidfd, .events = POLLIN, .revents = 0}}};
  while (pidfd >= 0 && ::poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR) {
  }
  (void)::kill(program, SIGKILL);
  while (::waitpid(program, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::_exit(0);
}

}  // namespace

Expected<BackgroundProgram> BackgroundProgram::Start(const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(Pipe life, MakePipe());
  ASSIGN_OR_RETURN(Pipe errors, MakePipe());
  ASSIGN_OR_RETURN(const UniqueFd null, OpenAt(AT_FDCWD, "/dev/null", O_RDWR));
  std::vector<char*> list;
  list.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    list.push_back(const_cast<char*>(argument.c_str()));
  }
  list.push_back(nullptr);
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  (void)::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    if (::dup2(life.read_end.get(), STDIN_FILENO) < 0 || ::dup2(null.get(), STDOUT_FILENO) < 0 ||
        ::dup2(errors.write_end.get(), STDERR_FILENO) < 0 ||
        ::syscall(SYS_close_range, 3U, ~0U, 0) != 0) {
      ::_exit(125);
    }
    Keep(list.data());
  }
  const int fork_errno = errno;
  (void)::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (keeper < 0) {
    return Fail(SystemError(fork_errno, "fork"));
  }
  return BackgroundProgram(keeper, std::move(life.write_end), std::move(errors.read_end));
}

BackgroundProgram::~BackgroundProgram() {
  life_.Reset();
  if (keeper_ > 0) {
    while (::waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

}  // namespace cordon
