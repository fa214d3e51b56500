#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/oci_state.h"

namespace cordon {

/// A name that a container may have: at most 1024 letters, digits, '_', '+', '-' and '.', not "."
/// or "..".
Status CheckContainerId(std::string_view id);

/// What is kept of one container: a folder ROOT/ID with its record, the configuration as it was at
/// `create`, the socket that `start` comes to, and a lock that each call holds while it changes
/// something. Everything in it is written in one step, so that a call that is killed leaves what
/// the next can read.
class OciFolder {
 public:
  /// Makes the folder, and ROOT where that is missing. Fails with kInvalidInput when there is such
  /// a container already.
  static Expected<OciFolder> Create(const std::string& root, const std::string& id);
  /// Waits for the lock. Fails with kNotFound for a container that is not there.
  static Expected<OciFolder> Open(const std::string& root, const std::string& id);
  /// The same without the lock, to look only: a hook may do that while `create` has it.
  static Expected<OciFolder> Look(const std::string& root, const std::string& id);

  const std::string& path() const { return path_; }

  Status WriteConfig(std::string_view config) const;
  Expected<std::string> ReadConfig() const;
  Status WriteRecord(const OciRecord& record) const;
  /// Nothing when `create` did not come as far.
  Expected<std::optional<OciRecord>> LoadRecord() const;

  /// A listening SOCK_SEQPACKET for `start`, which nobody finds before OpenToStart().
  Expected<UniqueFd> ListenForStart() const;
  Status OpenToStart() const;
  /// Connects to that. Fails with kNotFound when nobody listens.
  Expected<UniqueFd> ConnectToStart() const;

  /// The same two for the container's tracer, where it has one.
  Expected<UniqueFd> ListenForTraced() const;
  Expected<UniqueFd> ConnectToTracer() const;

  /// Whether the container has, or had, a tracer.
  bool IsTraced() const;

  /// The same three for what watches over a container that is held to a policy.
  Expected<UniqueFd> ListenForWatched() const;
  Expected<UniqueFd> ConnectToMonitor() const;
  bool IsMonitored() const;

  /// Keeps a policy as it was at `create` (name -> content of its files), and where.
  Status WritePolicy(const std::map<std::string, std::string>& files) const;
  std::string PolicyFolder() const;

  /// Whether `create` has not come to OpenToStart() yet.
  bool IsBeingMade() const;
  /// Whether the container still waits for its start.
  bool IsWaiting() const;
  void ForgetStart() const;

  /// Removes all of it.
  Status Remove() const;

 private:
  explicit OciFolder(std::string path) : path_(std::move(path)) {}

  Expected<UniqueFd> ListenAt(const char* name) const;
  Expected<UniqueFd> ConnectTo(const char* name, const char* missing) const;

  std::string path_;
  UniqueFd lock_;
};

/// The containers below `root`, sorted.
std::vector<std::string> ContainerIds(const std::string& root);

/// The process of `record`, while it lives: its pidfd. Nothing when it is gone, be its number
/// another's by now; so is one that is dead and not waited for.
Expected<std::optional<UniqueFd>> OpenContainerProcess(const OciRecord& record);

/// When `pid` began, as proc(5) has it (stat, field 22); nothing: it is gone, or a zombie.
std::optional<std::uint64_t> StartTimeOf(pid_t pid);

}  // namespace cordon
