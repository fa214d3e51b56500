#pragma once

#include <cstdint>
#include <optional>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/oci_folder.h"
#include "runtime/oci_process.h"
#include "tracer/recorder.h"

/// What the calls of a runtime and the tracer that `create` left behind for a container say to each
/// other, over a SOCK_SEQPACKET: the tracer says what it watches by, the other asks it to take a
/// process, the tracer answers.
namespace cordon::cli {

/// The tracer's first message.
struct TracerHello {
  TraceTier tier = TraceTier::kExact;
  std::uint64_t window = 0;  ///< StubWindow::address
};

struct TraceRequest {
  std::int32_t process = 0;
};

struct TraceAnswer {
  std::int32_t sys_errno = 0;  ///< 0: it is traced
};

/// One call's connection to the tracer of its container.
class TracerLink {
 public:
  /// Fails where the tracer is gone.
  static Expected<TracerLink> Open(const OciFolder& folder);

  const TracerHello& hello() const { return hello_; }

  /// Has `process`, which waits for its first execve(2), traced from there on.
  Status Trace(pid_t process) const;

  /// Waits until the tracer has written its recording and ended.
  Status AwaitEnd() const;

 private:
  TracerLink(UniqueFd socket, TracerHello hello) : socket_(std::move(socket)), hello_(hello) {}

  UniqueFd socket_;
  TracerHello hello_;
};

/// Makes `filter` one under which a tracer of `tier` sees every call; the profile, where the tracer
/// has to hold that itself.
std::optional<HeldProfile> OpenToTracer(TraceTier tier, const StubWindow& window,
                                        OciFilter& filter);

/// The tier in which a container under `filter` can be recorded.
TraceTier TierFor(const OciFilter& filter);

}  // namespace cordon::cli
