#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "generator/selinux_target.h"

namespace cordon {

enum class SelinuxFileKind : std::uint8_t {
  kCompiled,  ///< what a kernel loads: policy.33
  kPackage,   ///< a module package: NAME.pp
  kCil,       ///< a module as text: NAME.cil
};

/// What SELinux policy `bytes`, read from `path`, are; nothing for none.
std::optional<SelinuxFileKind> SelinuxFileKindOf(std::string_view bytes, std::string_view path);

/// A policy in force, as a kernel would have it, with the labels that go with it.
struct SelinuxPolicyFile {
  std::string policy;    ///< binary
  std::string cil;       ///< the same as PolicyAsCil() writes it
  SelinuxTarget target;  ///< its names and file contexts
  std::string domain;    ///< that it was made for: NAME_t of a module NAME; empty where not told
};

struct SelinuxPolicyFileOptions {
  /// What a module is compiled with: as LoadSelinuxTarget() takes it.
  std::string target;
  /// The file contexts of a compiled policy. Empty: those that are installed beside it
  /// (POLICY/../contexts/files), else the places that cordon carries, with a note in the target.
  std::string file_contexts;
};

/// The policy in `path` and `bytes` of `kind`. A module is compiled with the target, of which a
/// module of the same name steps aside; neverallow rules do not matter. Fails with kInvalidInput
/// naming `path` when it is none, with kUnsupported when a package cannot be converted because
/// policycoreutils' /usr/libexec/selinux/hll/pp is not installed.
Expected<SelinuxPolicyFile> ReadSelinuxPolicyFile(const std::string& path, std::string bytes,
                                                  SelinuxFileKind kind,
                                                  const SelinuxPolicyFileOptions& options);

}  // namespace cordon
