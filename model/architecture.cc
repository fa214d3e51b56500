#include "model/architecture.h"

#include <linux/audit.h>

#include <algorithm>
#include <array>
#include <string>

#ifndef AUDIT_ARCH_LOONGARCH64
#define AUDIT_ARCH_LOONGARCH64 (258 | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE)  // EM_LOONGARCH
#endif

namespace cordon {
namespace {

struct Row {
  Architecture arch;
  std::string_view name;
  std::string_view scmp_name;
  std::uint32_t audit_arch;
};

/// In the order of the enumeration.
constexpr std::array<Row, kArchitectureCount> kRows{{
    {Architecture::kX86_64, "x86_64", "SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64},
    {Architecture::kX86, "x86", "SCMP_ARCH_X86", AUDIT_ARCH_I386},
    {Architecture::kX32, "x32", "SCMP_ARCH_X32", AUDIT_ARCH_X86_64},
    {Architecture::kAarch64, "aarch64", "SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64},
    {Architecture::kArm, "arm", "SCMP_ARCH_ARM", AUDIT_ARCH_ARM},
    {Architecture::kRiscv64, "riscv64", "SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64},
    {Architecture::kS390x, "s390x", "SCMP_ARCH_S390X", AUDIT_ARCH_S390X},
    {Architecture::kPpc64le, "ppc64le", "SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE},
    {Architecture::kLoongarch64, "loongarch64", "SCMP_ARCH_LOONGARCH64", AUDIT_ARCH_LOONGARCH64},
}};

const Row& RowOf(Architecture arch) {
  return kRows.at(static_cast<std::size_t>(arch));
}

template <typename Predicate>
std::optional<Architecture> Find(Predicate predicate) {
  const auto* row = std::find_if(kRows.begin(), kRows.end(), predicate);
  return row == kRows.end() ? std::nullopt : std::optional(row->arch);
}

}  // namespace

std::string_view Name(Architecture arch) {
  return RowOf(arch).name;
}

std::optional<Architecture> ArchitectureFromName(std::string_view name) {
  return Find([&](const Row& row) { return row.name == name; });
}

std::string_view ScmpName(Architecture arch) {
  return RowOf(arch).scmp_name;
}

std::optional<Architecture> ArchitectureFromScmpName(std::string_view name) {
  return Find([&](const Row& row) { return row.scmp_name == name; });
}

std::uint32_t AuditArch(Architecture arch) {
  return RowOf(arch).audit_arch;
}

std::optional<Architecture> ArchitectureFromAudit(std::uint32_t audit_arch, std::uint64_t number) {
  // -1 has bit 30 set too, but is no x32 call: the kernel tests the bit in numbers that are not
  // negative (arch/x86/entry/common.c).
  if (audit_arch == AUDIT_ARCH_X86_64 && static_cast<std::int32_t>(number) > 0 &&
      (number & kX32SyscallBit) != 0) {
    return Architecture::kX32;
  }
  return Find([&](const Row& row) { return row.audit_arch == audit_arch; });
}

Architecture NativeArchitecture() {
#if defined(__x86_64__) && defined(__ILP32__)
  return Architecture::kX32;
#elif defined(__x86_64__)
  return Architecture::kX86_64;
#elif defined(__i386__)
  return Architecture::kX86;
#elif defined(__aarch64__)
  return Architecture::kAarch64;
#elif defined(__arm__)
  return Architecture::kArm;
#elif defined(__riscv) && __riscv_xlen == 64
  return Architecture::kRiscv64;
#elif defined(__s390x__)
  return Architecture::kS390x;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
  return Architecture::kPpc64le;
#elif defined(__loongarch64)
  return Architecture::kLoongarch64;
#else
#error "an architecture without a row in model/architecture.cc"
#endif
}

const std::vector<Architecture>& KernelArchitectures(Architecture native) {
  using enum Architecture;
  static const std::array<std::vector<Architecture>, kArchitectureCount> kFamilies{{
      {kX86_64, kX86, kX32},
      {kX86},
      {kX32, kX86_64, kX86},
      {kAarch64, kArm},
      {kArm},
      {kRiscv64},
      {kS390x},
      {kPpc64le},
      {kLoongarch64},
  }};
  return kFamilies.at(static_cast<std::size_t>(native));
}

}  // namespace cordon
