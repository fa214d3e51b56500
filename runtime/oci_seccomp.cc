#include "runtime/oci_seccomp.h"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/file.h"
#include "model/bpf_interpreter.h"
#include "model/compiled_filter.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_policy_json.h"
#include "model/sha256.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxFilterFile = 65536;

constexpr std::array<std::pair<std::string_view, unsigned long>, 4> kFlags{{
    // Of one thread, which this is, it asks for nothing.
    {"SECCOMP_FILTER_FLAG_TSYNC", 0},
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1UL << 5},  // Linux 5.19
}};

bool Notifies(const SeccompPolicy& policy) {
  return policy.default_action.kind == SeccompActionKind::kNotify ||
         std::ranges::any_of(policy.rules, [](const SeccompRule& rule) {
           return rule.action.kind == SeccompActionKind::kNotify;
         });
}

/// The program from the cache, or nothing.
std::vector<sock_filter> FromCache(const std::string& path, const std::string& profile) {
  const Expected<std::string> bytes = ReadFile(path, kMaxFilterFile);
  if (!bytes) {
    return {};
  }
  Expected<CompiledFilter> filter = ReadCompiledFilter(*bytes, path);
  return filter && WhyStale(*filter, profile).empty() ? std::move(filter->program)
                                                      : std::vector<sock_filter>();
}

Expected<std::vector<sock_filter>> Compile(const SeccompPolicy& policy, const std::string& profile,
                                           const std::string& folder, const std::string& path) {
  std::vector<sock_filter> program = FromCache(path, profile);
  if (!program.empty()) {
    return program;
  }
  ASSIGN_OR_RETURN(program, CompileAsRunc(policy));
  // Without a cache the next start compiles again.
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) {
    (void)WriteFileAtomically(path, WriteCompiledFilter(MakeCompiledFilter(profile, program)),
                              0600);
  }
  return program;
}

}  // namespace

Status CheckOciFilter(const OciFilter& filter, const OciProcessPlan& plan) {
  if (!filter.NeedsPrivilege(plan)) {
    return {};
  }
  const SyscallInvocation last{
      {NativeArchitecture(), SyscallNumber(NativeArchitecture(), "capset").value_or(-1)}, {}};
  ASSIGN_OR_RETURN(const std::uint32_t answer, InterpretBpf(filter.program, last));
  if (!Admits(ActionOfWord(answer))) {
    return Fail(InvalidInput(
        "linux.seccomp: without process.noNewPrivileges the profile must allow capset, which comes "
        "after it then"));
  }
  return {};
}

Expected<OciFilter> LoadOciFilter(const OciSeccomp& seccomp, const OciProcessPlan& plan,
                                  const std::string& cache_folder, const std::string& source,
                                  std::vector<std::string>& warnings) {
  ASSIGN_OR_RETURN(
      const ResolvedProfile profile,
      ReadContainerProfile(seccomp.profile_json, source + ": /linux/seccomp", ProfileContext()));
  for (const ProfileNote& note : profile.notes) {
    if (note.kind == ProfileNote::Kind::kUnknown) {
      warnings.push_back(note.text);
    }
  }
  OciFilter filter;
  for (const std::string& name : profile.policy.flags) {
    const auto* const known =
        std::ranges::find(kFlags, name, &std::pair<std::string_view, unsigned long>::first);
    if (known == kFlags.end()) {
      return Fail(InvalidInput("linux.seccomp.flags: " + name + " is not known"));
    }
    filter.flags |= known->second;
  }
  if (Notifies(profile.policy)) {
    if (seccomp.listener_path.empty()) {
      return Fail(InvalidInput("linux.seccomp: SCMP_ACT_NOTIFY needs a listenerPath"));
    }
    filter.listener = true;
    filter.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  }
  // The compiled program is runc's, which another name keeps apart from seccomp.bpf of bundles.
  const std::string path =
      fmt::format("{}/{}.bpf", cache_folder, ToHex(Sha256(seccomp.profile_json)));
  ASSIGN_OR_RETURN(filter.program,
                   Compile(profile.policy, seccomp.profile_json, cache_folder, path));
  RETURN_IF_ERROR(CheckOciFilter(filter, plan));
  return filter;
}

}  // namespace cordon
