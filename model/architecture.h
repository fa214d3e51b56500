#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace cordon {

/// A system call ABI, in the order of the columns of policies/syscalls.csv. kX32 is an ABI of its
/// own although the kernel reports it as AUDIT_ARCH_X86_64 with bit 30 of the number set
/// (arch/x86/include/uapi/asm/unistd.h); the numbers here are without that bit.
enum class Architecture : std::uint8_t {
  kX86_64,
  kX86,
  kX32,
  kAarch64,
  kArm,
  kRiscv64,
  kS390x,
  kPpc64le,
  kLoongarch64
};

inline constexpr std::size_t kArchitectureCount = 9;
inline constexpr std::uint32_t kX32SyscallBit = 0x40000000;

/// "x86_64", "x86", "x32", "aarch64", … as in recordings.
std::string_view Name(Architecture arch);
std::optional<Architecture> ArchitectureFromName(std::string_view name);

/// "SCMP_ARCH_X86_64", … as in OCI and Docker profiles.
std::string_view ScmpName(Architecture arch);
std::optional<Architecture> ArchitectureFromScmpName(std::string_view name);

/// AUDIT_ARCH_* of linux/audit.h, as in seccomp_data.arch and ptrace_syscall_info.arch.
std::uint32_t AuditArch(Architecture arch);

/// The ABI that a kernel report means: `audit_arch` as reported and the raw `number`, whose x32 bit
/// decides between kX86_64 and kX32.
std::optional<Architecture> ArchitectureFromAudit(std::uint32_t audit_arch, std::uint64_t number);

/// The ABI this program was built for.
Architecture NativeArchitecture();

/// The ABIs that one kernel of `native` runs, itself first: x86_64 -> x86_64, x86, x32; aarch64 ->
/// aarch64, arm.
const std::vector<Architecture>& KernelArchitectures(Architecture native);

}  // namespace cordon
