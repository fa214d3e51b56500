#include "runtime/own_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cordon {

Status MakeOwnFolder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    const int mkdir_errno = errno;
    return Fail(SystemError(mkdir_errno, folder));
  }
  struct stat status{};
  if (::lstat(folder.c_str(), &status) != 0) {
    const int stat_errno = errno;
    return Fail(SystemError(stat_errno, folder));
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 0077) != 0) {
    return Fail(
        MakeError(ErrorCode::kPermission, folder + " is not a folder that only this user may use"));
  }
  return {};
}

}  // namespace cordon
