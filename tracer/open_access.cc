#include "tracer/open_access.h"

#include <fcntl.h>

namespace cordon {

FileAccessSet AccessOfOpenFlags(std::uint64_t flags) {
  FileAccessSet access{FileAccess::kOpen};
  const auto mode = flags & O_ACCMODE;
  if (mode == O_RDONLY || mode == O_RDWR) {
    access.Add(FileAccess::kRead);
  }
  if (mode == O_WRONLY || mode == O_RDWR) {
    access.Add((flags & O_APPEND) != 0 ? FileAccess::kAppend : FileAccess::kWrite);
  }
  return access;
}

}  // namespace cordon
