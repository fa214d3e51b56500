#pragma once

#include <sys/types.h>

#include <optional>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/oci_folder.h"
#include "runtime/oci_start.h"

namespace cordon::cli {

/// One call's connection to what watches over a container that is held to a policy. It speaks
/// runtime/setup_channel.h: the monitor says kRuleset, the other kConfined, the monitor kGo.
class MonitorLink {
 public:
  /// Fails where the monitor is gone.
  static Expected<MonitorLink> Open(const OciFolder& folder);

  /// Whether it takes the listeners of filters.
  bool listens() const { return listens_; }

  /// The Landlock ruleset that the container's processes are restricted by; -1: none.
  int ruleset() const { return ruleset_.get(); }

  /// Has `process`, which executes nothing before this returns, watched; `listener` is that of its
  /// filter, where there is one.
  Status Watch(pid_t process, const UniqueFd& listener) const;

  /// Waits until the monitor has ended, at most five seconds: before Linux 6.11 who is dead and not
  /// waited for is still under its filter.
  void AwaitEnd() const;

 private:
  MonitorLink(UniqueFd socket, bool listens, UniqueFd ruleset)
      : socket_(std::move(socket)), listens_(listens), ruleset_(std::move(ruleset)) {}

  UniqueFd socket_;
  bool listens_;
  UniqueFd ruleset_;
};

/// Who takes listeners: the monitor where that does, else the agent of the engine's profile. What
/// it is made of must outlive it.
TakeListener ListenerTaker(const OciSpec& spec, const OciRecord& record,
                           const std::optional<MonitorLink>& monitor);

}  // namespace cordon::cli
