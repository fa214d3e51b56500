#include "runtime/terminal_actions.h"

#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <array>
#include <csignal>

#include "runtime/linux_calls.h"
#include "runtime/setup_channel.h"

namespace cordon {
namespace {

using namespace linux_calls;

int CloneForConsole(int root, int terminal) {
  if (Holds(Guard::kOwnTerminal)) {
    return OpenTree(terminal, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
  }
  const int found = OpenInRoot(root, "/dev/pts/0", O_PATH);
  return OpenTree(found, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

}  // namespace

StepResult OpenMultiplexer(int root, const char* path, int& master) {
  master = OpenInRoot(root, path, O_RDWR | O_NOCTTY, RESOLVE_NO_SYMLINKS);
  struct statfs status{};
  if (master < 0 || ::fstatfs(master, &status) != 0) {
    return Failed(LaunchStep::kTerminal);
  }
  return status.f_type == DEVPTS_SUPER_MAGIC ? kDone : StepResult{LaunchStep::kTerminal, ENOTTY, 0};
}

StepResult OpenTerminalOf(int master, int& terminal) {
  int unlock = 0;
  if (::ioctl(master, TIOCSPTLCK, &unlock) != 0) {
    return Failed(LaunchStep::kTerminal);
  }
  // Not by a path: it is the other end of this master wherever /dev/pts leads (CVE-2025-52565).
  terminal = ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  return terminal >= 0 ? kDone : Failed(LaunchStep::kTerminal);
}

StepResult SetTerminalSize(int terminal, const TerminalSize& size) {
  winsize set{};
  set.ws_row = size.rows;
  set.ws_col = size.columns;
  return ::ioctl(terminal, TIOCSWINSZ, &set) == 0 ? kDone : Failed(LaunchStep::kTerminal);
}

StepResult MakeStreams(int terminal) {
  for (int stream = 0; stream <= STDERR_FILENO; ++stream) {
    if (::dup2(terminal, stream) < 0) {
      return Failed(LaunchStep::kTerminal);
    }
  }
  return kDone;
}

StepResult ControlTerminal() {
  if (::setsid() < 0) {
    return Failed(LaunchStep::kSession);
  }
  // Its keys must be heard, also where cordon was started in the background of a script, which
  // ignores them.
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU}) {
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    (void)::sigaction(signal, &action, nullptr);
  }
  return ::ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0 ? kDone : Failed(LaunchStep::kTerminal);
}

StepResult ShowConsole(int root, int terminal) {
  const int dev = OpenInRoot(root, "/dev", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (dev < 0 || (::mknodat(dev, "console", S_IFREG | 0600, 0) != 0 && errno != EEXIST)) {
    return Failed(LaunchStep::kConsole);
  }
  const int target = OpenInRoot(dev, "/console", O_PATH, RESOLVE_NO_SYMLINKS);
  if (target < 0) {
    return Failed(LaunchStep::kConsole);
  }
  const int console = CloneForConsole(root, terminal);
  if (console < 0 || MoveMount(console, target) != 0) {
    return Failed(LaunchStep::kConsole);
  }
  (void)::close(console);
  (void)::close(target);
  (void)::close(dev);
  return kDone;
}

StepResult HandOverTerminal(int supervisor, int master, int terminal, uid_t owner,
                            const TerminalSize& size) {
  if (::fchown(terminal, owner, static_cast<gid_t>(-1)) != 0) {
    return Failed(LaunchStep::kTerminal);
  }
  if (const StepResult result = SetTerminalSize(terminal, size); !result.ok()) {
    return result;
  }
  if (const StepResult result = MakeStreams(terminal); !result.ok()) {
    return result;
  }
  const std::array<int, 1> made{master};
  if (const int sent = SendSetupMessage(
          supervisor, {SetupMessageKind::kTerminal, LaunchStep::kNone, 0, 0}, made);
      sent != 0) {
    return {LaunchStep::kTerminal, sent, 0};
  }
  (void)::close(terminal);
  (void)::close(master);
  return kDone;
}

}  // namespace cordon
