#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "common/error.h"
#include "generator/selinux_policy_file.h"

namespace cordon::cli {

/// How the SELinux part of a policy is read.
struct SelinuxPolicyOptions {
  std::string domain;         ///< empty: the one that it was made for
  std::string target;         ///< empty: the bundle's own, or else as `generate` chooses one
  std::string file_contexts;  ///< for a compiled policy; empty: those installed beside it
};

/// Adds --domain, --target and --file-contexts to `command`.
void AddSelinuxPolicyOptions(CLI::App& command, SelinuxPolicyOptions& options);

/// A SELinux policy and the domain in question.
struct SelinuxPolicyInput {
  SelinuxPolicyFile file;
  std::string domain;  ///< empty: not told
};

/// The SELinux part of `path`: of a bundle its module, or a file that is a compiled policy, a
/// module package or ends in .cil; nothing for anything else. Fails with kInvalidInput naming file
/// and place.
Expected<std::optional<SelinuxPolicyInput>> LoadSelinuxPolicy(const std::string& path,
                                                              const SelinuxPolicyOptions& options);

}  // namespace cordon::cli
