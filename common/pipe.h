#pragma once

#include "common/error.h"
#include "common/unique_fd.h"

namespace cordon {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

/// A pipe(7) whose ends are closed by execve(2). Fails when no descriptor is left.
Expected<Pipe> MakePipe();

}  // namespace cordon
