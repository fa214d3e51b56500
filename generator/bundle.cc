#include "generator/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "common/text.h"
#include "generator/report/report.h"
#include "generator/sandbox_generator.h"
#include "generator/seccomp_proof.h"
#include "generator/selinux_generator.h"
#include "generator/serving_slice.h"
#include "generator/thread_needs.h"
#include "model/compiled_filter.h"
#include "model/merge_policies.h"
#include "model/policy_bundle.h"
#include "model/sandbox_config_json.h"
#include "model/seccomp_comparison.h"
#include "model/seccomp_compiler.h"

namespace cordon {
namespace {

/// why.json: for every rule of seccomp.json, in its order, what it names and why it is there, and
/// the SELinux part's own.
std::string WriteReasons(const GeneratedSeccomp& generated, const GeneratedSelinux& selinux) {
  nlohmann::ordered_json rules = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < generated.policy.rules.size(); ++i) {
    nlohmann::ordered_json rule;
    rule["rule"] = fmt::format("/syscalls/{}", i);
    rule["names"] = generated.policy.rules[i].names;
    for (const std::string& reason : generated.reasons.at(i)) {
      rule["reasons"].push_back(ToUtf8(reason));
    }
    rules.push_back(std::move(rule));
  }
  nlohmann::ordered_json document;
  document["seccomp"] = std::move(rules);
  document["selinux"] = nlohmann::ordered_json::parse(selinux.reasons_json, nullptr,
                                                      /*allow_exceptions=*/false);
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// Where the serving phase is made portable, it may be given what the whole policy has seen more
/// closely: the narrower of both holds.
Expected<SeccompPolicy> ServingPolicy(const Recording& calls, SeccompOptions options,
                                      const SeccompPolicy& whole) {
  options.part = WorkloadPart::kServing;
  ASSIGN_OR_RETURN(GeneratedSeccomp serving, GenerateSeccomp(calls, options));
  ASSIGN_OR_RETURN(const std::vector<AnswerDifference> wider,
                   FindDifferences(serving.policy, whole, AnswerRelation::kLeftIsLarger));
  if (std::ranges::none_of(wider, [](const auto& difference) { return Admits(difference.left); })) {
    return std::move(serving.policy);
  }
  ASSIGN_OR_RETURN(MergedPolicy narrower,
                   MergePolicies({serving.policy, whole}, AnswerPreference::kMoreRestrictive));
  return std::move(narrower.policy);
}

Status AddServingPart(const Recording& recording, const BundleOptions& options,
                      const SeccompPolicy& whole, GeneratedBundle& bundle) {
  const ServingSlice slice = SliceServing(recording);
  bundle.one_phase_because = slice.why_not;
  if (!slice.calls) {
    return {};
  }
  if (slice.calls->syscalls.empty()) {
    bundle.one_phase_because =
        "nothing was recorded after the boundary, so the policy has one phase";
    return {};
  }
  if (options.seccomp.on_violation != OnViolation::kErrno) {
    bundle.one_phase_because = "the policy has one phase: two need --on-violation errno";
    return {};
  }
  SeccompOptions seccomp = options.seccomp;
  seccomp.threads = MakesThreads(recording) ? Threads::kMadeBefore : Threads::kAsRecorded;
  ASSIGN_OR_RETURN(const SeccompPolicy serving, ServingPolicy(*slice.calls, seccomp, whole));
  ASSIGN_OR_RETURN(bundle.proof.serving, ProveServing(recording, *slice.calls, whole, serving));
  const std::string profile = WriteSeccompPolicy(serving, options.seccomp_format);
  ASSIGN_OR_RETURN(std::vector<sock_filter> program, CompileSeccomp(TwoPhaseVariant(serving)));
  bundle.files[std::string(kServingFile)] = profile;
  bundle.files[std::string(kServingBpfFile)] =
      WriteCompiledFilter(MakeCompiledFilter(profile, std::move(program)));
  return {};
}

}  // namespace

Expected<GeneratedBundle> GenerateBundle(const Recording& recording, const BundleOptions& options) {
  if (!IsBundleName(options.name)) {
    return Fail(
        InvalidInput(fmt::format("{} cannot be the name of a policy: 1 to 64 of A-Z a-z 0-9 . _ - "
                                 "are, beginning with a letter or digit",
                                 Quote(options.name))));
  }
  GeneratedBundle bundle;
  PolicyProof& proof = bundle.proof;
  proof.name = options.name;
  for (const auto& [id, run] : recording.runs) {
    proof.runs.push_back(id);
  }

  ASSIGN_OR_RETURN(const GeneratedSeccomp seccomp, GenerateSeccomp(recording, options.seccomp));
  ASSIGN_OR_RETURN(proof.seccomp, ProveSeccomp(recording, seccomp, options.seccomp.runtime));
  const std::string profile = WriteSeccompPolicy(seccomp.policy, options.seccomp_format);
  ASSIGN_OR_RETURN(std::vector<sock_filter> notifying,
                   CompileSeccomp(NotifyingVariant(seccomp.policy)));
  bundle.files[std::string(kSeccompFile)] = profile;
  bundle.files[std::string(kSeccompBpfFile)] =
      WriteCompiledFilter(MakeCompiledFilter(profile, std::move(notifying)));
  RETURN_IF_ERROR(AddServingPart(recording, options, seccomp.policy, bundle));

  ASSIGN_OR_RETURN(GeneratedSelinux selinux,
                   GenerateSelinux(recording, {.name = options.name,
                                               .target = options.selinux_target,
                                               .mode = options.selinux_mode,
                                               .cache = options.selinux_cache,
                                               .name_origin = options.name_origin}));
  proof.selinux_json = selinux.proof_json;
  bundle.files[std::string(kWhyFile)] = WriteReasons(seccomp, selinux);
  bundle.files.merge(selinux.files);
  bundle.selinux_summary = std::move(selinux.summary);

  ASSIGN_OR_RETURN(SandboxConfig config, GenerateSandbox(recording, options.name));
  config.seccomp = seccomp.policy;
  config.no_new_privileges = options.seccomp.no_new_privileges != NoNewPrivileges::kOff;
  config.selinux_label = selinux.domain_label;
  bundle.files[std::string(kConfigFile)] = WriteSandboxConfig(config);

  for (const auto& [name, content] : bundle.files) {
    proof.files.push_back(name);
  }
  bundle.files[std::string(kProofFile)] = WritePolicyProof(proof);
  ASSIGN_OR_RETURN(bundle.files[std::string(kReportFile)],
                   WriteReport({{.name = options.name,
                                 .source = options.name,
                                 .recording = &recording,
                                 .bundle = &bundle.files}}));
  return bundle;
}

Expected<std::string> DefaultBundleName(const Recording& recording) {
  const std::string* program = nullptr;
  std::optional<std::int64_t> earliest;
  // Runs of one second are told apart by their id, which is their order here: the answer does not
  // hang on the order of merging.
  for (const auto& [id, run] : recording.runs) {
    if (!run.command.empty() && (!earliest || run.started_unix_s < *earliest)) {
      earliest = run.started_unix_s;
      program = &run.command.front();
    }
  }
  std::string name =
      program == nullptr ? std::string() : program->substr(program->find_last_of('/') + 1);
  std::ranges::replace_if(
      name, [](char c) { return !IsBundleName(std::string(1, c)) && c != '.' && c != '-'; }, '_');
  name.erase(0, name.find_first_not_of("._-"));
  name.resize(std::min<std::size_t>(name.size(), 64));
  if (!IsBundleName(name)) {
    return Fail(
        InvalidInput("the recording names no program to call the policy after: give --name"));
  }
  return name;
}

}  // namespace cordon
