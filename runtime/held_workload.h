#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/outcome.h"
#include "runtime/call_auditor.h"
#include "runtime/call_judge.h"
#include "runtime/launch_plan.h"
#include "runtime/sandbox_options.h"
#include "runtime/seccomp_notifier.h"
#include "runtime/setup_channel.h"

namespace cordon {

/// The supervisor's side of one workload and the process that holds it (runtime/hold_workload.h):
/// checks its confinement before it may execute, answers its seccomp notifications, learns how it
/// ended. The holder is killed with this, and with the sandbox's first process all that is in its
/// pid namespace.
class HeldWorkload {
 public:
  using TakeSocket = std::function<void(std::uint32_t ticket, UniqueFd socket)>;

  /// All must outlive this. `auditor`: nothing where the policy is enforced.
  HeldWorkload(const LaunchPlan& plan, const SandboxOptions& options, CallJudge& judge,
               CallAuditor* auditor)
      : plan_(plan), options_(options), judge_(judge), auditor_(auditor) {}

  HeldWorkload(const HeldWorkload&) = delete;
  HeldWorkload& operator=(const HeldWorkload&) = delete;

  ~HeldWorkload() { Kill(); }

  /// Makes the channel; the other end is for the holder.
  Expected<UniqueFd> OpenChannel();

  /// The child of clone3, which waits for Proceed().
  void SetHolder(UniqueFd pidfd) { holder_ = std::move(pidfd); }

  void SetTakeSocket(TakeSocket take) { take_socket_ = std::move(take); }

  /// Who gets the socket that HoldContext::notify_address asks for.
  void SetTakeNotifySocket(std::function<void(UniqueFd)> take) {
    take_notify_socket_ = std::move(take);
  }

  /// Who gets the master of the plan's terminal, before the command is executed.
  void SetTakeTerminal(std::function<void(UniqueFd)> take) { take_terminal_ = std::move(take); }

  void Proceed();
  /// Asks the holder for a TCP socket of `family` in its network namespace.
  void RequestSocket(int family, std::uint32_t ticket);

  /// To wait on; -1 (which poll(2) ignores) when there is nothing to wait for.
  int channel() const { return channel_.get(); }

  int notifications() const { return notifier_open_ ? notifier_->fd() : -1; }

  /// When channel() is readable. Fails when the workload could not be confined as planned.
  Status TakeMessage();
  /// When notifications() has `events` of poll(2).
  Status HandleNotifications(short events);

  /// Whether it was confined, and has begun to execute.
  bool begun() const { return workload_.valid(); }

  /// As this process's pid namespace numbers it; 0 before it has begun.
  pid_t pid() const { return pid_; }

  /// pidfd_send_signal(2). Nothing before it has begun.
  void Signal(int signal) const;

  /// The Landlock ruleset that the holder made; -1: none.
  int landlock_ruleset() const { return ruleset_.get(); }

  /// The workload's time namespace; -1: the host's.
  int time_namespace() const { return time_namespace_.get(); }

  /// Nothing while it lives.
  const std::optional<Outcome>& outcome() const { return outcome_; }

  void SetOutcome(Outcome outcome) { outcome_ = outcome; }

  std::uint64_t violations() const { return notifier_ ? notifier_->violations() : 0; }

  std::uint64_t unreported() const { return notifier_ ? notifier_->unreported() : 0; }

  /// Asks the kernel to kill the workload and the holder, without waiting: what is frozen dies only
  /// when it is thawed (on v1), and holder() says when.
  void BeginKill() const;

  /// Readable (poll(2)) once the holder is gone; -1 before SetHolder() and after Kill().
  int holder() const { return holder_.get(); }

  /// Kills the holder and waits until it is gone.
  void Kill();

 private:
  Status Confined(UniqueFd workload, UniqueFd listener);

  const LaunchPlan& plan_;
  const SandboxOptions& options_;
  CallJudge& judge_;
  CallAuditor* auditor_;
  TakeSocket take_socket_;
  std::function<void(UniqueFd)> take_notify_socket_;
  std::function<void(UniqueFd)> take_terminal_;
  UniqueFd channel_;
  UniqueFd holder_;
  UniqueFd workload_;
  UniqueFd ruleset_;
  UniqueFd time_namespace_;
  pid_t pid_ = 0;
  std::unique_ptr<SeccompNotifier> notifier_;
  bool notifier_open_ = false;
  std::optional<Outcome> outcome_;
};

}  // namespace cordon
