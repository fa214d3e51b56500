#include "generator/selinux_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "common/text.h"
#include "generator/cil_writer.h"
#include "generator/selinux_check.h"
#include "generator/selinux_proof.h"
#include "generator/selinux_rules.h"
#include "generator/selinux_target.h"
#include "generator/te_writer.h"

namespace cordon {
namespace {

/// `name` as a flat identifier that audit2allow and checkmodule take too.
std::string Identifier(std::string_view name) {
  std::string identifier;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    identifier +=
        std::isalnum(byte) != 0 && byte < 0x80 ? static_cast<char>(std::tolower(byte)) : '_';
  }
  if (identifier.empty() || std::isdigit(static_cast<unsigned char>(identifier.front())) != 0) {
    identifier.insert(0, "app_");
  }
  return identifier;
}

/// Would a module called `name` replace one of the target, or redeclare one of its types?
bool IsTaken(const std::string& name, const SelinuxTarget& target) {
  constexpr auto kSuffixes =
      std::to_array<std::string_view>({"t", "exec_t", "conf_t", "log_t", "data_t", "run_t", "tmp_t",
                                       "tmpfs_t", "port_t", "launcher"});
  return target.module_names.contains(name) ||
         std::ranges::any_of(kSuffixes, [&](std::string_view suffix) {
           const std::string type = fmt::format("{}_{}", name, suffix);
           return target.facts.types.contains(type) || target.facts.aliases.contains(type) ||
                  target.facts.attributes.contains(type);
         });
}

Expected<ModuleName> NameFor(const std::string& workload, const SelinuxTarget& target) {
  const std::string plain = Identifier(workload);
  if (!IsTaken(plain, target)) {
    return ModuleName{.module = plain, .workload = workload};
  }
  const std::string prefixed = "cordon_" + plain;
  if (!IsTaken(prefixed, target)) {
    return ModuleName{.module = prefixed, .workload = workload};
  }
  return Fail(InvalidInput(fmt::format(
      "the SELinux target {} has modules or types called {} and {} already: choose another --name",
      Quote(target.name), plain, prefixed)));
}

std::vector<std::string> Heading(const SelinuxTarget& target, const SelinuxRules& rules,
                                 const ModuleName& name) {
  std::vector<std::string> lines{
      fmt::format("SELinux module {} for {}, learned by cordon {}", name.module, name.workload,
                  CORDON_VERSION),
      fmt::format("target: {}{}{}", target.name, target.version.empty() ? "" : " ", target.version),
      fmt::format("load: semodule -i {0}.cil; then label its files: restorecon -RF PATH",
                  name.module),
      fmt::format("domain: {}", rules.policy.domain),
      "above each rule: the first place where it was needed, and in how many more",
  };
  if (name.module != name.workload) {
    lines.push_back(
        fmt::format("called {}, not {}: the name is taken in the target, or is none for a type",
                    name.module, name.workload));
  }
  return lines;
}

}  // namespace

Expected<GeneratedSelinux> GenerateSelinux(const Recording& recording,
                                           const SelinuxOptions& options) {
  ASSIGN_OR_RETURN(const SelinuxTarget target, LoadSelinuxTarget(options.target));
  ASSIGN_OR_RETURN(const ModuleName name, NameFor(options.name, target));
  ASSIGN_OR_RETURN(const SelinuxRules rules, BuildSelinuxRules(recording, target, name));
  const std::vector<std::string> heading = Heading(target, rules, name);
  const CilModule module{.name = name.module, .text = WriteCil(rules.policy, heading)};
  const NeverallowCheck check =
      target.kind == SelinuxTargetKind::kModules ? NeverallowCheck::kOn : NeverallowCheck::kOff;
  Expected<CompiledSelinux> compiled = CompileSelinux(target.modules, module, check);
  if (!compiled.has_value()) {
    return Fail(std::move(compiled).error().WithContext(
        fmt::format("SELinux module {} for target {}", name.module, Quote(target.name))));
  }
  ASSIGN_OR_RETURN(const SelinuxProof proof, ProveSelinux(rules, target, *compiled));
  if (!proof.denied.empty()) {
    return Fail(MakeError(
        ErrorCode::kInternal,
        fmt::format("SELinux module {} does not allow {} of {} recorded accesses, such as {}",
                    name.module, proof.denied.size(), proof.asked,
                    proof.denied.front().Describe())));
  }
  GeneratedSelinux generated;
  generated.module_name = name.module;
  generated.files[name.module + ".cil"] = module.text;
  generated.files[name.module + ".te"] = WriteTe(rules.policy, heading);
  generated.files[name.module + ".fc"] = WriteFc(rules.policy);
  generated.domain_label = fmt::format("system_u:system_r:{}:s0", rules.policy.domain);
  generated.proof_json = WriteSelinuxProof(proof, rules, target, name.workload);
  return generated;
}

}  // namespace cordon
