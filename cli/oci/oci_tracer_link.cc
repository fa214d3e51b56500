#include "cli/oci/oci_tracer_link.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "tracer/trace_filter.h"

namespace cordon::cli {
namespace {

constexpr int kAnswerMs = 30'000;
constexpr int kEndMs = 120'000;  // a long recording takes seconds to write

Error TracerGone() {
  return MakeError(ErrorCode::kSystem,
                   "the container's tracer has ended, and the container with it");
}

/// Receives one message of exactly this kind.
template <typename Message>
Expected<Message> Receive(int socket) {
  pollfd wait{socket, POLLIN, 0};
  while (::poll(&wait, 1, kAnswerMs) < 0 && errno == EINTR) {
  }
  Message message;
  if (::recv(socket, &message, sizeof message, MSG_DONTWAIT) != sizeof message) {
    return Fail(TracerGone());
  }
  return message;
}

}  // namespace

Expected<TracerLink> TracerLink::Open(const OciFolder& folder) {
  ASSIGN_OR_RETURN(UniqueFd socket, folder.ConnectToTracer());
  ASSIGN_OR_RETURN(const TracerHello hello, Receive<TracerHello>(socket.get()));
  return TracerLink(std::move(socket), hello);
}

Status TracerLink::Trace(pid_t process) const {
  const TraceRequest request{process};
  if (::send(socket_.get(), &request, sizeof request, MSG_NOSIGNAL) != sizeof request) {
    return Fail(TracerGone());
  }
  ASSIGN_OR_RETURN(const TraceAnswer answer, Receive<TraceAnswer>(socket_.get()));
  if (answer.sys_errno != 0) {
    return Fail(
        SystemError(answer.sys_errno, fmt::format("tracing process {} of the container", process)));
  }
  return {};
}

Status TracerLink::AwaitEnd() const {
  pollfd wait{socket_.get(), POLLIN, 0};
  int ready = 0;
  while ((ready = ::poll(&wait, 1, kEndMs)) < 0 && errno == EINTR) {
  }
  return ready != 0 ? Status()
                    : Fail(MakeError(ErrorCode::kSystem,
                                     "the container's tracer still writes its recording"));
}

TraceTier TierFor(const OciFilter& filter) {
  const bool held = filter.program.empty() || HeldProfile::Of(filter.program).has_value();
  return held ? TierForContainers() : TraceTier::kExact;
}

std::optional<HeldProfile> OpenToTracer(TraceTier tier, const StubWindow& window,
                                        OciFilter& filter) {
  if (tier == TraceTier::kExact) {
    return std::nullopt;  // every call stops before any filter is asked
  }
  filter.tracing = tier == TraceTier::kFast ? TraceFilterOutside(window) : TraceFilter();
  if (filter.program.empty()) {
    return std::nullopt;
  }
  std::optional<HeldProfile> held = HeldProfile::Of(filter.program);
  if (held) {
    filter.program = held->program();
  }
  return held;
}

}  // namespace cordon::cli
