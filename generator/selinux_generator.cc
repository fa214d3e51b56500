#include "generator/selinux_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/text.h"
#include "generator/cil_writer.h"
#include "generator/module_package.h"
#include "generator/path_names.h"
#include "generator/policy_comment.h"
#include "generator/policy_keywords.h"
#include "generator/selinux_container.h"
#include "generator/selinux_proof.h"
#include "generator/selinux_reasons.h"
#include "generator/selinux_rules.h"
#include "generator/selinux_target.h"
#include "generator/target_compiler.h"
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

/// What of the target a module called `name` would replace or declare again, or not be told from:
/// "module redis", "type redis_t", "keyword true"; empty: nothing.
std::string TakenBy(const std::string& name, const SelinuxTarget& target) {
  constexpr auto kSuffixes =
      std::to_array<std::string_view>({"t", "exec_t", "conf_t", "log_t", "data_t", "run_t", "tmp_t",
                                       "tmpfs_t", "devpts_t", "port_t", "launcher"});
  if (target.module_names.contains(name)) {
    return "module " + name;
  }
  for (const std::string_view suffix : kSuffixes) {
    const std::string type = fmt::format("{}_{}", name, suffix);
    if (target.facts.types.contains(type) || target.facts.aliases.contains(type) ||
        target.facts.attributes.contains(type)) {
      return "type " + type;
    }
  }
  return IsPolicyKeyword(name) ? "keyword " + name : "";
}

Expected<ModuleName> NameFor(const SelinuxOptions& options, const SelinuxTarget& target) {
  const std::string plain = Identifier(options.name);
  const std::string taken = TakenBy(plain, target);
  if (taken.empty()) {
    return ModuleName{.module = plain, .workload = options.name};
  }
  const std::string prefixed = "cordon_" + plain;
  const std::string prefixed_taken = TakenBy(prefixed, target);
  if (prefixed_taken.empty() && options.name_origin == NameOrigin::kDefault) {
    return ModuleName{.module = prefixed, .workload = options.name};
  }
  return Fail(InvalidInput(fmt::format(
      "the SELinux target {} has a {} already: choose another --name{}", Quote(target.name), taken,
      prefixed_taken.empty() ? fmt::format(", such as {}", prefixed)
                             : fmt::format(" (there is a {}, too)", prefixed_taken))));
}

std::string CompanionFiles(const SelinuxTarget& target) {
  std::string files;
  for (const CilModule& companion : target.companions) {
    files += companion.name + ".cil ";
  }
  return files;
}

std::string HowToLoad(const SelinuxTarget& target, const std::string& module) {
  return target.surroundings == SelinuxSurroundings::kContainer
             ? fmt::format(
                   "load: semodule -i {0}{1}.cil; then: docker run --security-opt "
                   "label=type:{1}_t",
                   CompanionFiles(target), module)
             : fmt::format("load: semodule -i {0}.cil; then label its files: restorecon -RF PATH",
                           module);
}

std::string HowToStartContainer(const std::string& domain) {
  return fmt::format(
      "start its containers with: docker (or podman) run --security-opt label=type:{}, volumes "
      "with :z or :Z; for runc and crun process.selinuxLabel and linux.mountLabel ({})",
      domain, kContainerFileType);
}

std::vector<std::string> Heading(const SelinuxTarget& target, const SelinuxRules& rules,
                                 const ModuleName& name) {
  std::vector<std::string> lines{
      fmt::format("SELinux module {} for {}, learned by cordon {}", name.module, name.workload,
                  CORDON_VERSION),
      fmt::format("target: {}{}{}", target.name, target.version.empty() ? "" : " ", target.version),
      HowToLoad(target, name.module),
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

/// The compiler names a rule of ours by its line: "; it is there for …" from the comment above it.
std::string ReasonOfRefusedRule(const std::string& message, const CilModule& module) {
  const std::string mark = fmt::format("at {}:", module.name);
  const std::size_t at = message.find(mark);
  if (at == std::string::npos) {
    return {};
  }
  const std::size_t start = at + mark.size();
  const std::size_t end = std::min(message.find_first_not_of("0123456789", start), message.size());
  const std::vector<std::string> lines = Split(module.text, '\n');
  const std::uint64_t line = ParseUnsigned(message.substr(start, end - start)).value_or(0);
  if (line < 2 || line > lines.size() || !lines[line - 2].starts_with("; ")) {
    return {};
  }
  return fmt::format("; the rule is there for {}", lines[line - 2].substr(2));
}

/// What restorecon(8) has to label: the literal beginning of each file context.
std::set<std::string> LabelledPaths(const SelinuxPolicy& policy) {
  std::set<std::string> paths;
  for (const auto& [key, rule] : policy.file_contexts) {
    std::string path;
    std::size_t at = 0;
    for (; at < key.regex.size() && !std::string_view(".^$?*+|[({").contains(key.regex[at]); ++at) {
      at += key.regex[at] == '\\' && at + 1 < key.regex.size() ? 1 : 0;
      path += key.regex[at];
    }
    // What goes on after the literal part is below it, or in the folder around it.
    if (at < key.regex.size() && key.regex.substr(at) != "(/.*)?") {
      path = ParentPath(path);
    }
    paths.insert(path);
  }
  // A path below another one is labelled with it.
  std::erase_if(paths, [&](const std::string& path) {
    return std::ranges::any_of(paths, [&](const std::string& other) {
      return path != other && other != "/" && IsAtOrBeneath(path, other);
    });
  });
  return paths;
}

enum class Packaged : std::uint8_t { kNo, kYes };

std::vector<std::string> HowToInstall(const SelinuxPolicy& policy, const SelinuxTarget& target,
                                      Packaged packaged) {
  std::string label;
  for (const std::string& path : LabelledPaths(policy)) {
    label += (label.empty() ? " && restorecon -RFv " : " ") + path;
  }
  std::vector<std::string> lines{fmt::format("load it as root with: semodule -i {}{}.cil{}",
                                             CompanionFiles(target), policy.name, OneLine(label))};
  if (target.surroundings == SelinuxSurroundings::kContainer) {
    lines.push_back(HowToStartContainer(policy.domain));
  }
  if (packaged == Packaged::kNo) {
    lines.push_back(
        fmt::format("there is no {}.pp: checkmodule and semodule_package are not installed "
                    "(packages checkpolicy and semodule-utils)",
                    policy.name));
  }
  for (const auto& [key, port] : policy.ports) {
    if (packaged == Packaged::kYes) {
      lines.push_back(fmt::format("{}.pp cannot label ports: semanage port -a -t {} -p {} {}",
                                  policy.name, port.type, key.protocol, key.port));
    }
  }
  if (policy.mode == DomainMode::kPermissive) {
    lines.push_back(fmt::format(
        "the domain {} is permissive: what its rules do not allow is logged and goes through; "
        "generate without --permissive to enforce them",
        policy.domain));
  }
  return lines;
}

}  // namespace

Expected<GeneratedSelinux> GenerateSelinux(const Recording& recording,
                                           const SelinuxOptions& options) {
  ASSIGN_OR_RETURN(SelinuxTarget target, LoadSelinuxTarget(options.target, options.cache));
  ASSIGN_OR_RETURN(const ModuleName name, NameFor(options, target));
  ASSIGN_OR_RETURN(SelinuxRules rules, BuildSelinuxRules(recording, target, name));
  rules.policy.mode = options.mode;
  const std::vector<std::string> heading = Heading(target, rules, name);
  const CilModule module{.name = name.module, .text = WriteCil(rules.policy, heading)};
  Expected<CompiledSelinux> compiled = CompileForTarget(&target, module);
  if (!compiled.has_value()) {
    Error error = std::move(compiled).error();
    error.message += ReasonOfRefusedRule(error.message, module);
    return Fail(error.WithContext(
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
  for (const CilModule& companion : target.companions) {
    generated.files[companion.name + ".cil"] = companion.text;
  }
  generated.files[name.module + ".te"] = WriteTe(rules.policy, heading);
  generated.files[name.module + ".fc"] = WriteFc(rules.policy);
  ASSIGN_OR_RETURN(std::optional<std::string> package,
                   BuildModulePackage(name.module, generated.files.at(name.module + ".te"),
                                      generated.files.at(name.module + ".fc")));
  generated.domain_label = fmt::format("system_u:system_r:{}:s0", rules.policy.domain);
  generated.proof_json = WriteSelinuxProof(proof, rules, target, name.workload);
  generated.summary = SummarizeSelinuxProof(proof, rules, target);
  if (const std::string taken = TakenBy(Identifier(options.name), target); !taken.empty()) {
    generated.summary.push_back(
        fmt::format("the module is called {}: the target has a {} already", name.module, taken));
  }
  std::ranges::copy(
      HowToInstall(rules.policy, target, package.has_value() ? Packaged::kYes : Packaged::kNo),
      std::back_inserter(generated.summary));
  if (package.has_value()) {
    generated.files[name.module + ".pp"] = *std::move(package);
  }
  generated.reasons_json = WriteSelinuxReasons(rules);
  return generated;
}

}  // namespace cordon
