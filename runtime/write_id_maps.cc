#include "runtime/write_id_maps.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "common/child_process.h"
#include "common/file.h"
#include "common/text.h"

namespace cordon {
namespace {

constexpr std::chrono::seconds kHelperTimeout{10};

Status WriteMap(const std::string& path, const std::string& text) {
  ASSIGN_OR_RETURN(const UniqueFd file, OpenAt(AT_FDCWD, path, O_WRONLY));
  // The kernel takes a map in one write(2) only (user_namespaces(7)).
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    const int write_errno = errno;
    return Fail(SystemError(write_errno, "writing " + path));
  }
  return {};
}

std::string MapText(const std::vector<IdMap>& maps) {
  std::string text;
  for (const IdMap& map : maps) {
    text += std::to_string(map.inside) + " " + std::to_string(map.outside) + " " +
            std::to_string(map.count) + "\n";
  }
  return text;
}

/// The set-uid programs check /etc/subuid and /etc/subgid themselves.
Status RunMapper(const std::string& program, pid_t pid, const std::vector<IdMap>& maps) {
  std::vector<std::string> command{program, std::to_string(pid)};
  for (const IdMap& map : maps) {
    command.insert(command.end(), {std::to_string(map.inside), std::to_string(map.outside),
                                   std::to_string(map.count)});
  }
  const Expected<ProgramOutput> output = RunProgram(command, kHelperTimeout);
  if (!output && output.error().code == ErrorCode::kNotFound) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "--userns=subids needs the program " + program +
                              ", which is not installed (Debian: apt install uidmap)"));
  }
  if (!output) {
    return Fail(output.error());
  }
  if (output->exit_code != 0) {
    std::string said = output->standard_error;
    while (!said.empty() && said.back() == '\n') {
      said.pop_back();
    }
    return Fail(MakeError(ErrorCode::kPermission, program + " refused the maps: " + Quote(said)));
  }
  return {};
}

}  // namespace

Status WriteIdMaps(pid_t pid, const LaunchPlan& plan) {
  if (plan.uid_maps.empty()) {
    return {};
  }
  if (plan.map_writer == MapWriter::kHelpers) {
    RETURN_IF_ERROR(RunMapper("newuidmap", pid, plan.uid_maps));
    return RunMapper("newgidmap", pid, plan.gid_maps);
  }
  const std::string folder = "/proc/" + std::to_string(pid);
  RETURN_IF_ERROR(WriteMap(folder + "/uid_map", MapText(plan.uid_maps)));
  if (plan.deny_setgroups) {
    RETURN_IF_ERROR(WriteMap(folder + "/setgroups", "deny"));
  }
  return WriteMap(folder + "/gid_map", MapText(plan.gid_maps));
}

}  // namespace cordon
