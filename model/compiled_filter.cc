#include "model/compiled_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "model/bpf_interpreter.h"
#include "model/seccomp_compiler.h"

namespace cordon {
namespace {

constexpr std::string_view kMagic = "CORDONBF";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kHeaderBytes = 56;
constexpr std::size_t kMaxVersionBytes = 64;
constexpr std::size_t kInstructionBytes = 8;

void Append(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> (8 * i))));
  }
}

std::uint32_t NumberAt(std::string_view bytes, std::size_t offset, std::size_t width) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[offset + i])) << (8 * i);
  }
  return value;
}

}  // namespace

CompiledFilter MakeCompiledFilter(std::string_view seccomp_json, std::vector<sock_filter> program) {
  return {NativeArchitecture(), Sha256(seccomp_json), SeccompCompilerVersion(), std::move(program)};
}

std::string WriteCompiledFilter(const CompiledFilter& filter) {
  std::string out(kMagic);
  Append(out, kFormatVersion, 4);
  Append(out, AuditArch(filter.architecture), 4);
  out.append(filter.policy_digest.begin(), filter.policy_digest.end());
  Append(out, filter.compiler_version.size(), 4);
  Append(out, filter.program.size(), 4);
  out += filter.compiler_version;
  for (const sock_filter& instruction : filter.program) {
    Append(out, instruction.code, 2);
    Append(out, instruction.jt, 1);
    Append(out, instruction.jf, 1);
    Append(out, instruction.k, 4);
  }
  return out;
}

Expected<CompiledFilter> ReadCompiledFilter(std::string_view bytes, std::string_view source) {
  const auto fails = [&](std::string_view what) {
    return Fail(InvalidInput(fmt::format("{}: {}", source, what)));
  };
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) {
    return fails("not a compiled filter");
  }
  if (const std::uint32_t version = NumberAt(bytes, 8, 4); version != kFormatVersion) {
    return fails(fmt::format("format version {}; this program reads {}", version, kFormatVersion));
  }
  CompiledFilter filter;
  const std::uint32_t audit_arch = NumberAt(bytes, 12, 4);
  const std::optional<Architecture> architecture = ArchitectureFromAudit(audit_arch, 0);
  if (!architecture) {
    return fails(fmt::format("unknown architecture {:#x}", audit_arch));
  }
  filter.architecture = *architecture;
  std::transform(bytes.begin() + 16, bytes.begin() + 48, filter.policy_digest.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  const std::size_t version_bytes = NumberAt(bytes, 48, 4);
  const std::size_t count = NumberAt(bytes, 52, 4);
  if (version_bytes > kMaxVersionBytes || count > BPF_MAXINSNS ||
      bytes.size() != kHeaderBytes + version_bytes + (count * kInstructionBytes)) {
    return fails("its length is not what its header says");
  }
  filter.compiler_version = bytes.substr(kHeaderBytes, version_bytes);
  for (std::size_t offset = kHeaderBytes + version_bytes; offset < bytes.size();
       offset += kInstructionBytes) {
    filter.program.push_back({static_cast<std::uint16_t>(NumberAt(bytes, offset, 2)),
                              static_cast<std::uint8_t>(NumberAt(bytes, offset + 2, 1)),
                              static_cast<std::uint8_t>(NumberAt(bytes, offset + 3, 1)),
                              NumberAt(bytes, offset + 4, 4)});
  }
  if (const Status checked = CheckBpf(filter.program); !checked) {
    return Fail(checked.error().WithContext(source));
  }
  return filter;
}

std::string WhyStale(const CompiledFilter& filter, std::string_view seccomp_json) {
  if (filter.architecture != NativeArchitecture()) {
    return fmt::format("it was compiled on {}", Name(filter.architecture));
  }
  if (filter.compiler_version != SeccompCompilerVersion()) {
    return fmt::format("it was compiled by {}, and this is {}", filter.compiler_version,
                       SeccompCompilerVersion());
  }
  if (filter.policy_digest != Sha256(seccomp_json)) {
    return "the policy was changed since it was compiled";
  }
  return {};
}

}  // namespace cordon
