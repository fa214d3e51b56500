#include "runtime/serving_boundary.h"

#include <utility>

namespace cordon {

Expected<ServingBoundary> ServingBoundary::Open(ServingWhen when, std::function<void()> on_passed) {
  ServingBoundary boundary(when, std::move(on_passed));
  if (when == ServingWhen::kReady) {
    ASSIGN_OR_RETURN(boundary.readiness_, Readiness::OpenWithoutSocket());
  }
  return boundary;
}

std::vector<std::string> ServingBoundary::Environment() const {
  return readiness_ ? readiness_->Environment() : std::vector<std::string>();
}

void ServingBoundary::TakeSocket(UniqueFd socket) {
  if (readiness_) {
    readiness_->TakeSocket(std::move(socket));
  }
}

void ServingBoundary::CloseDescriptor() {
  if (readiness_) {
    readiness_->CloseDescriptor();
  }
}

void ServingBoundary::AddWaits(std::vector<pollfd>& waits) const {
  if (readiness_) {
    waits.push_back({readiness_->pipe(), POLLIN, 0});
    waits.push_back({readiness_->socket(), POLLIN, 0});
  }
}

void ServingBoundary::Hear() {
  if (readiness_ && readiness_->Ready()) {
    Pass();
  }
}

void ServingBoundary::OnListen() {
  if (when_ == ServingWhen::kListen) {
    Pass();
  }
}

bool ServingBoundary::TakesUserSignal() {
  if (when_ != ServingWhen::kSignal) {
    return false;
  }
  Pass();
  return true;
}

void ServingBoundary::Pass() {
  if (!std::exchange(passed_, true) && on_passed_) {
    on_passed_();
  }
}

}  // namespace cordon
