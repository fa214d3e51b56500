#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/seccomp_policy_json.h"

namespace cordon::cli {

/// For what a container profile's conditions are decided; empty: for this host, and a container
/// with the default capabilities.
struct ProfileContextOptions {
  std::vector<std::string> capabilities;
  std::string architecture;
  std::string kernel;
  bool notes = false;  ///< print every ResolvedProfile::notes, not only how many there are
};

/// Adds --cap, --arch, --kernel and --notes to `command`.
void AddProfileContextOptions(CLI::App& command, ProfileContextOptions& options);

/// Fails with kInvalidInput for an option that names nothing.
Expected<ProfileContext> MakeProfileContext(const ProfileContextOptions& options);

/// Says on stderr what was left out of `path` or decided by the context: in one line, or each with
/// --notes.
void ReportNotes(const std::string& path, const ResolvedProfile& profile,
                 const ProfileContextOptions& options);

/// The seccomp policy that `path` names: a bundle folder, or a profile in any of the formats of
/// Docker, Podman and OCI. Fails with kInvalidInput naming file and place.
Expected<ResolvedProfile> LoadSeccompPolicy(const std::string& path, const ProfileContext& context);

/// The same for the context that `options` name.
Expected<ResolvedProfile> LoadSeccompPolicy(const std::string& path,
                                            const ProfileContextOptions& options);

}  // namespace cordon::cli
