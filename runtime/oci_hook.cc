#include "runtime/oci_hook.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>

namespace cordon {
namespace {

constexpr std::string_view kPidMember = "\"pid\":";

bool WriteAll(int file, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(file, data, size);
    if (written < 0) {
      return false;
    }
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

/// A file with the state, at its beginning: unlike a pipe it takes any size at once.
int StateFile(const OciHookState& state, pid_t pid) {
  std::array<char, 16> digits{};
  std::size_t first = digits.size();
  for (auto rest = static_cast<unsigned>(pid); first == digits.size() || rest != 0; rest /= 10) {
    digits.at(--first) = static_cast<char>('0' + rest % 10);
  }
  const int file = ::memfd_create("state", MFD_CLOEXEC);
  if (file >= 0 && WriteAll(file, state.before_pid.data(), state.before_pid.size()) &&
      WriteAll(file, digits.data() + first, digits.size() - first) &&
      WriteAll(file, state.after_pid.data(), state.after_pid.size()) &&
      ::lseek(file, 0, SEEK_SET) == 0) {
    return file;
  }
  const int saved = errno;
  if (file >= 0) {
    (void)::close(file);
  }
  errno = saved;
  return -1;
}

[[noreturn]] void Execute(const OciHookCall& hook, int state, int errors) {
  // Its children are to be found when its time is over.
  (void)::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int said = errors >= 0 ? errors : null;
  if (::dup2(state, STDIN_FILENO) >= 0 && (null < 0 || ::dup2(null, STDOUT_FILENO) >= 0) &&
      (said < 0 || ::dup2(said, STDERR_FILENO) >= 0) &&
      ::syscall(SYS_close_range, 3U, ~0U, 0) == 0) {
    (void)::execve(hook.path, const_cast<char* const*>(hook.arguments.data()),
                   const_cast<char* const*>(hook.environment.data()));
  }
  ::_exit(errno == 0 || errno > 125 ? 125 : 126);
}

/// The hook's exit, which is looked at without reaping, and its group killed when time is over.
int Await(pid_t child, int pidfd, int timeout_ms) {
  pollfd wait{pidfd, POLLIN, 0};
  int found = 0;
  while ((found = ::poll(&wait, 1, timeout_ms)) < 0 && errno == EINTR) {
  }
  if (found <= 0) {
    (void)::kill(-child, SIGKILL);
    (void)::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      return errno;
    }
  }
  if (found <= 0) {
    return ETIME;
  }
  return status == 0 ? 0 : ECHILD;
}

}  // namespace

OciHookCall::OciHookCall(const OciHook& hook)
    : path(hook.path.c_str()),
      timeout_ms(hook.timeout_seconds
                     ? static_cast<int>(std::min<std::uint32_t>(*hook.timeout_seconds, 2'000'000)) *
                           1000
                     : -1) {
  // execv's argv as config.md has it; without one the path alone.
  if (hook.arguments.empty()) {
    arguments.push_back(hook.path.c_str());
  }
  for (const std::string& argument : hook.arguments) {
    arguments.push_back(argument.c_str());
  }
  arguments.push_back(nullptr);
  for (const std::string& variable : hook.environment) {
    environment.push_back(variable.c_str());
  }
  environment.push_back(nullptr);
}

std::vector<OciHookCall> OciHookCalls(const std::vector<OciHook>& hooks) {
  std::vector<OciHookCall> calls;
  calls.reserve(hooks.size());
  for (const OciHook& hook : hooks) {
    calls.emplace_back(hook);
  }
  return calls;
}

OciHookState SplitOciState(const std::string& state) {
  // Before any text of the user's but the id, which holds no quotes.
  const std::size_t start = state.find(kPidMember) + kPidMember.size();
  const std::size_t end = state.find_first_not_of("0123456789", start);
  return {state.substr(0, start), state.substr(end)};
}

int RunOciHook(const OciHookCall& hook, const OciHookState& state, pid_t pid, int errors) {
  const int file = StateFile(state, pid);
  if (file < 0) {
    return errno;
  }
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  const auto child = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (child == 0) {
    Execute(hook, file, errors);
  }
  const int clone_errno = errno;
  (void)::close(file);
  if (child < 0) {
    return clone_errno;
  }
  const int result = Await(child, pidfd, hook.timeout_ms);
  (void)::close(pidfd);
  return result;
}

}  // namespace cordon
