#include "runtime/seccomp_notifier.h"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "observe/file_name.h"
#include "runtime/call_text.h"
#include "runtime/has_executed.h"
#include "runtime/process_chain.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxDistinctReports = 1000;

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

SeccompNotifier::SeccompNotifier(UniqueFd listener, pid_t launcher, CallJudge& judge,
                                 CallAuditor* auditor, Reports reports)
    : listener_(std::move(listener)),
      judge_(judge),
      launcher_(launcher),
      auditor_(auditor),
      enforcement_(auditor != nullptr ? Enforcement::kAudit : Enforcement::kEnforce),
      reports_(std::move(reports)) {}

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

std::string SeccompNotifier::KindOf(const Violation& violation) {
  return violation.call + " " + violation.executable;
}

bool SeccompNotifier::IsNew(const Violation& violation) const {
  return seen_.size() < kMaxDistinctReports && !seen_.contains(KindOf(violation));
}

void SeccompNotifier::ReportNew(const Violation& violation) {
  ++reported_;
  reports_.on_violation(violation);
  seen_.insert(KindOf(violation));
  if (seen_.size() == kMaxDistinctReports && reports_.on_warning) {
    reports_.on_warning(
        fmt::format("{} kinds of violations were reported: further ones are only "
                    "counted",
                    kMaxDistinctReports));
  }
}

CallJudge::Caller SeccompNotifier::CallerOf(pid_t thread) {
  // An execve(2) that the policy allows does not come here, so it cannot be waited for.
  if (launcher_ != 0 && (thread != launcher_ || HasExecuted(thread))) {
    launcher_ = 0;
  }
  return launcher_ != 0 ? CallJudge::Caller::kLauncher : CallJudge::Caller::kWorkload;
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
  const auto thread = static_cast<pid_t>(notification->pid);
  const CallJudge::Caller caller = CallerOf(thread);
  ASSIGN_OR_RETURN(const Judgement judgement, judge_.Judge(invocation, caller));
  Violation violation{.invocation = invocation,
                      .thread = thread,
                      .answer = judgement.answer,
                      .phase = judgement.phase,
                      .of_the_start = judgement.of_the_start,
                      .enforcement = enforcement_};
  std::uint64_t id = notification->id;
  if (auditor_ != nullptr ? !auditor_->Look(violation) : Admits(violation.answer)) {
    return Send(id, SeccompAction::Allow());
  }
  if (caller == CallJudge::Caller::kWorkload) {
    violation.executable = ReadLinkText(fmt::format("/proc/{}/exe", thread)).value_or("");
  }
  violation.call = DescribeCall(invocation, thread);
  const bool is_new = violation.is_refusal() && IsNew(violation);
  if (is_new) {
    violation.chain = ReadProcessChain(thread);
  }
  // Only now is it sure that what was read belonged to the caller and not to a later process with
  // its number.
  if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) != 0) {
    return {};
  }
  RETURN_IF_ERROR(
      Send(id, enforcement_ == Enforcement::kAudit ? SeccompAction::Allow() : violation.answer));
  if (auditor_ != nullptr && reports_.on_audited) {
    reports_.on_audited(violation);
  }
  violations_ += violation.is_refusal() ? 1 : 0;
  if (is_new) {
    ReportNew(violation);
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
