#include "runtime/seccomp_notifier.h"

#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "common/file.h"
#include "runtime/call_text.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxDistinctReports = 1000;
constexpr std::size_t kCommLimit = 64;

std::string ReadExecutable(pid_t thread) {
  std::array<char, PATH_MAX> path{};
  const ssize_t length =
      ::readlink(("/proc/" + std::to_string(thread) + "/exe").c_str(), path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string();
}

std::string ReadCommand(pid_t thread) {
  std::string name = ReadFile("/proc/" + std::to_string(thread) + "/comm", kCommLimit).value_or("");
  while (!name.empty() && name.back() == '\n') {
    name.pop_back();
  }
  return name;
}

SyscallInvocation InvocationOf(const seccomp_data& data) {
  SyscallInvocation invocation;
  const auto number = static_cast<std::uint32_t>(data.nr);
  invocation.call.arch = ArchitectureFromAudit(data.arch, number).value_or(NativeArchitecture());
  invocation.call.number = invocation.call.arch == Architecture::kX32
                               ? static_cast<std::int32_t>(number & ~kX32SyscallBit)
                               : data.nr;
  std::ranges::copy(data.args, invocation.arguments.begin());
  return invocation;
}

}  // namespace

SeccompNotifier::SeccompNotifier(UniqueFd listener, CallJudge& judge, Enforcement enforcement,
                                 Report report)
    : listener_(std::move(listener)),
      judge_(judge),
      enforcement_(enforcement),
      report_(std::move(report)) {}

Status SeccompNotifier::Prepare() {
  seccomp_notif_sizes sizes{};
  if (::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0) {
    const int seccomp_errno = errno;
    return Fail(SystemError(seccomp_errno, "asking for the sizes of seccomp notifications"));
  }
  // A newer kernel may write more than this program's headers know (seccomp_unotify(2)).
  const auto words = [](std::size_t kernel, std::size_t ours) {
    return (std::max(kernel, ours) + 7) / 8;
  };
  request_.resize(words(sizes.seccomp_notif, sizeof(seccomp_notif)));
  response_.resize(words(sizes.seccomp_notif_resp, sizeof(seccomp_notif_resp)));
  return {};
}

bool SeccompNotifier::IsNew(const Violation& violation) {
  if (seen_.size() >= kMaxDistinctReports) {
    return false;
  }
  return seen_.insert(violation.call + " " + violation.executable).second;
}

Status SeccompNotifier::HandleOne() {
  std::ranges::fill(request_, 0);
  auto* const notification = reinterpret_cast<seccomp_notif*>(request_.data());
  if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, notification) != 0) {
    const int receive_errno = errno;
    if (receive_errno == ENOENT || receive_errno == EINTR) {
      return {};  // killed between the poll and here
    }
    return Fail(SystemError(receive_errno, "receiving a seccomp notification"));
  }
  const SyscallInvocation invocation = InvocationOf(notification->data);
  ASSIGN_OR_RETURN(const Judgement judgement, judge_.Judge(invocation, caller_));
  if (caller_ == CallJudge::Caller::kLauncher && SyscallName(invocation.call) == "execve") {
    caller_ = CallJudge::Caller::kWorkload;
  }
  if (Admits(judgement.answer)) {
    return Send(notification->id, judgement.answer);
  }
  const auto thread = static_cast<pid_t>(notification->pid);
  const Violation violation{invocation,
                            thread,
                            ReadExecutable(thread),
                            ReadCommand(thread),
                            DescribeCall(invocation, thread),
                            judgement.answer,
                            judgement.of_the_start,
                            enforcement_};
  // Only now is it sure that what was read belonged to the caller and not to a later process with
  // its number.
  std::uint64_t id = notification->id;
  if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) != 0) {
    return {};
  }
  RETURN_IF_ERROR(
      Send(id, enforcement_ == Enforcement::kAudit ? SeccompAction::Allow() : violation.answer));
  ++violations_;
  if (IsNew(violation)) {
    ++reported_;
    report_(violation);
  }
  return {};
}

Status SeccompNotifier::Send(std::uint64_t id, const SeccompAction& answer) {
  std::ranges::fill(response_, 0);
  auto* const response = reinterpret_cast<seccomp_notif_resp*>(response_.data());
  response->id = id;
  if (Admits(answer)) {
    response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else {
    response->error = -static_cast<std::int32_t>(answer.data);
  }
  if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, response) != 0) {
    const int send_errno = errno;
    if (send_errno != ENOENT) {
      return Fail(SystemError(send_errno, "answering a seccomp notification"));
    }
  }
  return {};
}

}  // namespace cordon
