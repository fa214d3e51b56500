#include "runtime/call_judge.h"

#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/unique_fd.h"
#include "model/seccomp_compiler.h"
#include "runtime/seccomp_notifier.h"
#include "tests/testing/skip.h"

namespace cordon {
namespace {

SeccompPolicy Allowing(const std::vector<std::string>& names) {
  SeccompPolicy policy;
  policy.default_action = SeccompAction::Errno(EPERM);
  policy.architectures = {NativeArchitecture()};
  policy.rules.push_back({names, SeccompAction::Allow(), {}, ""});
  return policy;
}

SyscallInvocation Call(std::string_view name) {
  return {{NativeArchitecture(), *SyscallNumber(NativeArchitecture(), name)}, {}};
}

/// A judge of two phases, and what moves its boundary.
struct Court {
  explicit Court(ServingWhen when)
      : boundary(*ServingBoundary::Open(when, [this] { ++passed; })),
        judge(*CallJudge::OfTwoPhases(
            [] { return Allowing({"execve", "socket", "listen", "accept4"}); },
            [] { return Allowing({"accept4"}); }, boundary, [this] { boundary.Hear(); })) {}

  /// 0: goes on; else the errno.
  int Answer(std::string_view name, CallJudge::Caller caller = CallJudge::Caller::kWorkload) {
    const Expected<Judgement> judgement = judge.Judge(Call(name), caller);
    return Admits(judgement->answer) ? 0 : judgement->answer.data;
  }

  int passed = 0;
  ServingBoundary boundary;
  CallJudge judge;
};

TEST(CallJudge, RefusesEverythingThatComesWhereThePolicyHasOnePhase) {
  int asked = 0;
  CallJudge judge([&asked] {
    ++asked;
    return Allowing({"execve"});
  });
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(judge.Judge(Call("socket"), CallJudge::Caller::kWorkload)->answer,
            SeccompAction::Errno(EPERM));
  EXPECT_EQ(judge.Judge(Call("execve"), CallJudge::Caller::kWorkload)->answer,
            SeccompAction::Errno(EPERM));
  EXPECT_EQ(asked, 1);
}

TEST(CallJudge, SaysInAnAuditWhatThePolicySays) {
  const auto answer = [](SeccompAction otherwise, std::string_view name) {
    CallJudge judge(
        [otherwise] {
          SeccompPolicy policy = Allowing({"execve"});
          policy.default_action = otherwise;
          return policy;
        },
        CallJudge::Notified::kOthersToo);
    return judge.Judge(Call(name), CallJudge::Caller::kWorkload)->answer;
  };
  const SeccompAction kill{SeccompActionKind::kKillProcess, 0};
  const SeccompAction log{SeccompActionKind::kLog, 0};
  EXPECT_EQ(answer(kill, "execve"), SeccompAction::Allow());
  EXPECT_EQ(answer(kill, "socket"), kill);
  EXPECT_EQ(answer(log, "socket"), log);
  EXPECT_EQ(answer(SeccompAction::Errno(ENOSYS), "socket"), SeccompAction::Errno(ENOSYS));
  EXPECT_EQ(answer(SeccompAction::Notify(), "socket"), SeccompAction::Errno(EPERM));
}

TEST(CallJudge, LetsTheStartsCallsThroughUntilTheFirstListen) {
  Court court(ServingWhen::kListen);
  EXPECT_EQ(court.Answer("execve"), 0);
  EXPECT_EQ(court.Answer("mount"), EPERM);
  EXPECT_EQ(court.passed, 0);
  EXPECT_EQ(court.Answer("listen"), 0);
  EXPECT_EQ(court.passed, 1);
  EXPECT_EQ(court.Answer("listen"), EPERM);
  EXPECT_EQ(court.Answer("execve"), EPERM);
  EXPECT_EQ(court.Answer("socket"), EPERM);
  EXPECT_EQ(court.Answer("accept4"), 0);
  EXPECT_EQ(court.passed, 1);
  const Expected<Judgement> judgement =
      court.judge.Judge(Call("socket"), CallJudge::Caller::kWorkload);
  EXPECT_TRUE(judgement->of_the_start);
  EXPECT_EQ(judgement->phase, Phase::kServe);
  EXPECT_FALSE(court.judge.Judge(Call("mount"), CallJudge::Caller::kWorkload)->of_the_start);
}

TEST(CallJudge, LetsWhatCordonItselfExecutesThroughInEitherPhase) {
  Court court(ServingWhen::kSignal);
  EXPECT_EQ(court.Answer("listen"), 0);
  EXPECT_FALSE(court.boundary.passed());
  EXPECT_TRUE(court.boundary.TakesUserSignal());
  EXPECT_EQ(court.Answer("execve"), EPERM);
  EXPECT_EQ(court.Answer("execve", CallJudge::Caller::kLauncher), 0);
  EXPECT_EQ(court.Answer("mount", CallJudge::Caller::kLauncher), EPERM);
}

TEST(CallJudge, HearsWhatWasSaidBeforeTheCall) {
  Court court(ServingWhen::kReady);
  EXPECT_FALSE(court.boundary.TakesUserSignal());
  EXPECT_EQ(court.Answer("execve"), 0);
  ASSERT_EQ(::write(court.boundary.descriptor(), "\n", 1), 1);
  EXPECT_EQ(court.Answer("execve"), EPERM);
  EXPECT_EQ(court.passed, 1);
}

TEST(CallJudge, HearsTheReadinessNotificationAmongOthers) {
  Court court(ServingWhen::kReady);
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  court.boundary.TakeSocket(UniqueFd(ends[0]));
  const UniqueFd workload(ends[1]);
  ASSERT_GT(::send(workload.get(), "STATUS=1", 8, 0), 0);
  EXPECT_EQ(court.Answer("execve"), 0);
  ASSERT_GT(::send(workload.get(), "STATUS=2", 8, 0), 0);
  ASSERT_GT(::send(workload.get(), "READY=1", 7, 0), 0);
  EXPECT_EQ(court.Answer("execve"), EPERM);
}

/// A process under the filter of two phases whose listener is here.
class FilteredChild {
 public:
  static constexpr int kInterrupted = 12345;

  explicit FilteredChild(const SeccompPolicy& serving) {
    const Expected<std::vector<sock_filter>> program = CompileSeccomp(TwoPhaseVariant(serving));
    EXPECT_TRUE(program.has_value());
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    child_ = ::fork();
    if (child_ == 0) {
      Run(ends[1], *program);
    }
    ::close(ends[1]);
    channel_.Reset(ends[0]);
  }

  FilteredChild(const FilteredChild&) = delete;
  FilteredChild& operator=(const FilteredChild&) = delete;

  ~FilteredChild() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  /// Invalid where the kernel did not take the filter.
  UniqueFd TakeListener() const {
    char byte = 0;
    iovec part{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    int listener = -1;
    if (::recvmsg(channel_.get(), &message, MSG_CMSG_CLOEXEC) == 1 &&
        CMSG_FIRSTHDR(&message) != nullptr) {
      std::memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof listener);
    }
    return UniqueFd(listener);
  }

  pid_t pid() const { return child_; }

  /// Interrupts what the child does, which begins it again.
  void Interrupt() const {
    ::kill(child_, SIGUSR1);
    EXPECT_EQ(TakeAnswer(), kInterrupted);
  }

  void Ask() const { (void)::write(channel_.get(), "?", 1); }

  /// The errno of the child's getpgrp(2) after Ask().
  int TakeAnswer() const {
    int answer = -1;
    (void)::read(channel_.get(), &answer, sizeof answer);
    return answer;
  }

 private:
  static inline int own_channel_ = -1;

  static void TellOfSignal(int /*signal*/) {
    (void)!::write(own_channel_, &kInterrupted, sizeof kInterrupted);
  }

  [[noreturn]] static void Run(int channel, const std::vector<sock_filter>& program) {
    own_channel_ = channel;
    struct sigaction action{};
    action.sa_handler = TellOfSignal;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGUSR1, &action, nullptr);
    const sock_fprog filter{static_cast<unsigned short>(program.size()),
                            const_cast<sock_filter*>(program.data())};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int listener = static_cast<int>(
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
    char byte = '!';
    iovec part{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = listener >= 0 ? control.size() : 0;
    if (listener >= 0) {
      cmsghdr* const item = CMSG_FIRSTHDR(&message);
      item->cmsg_level = SOL_SOCKET;
      item->cmsg_type = SCM_RIGHTS;
      item->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(item), &listener, sizeof listener);
    }
    ::sendmsg(channel, &message, 0);
    ::close(listener);
    while (::read(channel, &byte, 1) == 1) {
      errno = 0;
      (void)::syscall(SYS_getpgrp);
      const int answer = errno;
      (void)::write(channel, &answer, sizeof answer);
    }
    ::_exit(0);
  }

  pid_t child_ = -1;
  UniqueFd channel_;
};

TEST(SeccompNotifier, WithoutItsSupervisorTheStartsCallsFail) {
  const std::vector<std::string> always = {"sendmsg", "close", "read", "write", "exit_group"};
  std::vector<std::string> start = always;
  start.emplace_back("getpgrp");
  const FilteredChild child(Allowing(always));
  UniqueFd listener = child.TakeListener();
  if (!listener.valid()) {
    SKIP_BECAUSE("this kernel takes no filter with a listener");
  }
  Expected<ServingBoundary> boundary = ServingBoundary::Open(ServingWhen::kSignal, nullptr);
  ASSERT_TRUE(boundary.has_value());
  Expected<CallJudge> judge = CallJudge::OfTwoPhases(
      [&] { return Allowing(start); }, [&] { return Allowing(always); }, *boundary, [] {});
  ASSERT_TRUE(judge.has_value());
  std::vector<Violation> reported;
  auto notifier = std::make_unique<SeccompNotifier>(
      std::move(listener), child.pid(), *judge, nullptr,
      SeccompNotifier::Reports{[&](const Violation& violation) { reported.push_back(violation); },
                               nullptr, nullptr});
  ASSERT_TRUE(notifier->Prepare().has_value());
  const auto answer = [&] {
    child.Ask();
    pollfd wait{notifier->fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&wait, 1, 50'000), 1);
    EXPECT_TRUE(notifier->HandleOne().has_value());
    return child.TakeAnswer();
  };
  EXPECT_EQ(answer(), 0);  // the control
  EXPECT_TRUE(boundary->TakesUserSignal());
  // Before its first execve a process of cordon's own is under the filter.
  EXPECT_EQ(answer(), 0);
  EXPECT_TRUE(reported.empty());
  child.Ask();
  notifier.reset();
  EXPECT_EQ(child.TakeAnswer(), ENOSYS);
}

TEST(SeccompNotifier, ReportsACallThatIsMadeAgainAfterItWasInterrupted) {
  const std::vector<std::string> always = {"sendmsg", "close",      "read",
                                           "write",   "exit_group", "rt_sigreturn"};
  const FilteredChild child(Allowing(always));
  UniqueFd listener = child.TakeListener();
  if (!listener.valid()) {
    SKIP_BECAUSE("this kernel takes no filter with a listener");
  }
  Expected<ServingBoundary> boundary = ServingBoundary::Open(ServingWhen::kSignal, nullptr);
  ASSERT_TRUE(boundary.has_value());
  int decided = 0;
  Expected<CallJudge> judge = CallJudge::OfTwoPhases(
      [&] { return Allowing(always); }, [&] { return Allowing(always); }, *boundary,
      [&] {
        if (++decided == 1) {
          child.Interrupt();  // the notification is not valid any more
        }
      });
  ASSERT_TRUE(judge.has_value());
  int reported = 0;
  SeccompNotifier notifier(
      std::move(listener), child.pid(), *judge, nullptr,
      SeccompNotifier::Reports{[&](const Violation&) { ++reported; }, nullptr, nullptr});
  ASSERT_TRUE(notifier.Prepare().has_value());
  const auto handle = [&] {
    pollfd wait{notifier.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&wait, 1, 50'000), 1);
    EXPECT_TRUE(notifier.HandleOne().has_value());
  };
  child.Ask();
  handle();
  EXPECT_EQ(reported, 0);
  handle();
  EXPECT_EQ(child.TakeAnswer(), EPERM);
  EXPECT_EQ(decided, 2);
  EXPECT_EQ(reported, 1);
  EXPECT_EQ(notifier.violations(), 1U);
  EXPECT_EQ(notifier.unreported(), 0U);
  child.Ask();
  handle();
  EXPECT_EQ(child.TakeAnswer(), EPERM);
  EXPECT_EQ(reported, 1);  // the control: the same again is only counted
  EXPECT_EQ(notifier.unreported(), 1U);
}

}  // namespace
}  // namespace cordon
