#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/seccomp_policy.h"

/// The words of runtime-spec's linux.seccomp for actions, comparisons and flags.
namespace cordon {

/// What a profile's action means when it gives no errno (runtime-spec: linux.seccomp).
inline constexpr std::uint16_t kDefaultErrno = 1;  // EPERM

/// linux/err.h MAX_ERRNO: the kernel caps a greater one to it.
inline constexpr std::uint64_t kMaxErrno = 4095;

/// Does `kind` carry an errno (ERRNO) or a message (TRACE)?
bool TakesErrno(SeccompActionKind kind);

/// "SCMP_ACT_ALLOW", …
std::string_view ScmpName(SeccompActionKind kind);
/// Also reads SCMP_ACT_KILL, the old name of SCMP_ACT_KILL_THREAD.
std::optional<SeccompActionKind> SeccompActionFromName(std::string_view name);

/// "ALLOW", "ERRNO EPERM", …: what a person reads.
std::string Describe(const SeccompAction& action);

/// "SCMP_CMP_EQ", …
std::string_view ScmpName(Comparison comparison);
std::optional<Comparison> ComparisonFromName(std::string_view name);

/// "argument 0 & 0xffffffff is 0x2", …: what a person reads.
std::string Describe(const ArgumentCondition& condition);

/// Is `name` a flag of seccomp(2) as runtime-spec 1.1 spells it?
bool IsSeccompFlag(std::string_view name);

}  // namespace cordon
