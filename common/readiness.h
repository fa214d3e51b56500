#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "common/pipe.h"
#include "common/unique_fd.h"

namespace cordon {

/// The ways in which a service says that it is ready: it writes to a descriptor that it was handed
/// (the variable NOTIFY_FD has its number; s6's notification), or sends READY=1 to a socket
/// (NOTIFY_SOCKET; sd_notify(3)).
class Readiness {
 public:
  /// With the socket bound in this network namespace.
  static Expected<Readiness> Open();

  /// Without the socket: somebody binds it to address() in the namespace that the workload is to
  /// have, and TakeSocket() gets it.
  static Expected<Readiness> OpenWithoutSocket();

  /// A datagram socket that is bound to address() and does not block.
  void TakeSocket(UniqueFd socket) { socket_ = std::move(socket); }

  /// For the workload: "NOTIFY_FD=N", "NOTIFY_SOCKET=@name".
  std::vector<std::string> Environment() const;

  /// To be handed to the workload.
  int descriptor() const { return pipe_.write_end.get(); }

  /// "@name" of the socket.
  const std::string& address() const { return address_; }

  /// The workload has its own copy now: without this one the pipe ends with it.
  void CloseDescriptor() { pipe_.write_end.Reset(); }

  /// From here on SIGIO tells of news. The handler must be there.
  Status Arm();

  /// To wait on with poll(2); -1: nothing to hear there.
  int pipe() const { return pipe_.read_end.get(); }

  int socket() const { return socket_.get(); }

  /// Reads what came. True once the workload has said that it is ready.
  bool Ready();

 private:
  Readiness() = default;

  bool ready_ = false;
  Pipe pipe_;
  UniqueFd socket_;
  std::string address_;
};

}  // namespace cordon
