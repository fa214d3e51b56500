#include "runtime/sandbox_record.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <utility>

#include "common/file.h"
#include "model/control_message.h"
#include "runtime/sandbox_place.h"

namespace cordon {
namespace {

/// More than a record takes.
constexpr off_t kReservedBytes = off_t{64} << 10;
constexpr const char* kReserve = "/reserve";

Status Reserve(const std::string& folder) {
  const std::string path = folder + kReserve;
  ASSIGN_OR_RETURN(const UniqueFd file, OpenAt(AT_FDCWD, path, O_WRONLY | O_CREAT, 0600));
  const int error = ::posix_fallocate(file.get(), 0, kReservedBytes);
  return error == 0 ? Status() : Status(Fail(SystemError(error, path)));
}

Status Write(const std::string& folder, SandboxState state) {
  state.supervisor = 0;
  state.pid = 0;
  state.namespaces.clear();
  state.cgroups.clear();
  state.entered.clear();
  state.address.clear();
  return WriteFileAtomically(folder + std::string(kPlaceRecord), WriteSandboxState(state), 0600);
}

}  // namespace

Status RecordBeginning(const std::string& folder, SandboxState state) {
  state.status = "lost";
  state.outcome = Signaled{SIGKILL};
  RETURN_IF_ERROR(Reserve(folder));
  return Write(folder, std::move(state));
}

Status RecordEnd(const std::string& folder, SandboxState state) {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  state.ended_ms = (std::int64_t{now.tv_sec} * 1000) + (now.tv_nsec / 1'000'000);
  state.status = "ended";
  (void)::unlink((folder + kReserve).c_str());
  return Write(folder, std::move(state));
}

Expected<SandboxState> ReadRecord(const std::string& folder) {
  const std::string path = folder + std::string(kPlaceRecord);
  if (::access(path.c_str(), F_OK) != 0) {
    return Fail(MakeError(ErrorCode::kNotFound, path + " is not there"));
  }
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxControlMessageBytes));
  return ReadSandboxState(text, path);
}

}  // namespace cordon
