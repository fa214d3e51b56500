#include "tracer/signal_inbox.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

namespace cordon {
namespace {

// What the handler may touch: lock-free atomics and one timer. It has no other way to reach them.
std::atomic<int> g_interrupts{0};
std::atomic<bool> g_terminate{false};
std::atomic<bool> g_hang_up{false};
std::atomic<bool> g_input{false};
std::atomic<bool> g_boundary{false};
std::atomic<bool> g_pending{false};
timer_t g_timer{};

constexpr long kRepeatNanoseconds = 20'000'000;
constexpr itimerspec kRepeat{.it_interval = {0, kRepeatNanoseconds},
                             .it_value = {0, kRepeatNanoseconds}};

void HandleSignal(int signal) {
  const int saved = errno;
  if (signal == SIGINT || signal == SIGQUIT) {
    g_interrupts.fetch_add(1, std::memory_order_relaxed);
  } else if (signal == SIGTERM) {
    g_terminate.store(true, std::memory_order_relaxed);
  } else if (signal == SIGHUP) {
    g_hang_up.store(true, std::memory_order_relaxed);
  } else if (signal == SIGIO) {
    g_input.store(true, std::memory_order_relaxed);
  } else if (signal == SIGUSR1) {
    g_boundary.store(true, std::memory_order_relaxed);
  }
  g_pending.store(true, std::memory_order_relaxed);
  // timer_settime(2) is async-signal-safe (signal-safety(7)).
  (void)::timer_settime(g_timer, 0, &kRepeat, nullptr);
  errno = saved;
}

}  // namespace

Expected<SignalInbox> SignalInbox::Open() {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  if (::timer_create(CLOCK_MONOTONIC, &event, &g_timer) != 0) {
    return Fail(SystemError(errno, "make a timer"));
  }
  g_interrupts = 0;
  g_terminate = false;
  g_hang_up = false;
  g_input = false;
  g_boundary = false;
  g_pending = false;
  SignalInbox inbox;
  const auto install = [&](int signal, void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;                             // no SA_RESTART: a wait must come back
    action.sa_flags = signal == SIGCHLD ? SA_NOCLDSTOP : 0;  // wait(2) tells of stops
    (void)::sigemptyset(&action.sa_mask);
    Saved saved{.signal = signal, .action = {}};
    if (::sigaction(signal, &action, &saved.action) == 0) {
      inbox.saved_.push_back(saved);
    }
  };
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGALRM, SIGIO, SIGUSR1}) {
    install(signal, HandleSignal);
  }
  for (const int signal : {SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE}) {
    install(signal, SIG_IGN);
  }
  install(SIGCHLD, SIG_DFL);
  return inbox;
}

SignalInbox::SignalInbox(SignalInbox&& other) noexcept
    : saved_(std::exchange(other.saved_, {})), deadline_(other.deadline_), tick_(other.tick_) {}

SignalInbox::~SignalInbox() {
  if (saved_.empty()) {
    return;
  }
  (void)::timer_delete(g_timer);
  for (const Saved& saved : saved_) {
    (void)::sigaction(saved.signal, &saved.action, nullptr);
  }
}

void SignalInbox::SetDeadline(std::optional<std::chrono::steady_clock::time_point> deadline) {
  deadline_ = deadline;
  ArmTimer();
}

void SignalInbox::SetTick(std::chrono::milliseconds tick) {
  tick_ = std::min(tick_.value_or(tick), tick);
  ArmTimer();
}

void SignalInbox::ArmTimer() const {
  itimerspec when{};
  if (deadline_ || tick_) {
    auto left =
        tick_.has_value() ? std::chrono::nanoseconds(*tick_) : std::chrono::nanoseconds::max();
    if (deadline_) {
      left = std::min(left, std::chrono::duration_cast<std::chrono::nanoseconds>(
                                *deadline_ - std::chrono::steady_clock::now()));
    }
    constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
    const std::int64_t nanoseconds = std::max<std::int64_t>(left.count(), 1);
    when.it_value = {.tv_sec = nanoseconds / kNanosecondsPerSecond,
                     .tv_nsec = nanoseconds % kNanosecondsPerSecond};
    when.it_interval = kRepeat.it_interval;
  }
  (void)::timer_settime(g_timer, 0, &when, nullptr);
}

bool SignalInbox::Pending() {
  return g_pending.load(std::memory_order_relaxed);
}

Signals SignalInbox::Take() {
  g_pending = false;
  Signals signals{.interrupts = g_interrupts.exchange(0),
                  .terminate = g_terminate.exchange(false),
                  .hang_up = g_hang_up.exchange(false),
                  .deadline = false,
                  .input = g_input.exchange(false),
                  .boundary = g_boundary.exchange(false)};
  if (deadline_ && std::chrono::steady_clock::now() >= *deadline_) {
    signals.deadline = true;
    deadline_.reset();
  }
  ArmTimer();
  return signals;
}

}  // namespace cordon
