#include "cli/recording_destination.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "cli/load_recording.h"
#include "common/file.h"
#include "common/text.h"

namespace cordon::cli {

Expected<RecordingDestination> PrepareDestination(const std::string& path,
                                                  const std::string& append) {
  RecordingDestination destination;
  destination.path = path;
  if (!append.empty() && ::access(append.c_str(), F_OK) == 0) {
    ASSIGN_OR_RETURN(destination.existing, LoadRecording(append));
  }
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      return Fail(SystemError(EISDIR, fmt::format("write {}", Quote(path))));
    }
    destination.in_place = !S_ISREG(status.st_mode);
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const std::string& probe = destination.in_place ? path : folder.empty() ? "." : folder;
  const int wanted = destination.in_place ? W_OK : W_OK | X_OK;
  if (::faccessat(AT_FDCWD, probe.c_str(), wanted, AT_EACCESS) != 0) {
    return Fail(SystemError(errno, fmt::format("write {}", Quote(path))));
  }
  return destination;
}

Status WriteTo(const RecordingDestination& destination, const std::string& document,
               Durability durability) {
  if (!destination.in_place) {
    return WriteFileAtomically(destination.path, document, 0644, durability);
  }
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenAt(AT_FDCWD, destination.path, O_WRONLY));
  std::string_view rest = document;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd.get(), rest.data(), rest.size());
    if (written < 0) {
      return Fail(SystemError(errno, fmt::format("write {}", Quote(destination.path))));
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace cordon::cli
