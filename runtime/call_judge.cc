#include "runtime/call_judge.h"

#include <cerrno>
#include <utility>

namespace cordon {
namespace {

/// More than there are calls.
constexpr std::size_t kMostKept = 2048;

/// Whatever else a policy may say of a call that has come here, it is a refusal.
SeccompAction AsRefusal(const SeccompAction& answer) {
  return answer.kind == SeccompActionKind::kErrno ? answer : SeccompAction::Errno(EPERM);
}

}  // namespace

SeccompAction CallJudge::Book::Answer(const SyscallInvocation& invocation) {
  auto found = rules_.find(invocation.call);
  if (found == rules_.end()) {
    if (rules_.size() >= kMostKept) {  // there are 2^32 numbers that a workload may try
      return CallRules(policy_, invocation.call).Answer(invocation.arguments);
    }
    found = rules_.emplace(invocation.call, CallRules(policy_, invocation.call)).first;
  }
  return found->second.Answer(invocation.arguments);
}

CallJudge::CallJudge(ReadPolicy policy, Notified notified)
    : read_policy_(std::move(policy)), notified_(notified) {}

Expected<CallJudge> CallJudge::OfTwoPhases(const ReadPolicy& policy, const ReadPolicy& serving,
                                           ServingBoundary& boundary,
                                           std::function<void()> hear_news) {
  CallJudge judge(policy);
  ASSIGN_OR_RETURN(SeccompPolicy whole, policy());
  ASSIGN_OR_RETURN(SeccompPolicy rest, serving());
  judge.policy_.emplace(std::move(whole));
  judge.serving_.emplace(std::move(rest));
  judge.boundary_ = &boundary;
  judge.hear_news_ = std::move(hear_news);
  return judge;
}

Expected<Judgement> CallJudge::Judge(const SyscallInvocation& invocation, Caller caller) {
  if (!policy_) {
    ASSIGN_OR_RETURN(SeccompPolicy policy, read_policy_());
    policy_.emplace(std::move(policy));
  }
  const SeccompAction whole = policy_->Answer(invocation);
  if (boundary_ == nullptr) {
    // A listener of its own the policy cannot mean: cordon is that, and refuses.
    const bool is_meant =
        notified_ == Notified::kOthersToo && whole.kind != SeccompActionKind::kNotify;
    return Judgement{is_meant ? whole : AsRefusal(whole), Phase::kStart, false};
  }
  hear_news_();
  const bool passed = boundary_->passed();
  const Phase phase = passed ? Phase::kServe : Phase::kStart;
  std::optional<Book>& in_force = passed && caller == Caller::kWorkload ? serving_ : policy_;
  if (!in_force) {
    return Fail(MakeError(ErrorCode::kInternal, "there is no policy for who serves"));
  }
  const SeccompAction answer = in_force->Answer(invocation);
  if (!Admits(answer)) {
    return Judgement{AsRefusal(answer), phase, Admits(whole)};
  }
  if (SyscallName(invocation.call) == "listen") {
    boundary_->OnListen();
  }
  return Judgement{SeccompAction::Allow(), phase, false};
}

}  // namespace cordon
