#include "cli/interruption.h"

namespace cordon::cli {
namespace {

volatile std::sig_atomic_t first_signal = 0;

void Remember(int signal) {
  if (first_signal == 0) {
    first_signal = signal;
  }
}

/// Returns what was set before.
struct sigaction Take(int signal) {
  struct sigaction before = {};
  (void)::sigaction(signal, nullptr, &before);
  if (before.sa_handler != SIG_IGN) {
    struct sigaction ours = {};
    ours.sa_handler = Remember;
    ours.sa_flags = SA_RESTART;
    (void)::sigaction(signal, &ours, nullptr);
  }
  return before;
}

}  // namespace

Interruption::Interruption() : interrupt_(Take(SIGINT)), terminate_(Take(SIGTERM)) {
  first_signal = 0;
}

Interruption::~Interruption() {
  (void)::sigaction(SIGINT, &interrupt_, nullptr);
  (void)::sigaction(SIGTERM, &terminate_, nullptr);
}

int Interruption::Signal() {
  return first_signal;
}

}  // namespace cordon::cli
