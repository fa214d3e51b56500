#pragma once

#include <poll.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/readiness.h"
#include "common/unique_fd.h"
#include "model/serving_when.h"

namespace cordon {

/// The moment from which a workload serves, as its supervisor sees it. It comes once, and nothing
/// takes it back.
class ServingBoundary {
 public:
  /// `on_passed` is called when it comes. Fails when no descriptor is left.
  static Expected<ServingBoundary> Open(ServingWhen when, std::function<void()> on_passed);

  /// "NAME=VALUE" for the workload that is to say when it serves; else nothing.
  std::vector<std::string> Environment() const;

  /// To be handed to the workload; -1: nothing.
  int descriptor() const { return readiness_ ? readiness_->descriptor() : -1; }

  /// "@name" of the abstract datagram socket that has to be bound where the workload is, for
  /// TakeSocket(); empty: none.
  std::string address() const { return readiness_ ? readiness_->address() : std::string(); }

  void TakeSocket(UniqueFd socket);

  /// The workload's side has its copy of descriptor().
  void CloseDescriptor();

  /// Appends what is to be waited for; then Hear().
  void AddWaits(std::vector<pollfd>& waits) const;

  /// Reads what the workload has said. Must be called after a call was received from the kernel
  /// and before it is answered: what was said before the call was made counts.
  void Hear();

  /// The workload makes a listen(2) that its policy allows.
  void OnListen();
  /// Is SIGUSR1 to the supervisor the boundary, and not for the workload? Then it has come.
  bool TakesUserSignal();

  ServingWhen when() const { return when_; }

  bool passed() const { return passed_; }

 private:
  ServingBoundary(ServingWhen when, std::function<void()> on_passed)
      : when_(when), on_passed_(std::move(on_passed)) {}

  void Pass();

  ServingWhen when_;
  std::function<void()> on_passed_;
  std::optional<Readiness> readiness_;
  bool passed_ = false;
};

}  // namespace cordon
