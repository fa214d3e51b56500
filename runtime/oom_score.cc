#include "runtime/oom_score.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "common/file.h"

namespace cordon {

Status SetOomScore(pid_t pid, const LaunchPlan& plan) {
  if (!plan.oom_score_adj) {
    return {};
  }
  const std::string path = "/proc/" + std::to_string(pid) + "/oom_score_adj";
  const std::string text = std::to_string(*plan.oom_score_adj);
  ASSIGN_OR_RETURN(const UniqueFd file, OpenAt(AT_FDCWD, path, O_WRONLY));
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, "setting the oom_score_adj " + text));
  }
  ASSIGN_OR_RETURN(const std::string now, ReadFile(path, 64));
  if (now != text + "\n") {
    return Fail(MakeError(ErrorCode::kInternal,
                          "the oom_score_adj is not the " + text + " that was planned"));
  }
  return {};
}

}  // namespace cordon
