#include "cli/ask_sandbox.h"

#include <utility>

#include "cli/command.h"
#include "cli/report_error.h"
#include "runtime/control_channel.h"
#include "runtime/sandbox_place.h"

namespace cordon::cli {

Expected<SandboxState> InspectSandbox(const std::string& name) {
  ASSIGN_OR_RETURN(const UniqueFd socket, ConnectToSandbox(name));
  ASSIGN_OR_RETURN(const ControlReply reply, AskSupervisor(socket.get(), {}));
  if (!reply.state) {
    return Fail(MakeError(ErrorCode::kInternal, "the supervisor's reply holds no state"));
  }
  return *reply.state;
}

std::vector<SandboxState> InspectEach(const std::vector<std::string>& names) {
  std::vector<SandboxState> states;
  for (const std::string& name : names) {
    Expected<SandboxState> state = InspectSandbox(name);
    if (state) {
      states.push_back(*std::move(state));
    } else if (state.error().code != ErrorCode::kNotFound) {
      ReportWarning(name + ": " + state.error().message);
    }
  }
  return states;
}

Expected<std::vector<SandboxState>> InspectSandboxes(const std::string& name) {
  if (name.empty()) {
    ASSIGN_OR_RETURN(const KnownSandboxes known, FindSandboxes());
    return InspectEach(known.running);
  }
  ASSIGN_OR_RETURN(SandboxState state, InspectSandbox(name));
  std::vector<SandboxState> states;
  states.push_back(std::move(state));
  return states;
}

int OrderSandbox(const std::string& name, const ControlRequest& request) {
  const Expected<UniqueFd> socket = ConnectToSandbox(name);
  if (!socket) {
    return ReportError(socket.error());
  }
  const Expected<ControlReply> reply = AskSupervisor(socket->get(), request);
  return reply ? kOk : ReportError(reply.error());
}

}  // namespace cordon::cli
