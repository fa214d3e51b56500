#pragma once

#include <functional>
#include <map>
#include <optional>

#include "common/error.h"
#include "model/recording.h"
#include "model/seccomp_policy.h"
#include "model/syscall.h"
#include "runtime/serving_boundary.h"

namespace cordon {

/// What becomes of a call that the filter handed to its listener.
struct Judgement {
  SeccompAction answer;         ///< ALLOW: it goes on; else ERRNO, or where others than refusals
                                ///< are notified whatever the policy says
  Phase phase = Phase::kStart;  ///< in which the call was made
  /// Is it refused only because the workload serves by now?
  bool of_the_start = false;
};

/// Decides the calls that come to a sandbox's listeners. Only the call's number and registers
/// count, never what they point to: the caller could change that after the decision
/// (seccomp_unotify(2)).
class CallJudge {
 public:
  using ReadPolicy = std::function<Expected<SeccompPolicy>()>;

  /// Which calls the filter hands to the listener: those that the policy refuses, and nothing else,
  /// or others, too (AskingAbout()).
  enum class Notified : std::uint8_t { kRefusals, kOthersToo };

  /// A policy of one phase, asked at the first call that comes. Where only refusals do, a call is
  /// one even if `policy` should say otherwise.
  explicit CallJudge(ReadPolicy policy, Notified notified = Notified::kRefusals);

  /// One of two phases (TwoPhaseVariant()): a call is let through where `policy` admits it and
  /// `boundary`, which must outlive this, was not passed, and where `serving` admits it. Both are
  /// read at once. `hear_news` is called before every decision: what may move the boundary and came
  /// before the call counts.
  static Expected<CallJudge> OfTwoPhases(const ReadPolicy& policy, const ReadPolicy& serving,
                                         ServingBoundary& boundary,
                                         std::function<void()> hear_news);

  /// Whose call it is: cordon's own ones on the way to execute a command are of the start, also
  /// where the workload serves.
  enum class Caller : std::uint8_t { kWorkload, kLauncher };

  /// Decides a call that was just received. Fails where the policy cannot be read.
  Expected<Judgement> Judge(const SyscallInvocation& invocation, Caller caller);

  bool has_two_phases() const { return boundary_ != nullptr; }

 private:
  /// A policy, with the rules of each call that was asked about.
  class Book {
   public:
    explicit Book(SeccompPolicy policy) : policy_(std::move(policy)) {}

    SeccompAction Answer(const SyscallInvocation& invocation);

   private:
    SeccompPolicy policy_;
    std::map<Syscall, CallRules> rules_;
  };

  ReadPolicy read_policy_;
  Notified notified_;
  std::optional<Book> policy_;
  std::optional<Book> serving_;
  ServingBoundary* boundary_ = nullptr;
  std::function<void()> hear_news_;
};

}  // namespace cordon
