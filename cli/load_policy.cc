#include "cli/load_policy.h"

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "cli/read_policy_folder.h"
#include "model/compiled_filter.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_names.h"
#include "runtime/call_auditor.h"

namespace cordon::cli {
namespace {

/// A compiled filter of a bundle, and what it was compiled from.
struct FilterSource {
  CompiledFilter compiled;
  std::string stale_because;  ///< empty: it may be loaded
  std::function<Expected<SeccompPolicy>()> read_policy;
};

Expected<FilterSource> SourceOf(const PolicyBundle& bundle, FilterVariant variant,
                                const std::string& folder) {
  FilterSource source;
  if (variant == FilterVariant::kTwoPhases) {
    if (!bundle.serving) {
      return Fail(InvalidInput("the policy has no filter for two phases"));
    }
    const ServingPart& serving = *bundle.serving;
    ASSIGN_OR_RETURN(
        source.compiled,
        ReadCompiledFilter(serving.seccomp_bpf, folder + "/" + std::string(kServingBpfFile)));
    source.stale_because = WhyStale(source.compiled, serving.seccomp_json);
    source.read_policy = [&serving]() -> Expected<SeccompPolicy> {
      ASSIGN_OR_RETURN(const SeccompPolicy policy, ReadSeccompOf(serving));
      return TwoPhaseVariant(policy);
    };
    return source;
  }
  ASSIGN_OR_RETURN(
      source.compiled,
      ReadCompiledFilter(bundle.seccomp_bpf, folder + "/" + std::string(kSeccompBpfFile)));
  source.stale_because = WhyStale(source.compiled, bundle.seccomp_json);
  source.read_policy = [&bundle]() -> Expected<SeccompPolicy> {
    ASSIGN_OR_RETURN(const SeccompPolicy policy, ReadSeccompOf(bundle));
    return NotifyingVariant(policy);
  };
  return source;
}

/// Why there is no filter for two phases, and what to do.
Error OnePhase(const PolicyBundle& bundle, const std::string& folder) {
  const Expected<SeccompPolicy> policy = ReadSeccompOf(bundle);
  const std::vector<SeccompRule> rules = policy ? policy->rules : std::vector<SeccompRule>();
  const auto other = std::ranges::find_if(rules, [](const SeccompRule& rule) {
    return rule.action.kind != SeccompActionKind::kAllow &&
           rule.action.kind != SeccompActionKind::kErrno;
  });
  if (other != rules.end()) {
    return InvalidInput(folder + ": the policy has one phase, since it answers " +
                        Describe(other->action) +
                        " to calls that were not seen: --serving-when needs one of cordon "
                        "generate --on-violation errno");
  }
  return InvalidInput(folder +
                      ": the policy has one phase: for --serving-when it has to be learned with "
                      "cordon profile --serving-when, every run of it");
}

}  // namespace

Expected<LoadedPolicy> LoadPolicy(const std::string& folder, FilterVariant variant, FilterUse use) {
  ASSIGN_OR_RETURN(const auto files, ReadPolicyFolder(folder));
  return LoadPolicyFiles(files, folder, variant, use);
}

Expected<LoadedPolicy> LoadPolicyFiles(const std::map<std::string, std::string>& files,
                                       const std::string& folder, FilterVariant variant,
                                       FilterUse use) {
  LoadedPolicy policy;
  ASSIGN_OR_RETURN(policy.bundle, ParsePolicyBundle(files, folder));
  if (variant == FilterVariant::kPlain) {
    ASSIGN_OR_RETURN(const SeccompPolicy seccomp, ReadSeccompOf(policy.bundle));
    ASSIGN_OR_RETURN(policy.filter, CompileSeccomp(seccomp));
    return policy;
  }
  if (variant == FilterVariant::kTwoPhases && !policy.bundle.serving) {
    return Fail(OnePhase(policy.bundle, folder));
  }
  ASSIGN_OR_RETURN(const FilterSource source, SourceOf(policy.bundle, variant, folder));
  if (use == FilterUse::kAudit) {
    ASSIGN_OR_RETURN(const SeccompPolicy notifying, source.read_policy());
    const std::set<std::string> audited = AuditedCalls(
        policy.bundle.config.landlock ? FileComparison::kWanted : FileComparison::kNotWanted);
    ASSIGN_OR_RETURN(policy.filter,
                     CompileSeccomp(AskingAbout(AuditedVariant(notifying), audited)));
    return policy;
  }
  policy.recompiled_because = source.stale_because;
  if (policy.recompiled_because.empty()) {
    policy.filter = source.compiled.program;
    return policy;
  }
  ASSIGN_OR_RETURN(const SeccompPolicy notifying, source.read_policy());
  ASSIGN_OR_RETURN(policy.filter, CompileSeccomp(notifying));
  return policy;
}

}  // namespace cordon::cli
