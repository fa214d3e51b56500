#pragma once

#include <linux/filter.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "model/sha256.h"
#include "model/syscall.h"

namespace cordon {

/// The content of seccomp.bpf: a compiled filter and what it was compiled from and with. A launch
/// that finds all three as it expects them loads it as it is; otherwise it compiles anew.
///
/// The file, all numbers in little-endian order:
///   offset 0   8 bytes  "CORDONBF"
///          8   4        format version, 1
///         12   4        AUDIT_ARCH_* of the architecture it was compiled on
///         16  32        SHA-256 of the bytes of seccomp.json
///         48   4        length V of the compiler version, at most 64
///         52   4        number N of instructions, 1..4096
///         56   V        the compiler version, e.g. "libseccomp 2.5.4"
///       56+V  8N        instructions: code (2), jt (1), jf (1), k (4)
/// and nothing after that.
struct CompiledFilter {
  Architecture architecture = Architecture::kX86_64;
  Sha256Digest policy_digest{};
  std::string compiler_version;
  std::vector<sock_filter> program;
};

/// The filter `program` that CompileSeccomp() made here for the policy in `seccomp_json`.
CompiledFilter MakeCompiledFilter(std::string_view seccomp_json, std::vector<sock_filter> program);

std::string WriteCompiledFilter(const CompiledFilter& filter);

/// Fails with kInvalidInput, naming `source`, for anything that WriteCompiledFilter() would not
/// write, and for a program that does not pass CheckBpf().
Expected<CompiledFilter> ReadCompiledFilter(std::string_view bytes, std::string_view source);

/// Why `filter` must not be loaded for `seccomp_json` on this host, as half a sentence; empty: it
/// may.
std::string WhyStale(const CompiledFilter& filter, std::string_view seccomp_json);

}  // namespace cordon
