#include "common/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "common/pipe.h"
#include "common/text.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxOutputBytes = std::size_t{64} << 20;

/// A child that is killed and reaped if the scope ends before Wait().
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  ~Child() {
    if (pid_ > 0) {
      (void)::kill(pid_, SIGKILL);
      (void)Wait();
    }
  }

  int Wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

Expected<pid_t> Spawn(const std::vector<std::string>& arguments, const Pipe& in, const Pipe& out,
                      const Pipe& err) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    argv.push_back(
        const_cast<char*>(argument.c_str()));  // NOLINT(cppcoreguidelines-pro-type-const-cast):
                                               // posix_spawn(3) does not write
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end.get(), STDERR_FILENO);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return Fail(SystemError(failed, fmt::format("execute {}", Quote(arguments[0]))));
  }
  return pid;
}

/// Takes what is there from `fd` into `into`; closes it at its end.
Status Drain(UniqueFd& fd, std::string& into) {
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
  if (got == 0 || (got < 0 && errno != EINTR)) {
    fd.Reset();
  } else if (got > 0) {
    into.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (into.size() > kMaxOutputBytes) {
    return Fail(
        MakeError(ErrorCode::kLimit,
                  fmt::format("a helper program wrote more than {} bytes", kMaxOutputBytes)));
  }
  return {};
}

/// Gives what `fd` takes of `input`; closes it when all is given or the reader has gone (EPIPE).
void Feed(UniqueFd& fd, std::string_view& input) {
  const ssize_t written = input.empty() ? 0 : ::write(fd.get(), input.data(), input.size());
  if (written < 0 && (errno == EINTR || errno == EAGAIN)) {
    return;
  }
  if (written > 0) {
    input.remove_prefix(static_cast<std::size_t>(written));
  }
  if (written < 0 || input.empty()) {
    fd.Reset();
  }
}

}  // namespace

Expected<ProgramOutput> RunProgram(const std::vector<std::string>& arguments,
                                   std::chrono::milliseconds timeout, std::string_view input) {
  ASSIGN_OR_RETURN(Pipe in, MakePipe());
  ASSIGN_OR_RETURN(Pipe out, MakePipe());
  ASSIGN_OR_RETURN(Pipe err, MakePipe());
  // A helper that does not read its input must not kill us by SIGPIPE nor block us: the write end
  // is non-blocking, SIGPIPE is ignored here.
  (void)::fcntl(in.write_end.get(), F_SETFL, O_NONBLOCK);
  struct sigaction ignore{};
  struct sigaction before{};
  ignore.sa_handler = SIG_IGN;
  (void)::sigaction(SIGPIPE, &ignore, &before);
  auto spawned = Spawn(arguments, in, out, err);
  if (!spawned) {
    (void)::sigaction(SIGPIPE, &before, nullptr);
    return Fail(std::move(spawned).error());
  }
  Child child(*spawned);
  in.read_end.Reset();
  out.write_end.Reset();
  err.write_end.Reset();
  ProgramOutput output;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  Status status;
  while (status && (out.read_end.valid() || err.read_end.valid())) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    std::array<pollfd, 3> polled{{{.fd = out.read_end.get(), .events = POLLIN, .revents = 0},
                                  {.fd = err.read_end.get(), .events = POLLIN, .revents = 0},
                                  {.fd = in.write_end.get(), .events = POLLOUT, .revents = 0}}};
    if (left.count() <= 0 ||
        ::poll(polled.data(), polled.size(), static_cast<int>(left.count())) == 0) {
      status = Fail(SystemError(ETIMEDOUT, Quote(arguments[0])));
      break;
    }
    if (polled[0].revents != 0) {
      status = Drain(out.read_end, output.standard_output);
    }
    if (status && polled[1].revents != 0) {
      status = Drain(err.read_end, output.standard_error);
    }
    if (polled[2].revents != 0) {
      Feed(in.write_end, input);
    }
  }
  (void)::sigaction(SIGPIPE, &before, nullptr);
  if (!status) {
    return Fail(std::move(status).error());
  }
  output.exit_code = child.Wait();
  return output;
}

}  // namespace cordon
