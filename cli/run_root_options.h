#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "common/error.h"
#include "runtime/launch_request.h"

namespace cordon::cli {

/// What `run` is told of the root file system, of what is mounted in it, and of who the command is
/// there.
struct RunRootOptions {
  std::string rootfs;
  std::vector<std::string> volumes;
  std::vector<std::string> tmpfs;
  bool read_only = false;
  std::string user_namespace;  ///< "", "all" or "subids"
  std::string user;
  std::string working_directory;
  std::vector<std::string> environment;
  std::string oom_score_adj;
};

/// `options` must live until `run` was parsed.
void AddRootOptions(CLI::App& run, RunRootOptions& options);

/// Puts them into `request`, whose config is the policy's and whose environment is the caller's.
/// Reads the root's user files and /etc/subuid where an option asks for them. kInvalidInput names
/// the option.
Status ApplyRootOptions(const RunRootOptions& options, LaunchRequest& request);

/// Gives volumes with z or Z their SELinux label, where the host runs SELinux; elsewhere there is
/// none to give. `process_label` is the workload's.
Status LabelVolumes(const RunRootOptions& options, const std::string& process_label);

}  // namespace cordon::cli
