#pragma once

#include <poll.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "model/control_message.h"
#include "runtime/control_channel.h"
#include "runtime/entered_workload.h"

namespace cordon {

/// Answers clients on a sandbox's control socket. Only processes of the same user, or root, in the
/// supervisor's own pid namespace are heard: what runs in a sandbox is not. Single-threaded:
/// everything happens in Handle().
class ControlServer {
 public:
  struct Actions {
    std::function<SandboxState()> inspect;
    std::function<void(int signal)> signal;
    std::function<Status()> pause;
    std::function<Status()> resume;
    std::function<Status(const ResourceLimits& change)> update;
    std::function<Expected<std::unique_ptr<EnteredWorkload>>(const ControlRequest& request,
                                                             const std::array<int, 3>& streams)>
        execute;
  };

  /// `listener`: non-blocking, must outlive this; -1 for none.
  ControlServer(int listener, Actions actions)
      : listener_(listener), actions_(std::move(actions)) {}

  /// Appends what is to be waited for.
  void AddWaits(std::vector<pollfd>& waits) const;

  /// Does what `waits`, which AddWaits() appended to since, found ready.
  void Handle(const std::vector<pollfd>& waits);

  /// The commands that were started through here and live.
  std::vector<EnteredCommand> Entered() const;

  /// Tells those who wait for the sandbox's end that it has come.
  void Finish(const Outcome& outcome);

  /// Violations of the commands that were started through here.
  std::uint64_t violations() const;

  /// Those of them that were only counted.
  std::uint64_t unreported() const;

 private:
  struct Client {
    UniqueFd socket;
    std::unique_ptr<EnteredWorkload> entered;  ///< nothing: none was asked for
    bool waits = false;                        ///< for the end
    bool has_executed = false;  ///< `entered` was asked for, and may have ended since
    bool gone = false;          ///< and `entered` is being killed
  };

  void Accept();
  void Answer(Client& client);
  void Reply(Client& client, const ControlReply& reply);
  Expected<ControlReply> Do(Client& client, const ControlMessage& message) const;
  void WatchEntered(Client& client, short messages, short notifications);

  int listener_;
  Actions actions_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t past_violations_ = 0;
  std::uint64_t past_unreported_ = 0;
};

}  // namespace cordon
