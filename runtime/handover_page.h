#pragma once

#include <atomic>
#include <cstdint>

#include "common/error.h"
#include "runtime/launch_step.h"

namespace cordon {

/// What the workload says to the sandbox's first process once a seccomp filter may refuse it every
/// call: plain stores into a shared page.
struct HandoverPage {
  enum State : std::int32_t { kWorking, kConfined, kFailed };

  enum Go : std::int32_t {
    kWait,
    kExecute,  ///< the confinement was verified
    kEnd,      ///< nobody is there any more who could say kExecute
  };

  std::atomic<std::int32_t> state{kWorking};
  std::atomic<std::int32_t> listener{-1};  ///< in the descriptor table that both share until execve
  std::atomic<std::int32_t> go{kWait};     ///< set by the other side
  std::atomic<std::int32_t> execute_errno{0};  ///< why execve failed; 0 if it did not
  LaunchStep failed_step = LaunchStep::kNone;  ///< valid in kFailed, written before it
  std::int32_t failed_errno = 0;
  std::uint32_t failed_index = 0;
  std::atomic<std::int32_t> working_directory_missing{0};  ///< "/" was used instead
};

/// One HandoverPage in memory that stays shared across clone; unmapped at the end of the scope.
class SharedHandover {
 public:
  static Expected<SharedHandover> Create();
  SharedHandover(SharedHandover&& other) noexcept;
  SharedHandover& operator=(SharedHandover&&) = delete;
  SharedHandover(const SharedHandover&) = delete;
  SharedHandover& operator=(const SharedHandover&) = delete;
  ~SharedHandover();

  HandoverPage& page() const { return *page_; }

 private:
  explicit SharedHandover(HandoverPage* page) : page_(page) {}

  HandoverPage* page_;
};

}  // namespace cordon
