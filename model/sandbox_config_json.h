#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"
#include "model/sandbox_config.h"

namespace cordon {

inline constexpr std::size_t kMaxSandboxConfigBytes = std::size_t{16} << 20;

/// `config` as an OCI config.json that crun and runc take too. Deterministic; ends with a newline.
std::string WriteSandboxConfig(const SandboxConfig& config);

/// What becomes of linux.seccomp: who has the policy from elsewhere need not wait for it.
enum class SeccompPart : std::uint8_t { kRead, kSkip };

/// Reads a config.json of that shape. A member that is not understood is kInvalidInput with
/// `source` and its JSON pointer.
Expected<SandboxConfig> ReadSandboxConfig(std::string_view text, std::string_view source,
                                          SeccompPart seccomp = SeccompPart::kRead);

}  // namespace cordon
