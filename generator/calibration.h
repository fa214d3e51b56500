#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "generator/syscall_data.h"

/// Finding out by experiment which calls a container runtime makes under a filter.
namespace cordon {

using SyscallNames = std::set<std::string>;

/// Does a container that needs nothing but execve and exit_group run to its end under a filter that
/// allows these calls and kills whoever makes another? An error: the experiment itself failed.
using ContainerStarts = std::function<Expected<bool>(const SyscallNames& allowed)>;

struct CalibrationOptions {
  SyscallNames candidates;     ///< every call that a profile can name
  SyscallNames likely;         ///< where to look first; only the number of experiments hangs on it
  SyscallNames assumed;        ///< made at any time or not at all: always allowed, not measured
  unsigned confirmations = 5;  ///< how often the found set has to start a container in the end
};

struct Calibration {
  SyscallNames needed;  ///< without options.assumed; execve is always among them
  unsigned experiments = 0;
};

/// The calls without any one of which the container does not start, found by narrowing the filter:
/// groups of calls are left out, and halved where the container then does not start. Fails with
/// kUnsupported where it does not start although everything is allowed or does although execve is
/// not (then no filter is in force); with kSystem where the found set does not start it
/// `confirmations` times running after several rounds.
Expected<Calibration> Calibrate(const CalibrationOptions& options, const ContainerStarts& starts);

/// What ReadBaseSet() reads. Deterministic; ends with a newline.
std::string WriteBaseSet(const std::string& runtime, const std::string& version,
                         const std::vector<RuntimeCalls>& groups);

}  // namespace cordon
