#include "model/policy_bundle.h"

#include <fmt/format.h>

#include <utility>

#include "model/compiled_filter.h"
#include "model/sandbox_config_json.h"
#include "model/seccomp_policy_json.h"

namespace cordon {
namespace {

/// The parts of one folder, and how to name them in an error.
struct Folder {
  const std::map<std::string, std::string>& files;
  std::string_view path;

  std::string Where(std::string_view name) const { return fmt::format("{}/{}", path, name); }

  Expected<std::string> Part(const std::string& name) const {
    const auto found = files.find(name);
    if (found == files.end()) {
      return Fail(
          InvalidInput(fmt::format("{}: the part {} of the policy is missing", path, name)));
    }
    return found->second;
  }
};

/// The file of the SELinux module. It is not always called like the bundle: a module "redis" would
/// replace Debian's own of that name, so the generator calls it cordon_redis.
Expected<std::string> SelinuxModuleOf(const PolicyProof& proof, std::string_view folder) {
  for (const std::string& file : proof.files) {
    if (file.ends_with(".cil") && file != kContainerTypesFile) {
      return file;
    }
  }
  return Fail(InvalidInput(
      fmt::format("{}: the part {}.cil of the policy is missing", folder, proof.name)));
}

}  // namespace

Expected<PolicyBundle> ParsePolicyBundle(const std::map<std::string, std::string>& files,
                                         std::string_view folder) {
  const Folder parts{files, folder};
  if (!files.contains(std::string(kProofFile))) {
    return Fail(
        InvalidInput(fmt::format("{}: not a policy folder: it has no {}", folder, kProofFile)));
  }
  ASSIGN_OR_RETURN(const PolicyProof proof,
                   ReadPolicyProof(files.at(std::string(kProofFile)), parts.Where(kProofFile)));
  for (const std::string& file : proof.files) {
    RETURN_IF_ERROR(parts.Part(file));
  }
  PolicyBundle bundle;
  bundle.name = proof.name;
  ASSIGN_OR_RETURN(bundle.seccomp_json, parts.Part(std::string(kSeccompFile)));
  bundle.seccomp_source = parts.Where(kSeccompFile);
  ASSIGN_OR_RETURN(bundle.seccomp_bpf, parts.Part(std::string(kSeccompBpfFile)));
  RETURN_IF_ERROR(ReadCompiledFilter(bundle.seccomp_bpf, parts.Where(kSeccompBpfFile)));
  ASSIGN_OR_RETURN(const std::string config, parts.Part(std::string(kConfigFile)));
  ASSIGN_OR_RETURN(bundle.config,
                   ReadSandboxConfig(config, parts.Where(kConfigFile), SeccompPart::kSkip));
  ASSIGN_OR_RETURN(const std::string module, SelinuxModuleOf(proof, folder));
  ASSIGN_OR_RETURN(bundle.selinux_module, parts.Part(module));
  if (proof.serving) {
    ServingPart& serving = bundle.serving.emplace();
    serving.when = proof.serving->when;
    ASSIGN_OR_RETURN(serving.seccomp_json, parts.Part(std::string(kServingFile)));
    serving.seccomp_source = parts.Where(kServingFile);
    ASSIGN_OR_RETURN(serving.seccomp_bpf, parts.Part(std::string(kServingBpfFile)));
    RETURN_IF_ERROR(ReadCompiledFilter(serving.seccomp_bpf, parts.Where(kServingBpfFile)));
  }
  return bundle;
}

Expected<SeccompPolicy> ReadSeccompOf(const ServingPart& serving) {
  return ReadSeccompPolicy(serving.seccomp_json, serving.seccomp_source);
}

Expected<SeccompPolicy> ReadSeccompOf(const PolicyBundle& bundle) {
  return ReadSeccompPolicy(bundle.seccomp_json, bundle.seccomp_source);
}

}  // namespace cordon
