#include "cli/load_policy.h"

#include <filesystem>
#include <map>

#include "common/file.h"
#include "common/text.h"
#include "model/compiled_filter.h"
#include "model/seccomp_compiler.h"

namespace cordon::cli {
namespace {

constexpr std::size_t kMaxPartBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxParts = 64;

Expected<std::map<std::string, std::string>> ReadFolder(const std::string& folder) {
  std::map<std::string, std::string> files;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    std::error_code ignored;
    if (!entries->is_regular_file(ignored)) {
      continue;
    }
    if (files.size() == kMaxParts) {
      return Fail(InvalidInput(folder + ": not a policy folder: it holds too many files"));
    }
    ASSIGN_OR_RETURN(files[entries->path().filename().string()],
                     ReadFile(entries->path().string(), kMaxPartBytes));
  }
  if (error) {
    return Fail(SystemError(error.value(), "reading the policy folder " + Quote(folder)));
  }
  return files;
}

}  // namespace

Expected<LoadedPolicy> LoadPolicy(const std::string& folder, FilterVariant variant) {
  ASSIGN_OR_RETURN(const auto files, ReadFolder(folder));
  LoadedPolicy policy;
  ASSIGN_OR_RETURN(policy.bundle, ParsePolicyBundle(files, folder));
  if (variant == FilterVariant::kPlain) {
    ASSIGN_OR_RETURN(const SeccompPolicy seccomp, ReadSeccompOf(policy.bundle));
    ASSIGN_OR_RETURN(policy.filter, CompileSeccomp(seccomp));
    return policy;
  }
  ASSIGN_OR_RETURN(
      CompiledFilter compiled,
      ReadCompiledFilter(policy.bundle.seccomp_bpf, folder + "/" + std::string(kSeccompBpfFile)));
  policy.recompiled_because = WhyStale(compiled, policy.bundle.seccomp_json);
  if (policy.recompiled_because.empty()) {
    policy.filter = std::move(compiled.program);
    return policy;
  }
  ASSIGN_OR_RETURN(const SeccompPolicy seccomp, ReadSeccompOf(policy.bundle));
  ASSIGN_OR_RETURN(policy.filter, CompileSeccomp(NotifyingVariant(seccomp)));
  return policy;
}

}  // namespace cordon::cli
