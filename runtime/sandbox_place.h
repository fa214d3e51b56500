#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"

/// Where running sandboxes can be found: one folder for each user, in it one for each sandbox, with
/// a lock that its supervisor holds for as long as it lives and the socket that it answers on.
/// Nothing else is kept on disk: what a supervisor left that was killed has no holder of the lock,
/// and is removed by who meets it next.
namespace cordon {

/// /run/cordon for root, $XDG_RUNTIME_DIR/cordon for others, /tmp/cordon-UID where that is not set.
std::string SandboxesFolder();

/// Fails with kInvalidInput for a name that is no file name of at most 64 letters, digits, '.', '_'
/// and '-', beginning with a letter or digit.
Status CheckSandboxName(std::string_view name);

/// The place of one sandbox, while this lives.
class SandboxPlace {
 public:
  /// Fails with kInvalidInput where a sandbox of this name runs.
  static Expected<SandboxPlace> Create(const std::string& name);

  SandboxPlace(SandboxPlace&& other) noexcept;
  SandboxPlace(const SandboxPlace&) = delete;
  SandboxPlace& operator=(const SandboxPlace&) = delete;
  SandboxPlace& operator=(SandboxPlace&&) = delete;
  ~SandboxPlace();

  const std::string& name() const { return name_; }

  /// A listening, non-blocking SOCK_SEQPACKET socket.
  int listener() const { return listener_.get(); }

 private:
  SandboxPlace() = default;

  std::string name_;
  std::string folder_;  ///< empty: moved from
  UniqueFd lock_;
  UniqueFd listener_;
};

/// The names of the caller's sandboxes, sorted. Leftovers are removed.
Expected<std::vector<std::string>> SandboxNames();

/// Connects to the supervisor of sandbox `name`. Fails with kNotFound, naming what runs.
Expected<UniqueFd> ConnectToSandbox(const std::string& name);

}  // namespace cordon
