#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"

namespace cordon {

/// What a helper program answered.
struct ProgramOutput {
  int exit_code = 0;  ///< its exit status, or 128+N for signal N
  std::string standard_output;
  std::string standard_error;
};

/// Runs `arguments[0]` (looked up in PATH) to its end with stdin = `input`, at most `timeout`, then
/// it is killed and the call fails with kSystem/ETIMEDOUT. Output over 64 MiB fails with kLimit.
/// The child is always reaped. For helper programs only (nft, newuidmap): never for the traced or
/// sandboxed workload.
Expected<ProgramOutput> RunProgram(const std::vector<std::string>& arguments,
                                   std::chrono::milliseconds timeout, std::string_view input = {});

}  // namespace cordon
