#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"

/// Where sandboxes can be found: one folder for each user, in it one for each sandbox, with a lock
/// that its supervisor holds for as long as it lives and the socket that it answers on. What a
/// supervisor left that was killed has no holder of the lock, and is removed by who meets it next.
/// A detached sandbox has its log there, and a record (runtime/sandbox_record.h): a place with a
/// record stays when nobody holds it, until somebody removes it.
namespace cordon {

/// /run/cordon for root, $XDG_RUNTIME_DIR/cordon for others, /tmp/cordon-UID where that is not set.
std::string SandboxesFolder();

/// What is in a place, as the end of a path.
inline constexpr std::string_view kPlaceRecord = "/record";
inline constexpr std::string_view kPlaceLog = "/log";
inline constexpr std::string_view kPlaceOlderLog = "/log.1";

/// The place of the sandbox `name`, which need not be there.
std::string SandboxFolder(const std::string& name);

/// Fails with kInvalidInput for a name that is no file name of at most 64 letters, digits, '.', '_'
/// and '-', beginning with a letter or digit.
Status CheckSandboxName(std::string_view name);

/// The place of one sandbox, while this lives.
class SandboxPlace {
 public:
  /// Fails with kInvalidInput where a sandbox of this name runs or is kept.
  static Expected<SandboxPlace> Create(const std::string& name);

  SandboxPlace(SandboxPlace&& other) noexcept;
  SandboxPlace(const SandboxPlace&) = delete;
  SandboxPlace& operator=(const SandboxPlace&) = delete;
  SandboxPlace& operator=(SandboxPlace&&) = delete;
  ~SandboxPlace();

  const std::string& name() const { return name_; }

  const std::string& folder() const { return folder_; }

  /// What has a record stays when this ends.
  void KeepRecord() { kept_ = true; }

  /// A listening, non-blocking SOCK_SEQPACKET socket.
  int listener() const { return listener_.get(); }

 private:
  SandboxPlace() = default;

  std::string name_;
  std::string folder_;  ///< empty: moved from
  bool kept_ = false;
  UniqueFd lock_;
  UniqueFd listener_;
};

/// The names of the caller's sandboxes, each list sorted.
struct KnownSandboxes {
  std::vector<std::string> running;
  std::vector<std::string> ended;  ///< kept
};

/// Leftovers are removed.
Expected<KnownSandboxes> FindSandboxes();

/// Removes what is kept of a sandbox that has ended. Fails with kNotFound where there is none of
/// this name, with kUnsupported where it runs.
Status RemoveEndedSandbox(const std::string& name);

/// Connects to the supervisor of sandbox `name`. Fails with kNotFound, naming what runs, or that it
/// has ended.
Expected<UniqueFd> ConnectToSandbox(const std::string& name);

}  // namespace cordon
