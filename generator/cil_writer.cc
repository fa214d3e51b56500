#include "generator/cil_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

#include "generator/file_context_regex.h"
#include "generator/policy_comment.h"

namespace cordon {
namespace {

std::string Comment(const SelinuxReasons& reasons) {
  const std::string summary = reasons.Summary();
  return summary.empty() ? std::string() : fmt::format("; {}\n", OneLine(summary));
}

std::string Context(std::string_view type) {
  return fmt::format("(system_u object_r {} ((s0) (s0)))", type);
}

std::string Types(const SelinuxPolicy& policy) {
  std::string cil;
  for (const auto& [name, type] : policy.types) {
    cil += fmt::format("{0}(type {1})\n(roletype object_r {1})\n", Comment(type.reasons), name);
    for (const std::string& attribute : type.attributes) {
      cil += fmt::format("(typeattributeset {} ({}))\n", attribute, name);
    }
  }
  for (const auto& [attribute, members] : policy.attributes) {
    cil += fmt::format("(typeattribute {0})\n(typeattributeset {0} ({1}))\n", attribute,
                       fmt::join(members, " "));
  }
  for (const auto& [role, types] : policy.role_types) {
    for (const std::string& type : types) {
      cil += fmt::format("(roletype {} {})\n", role, type);
    }
  }
  return cil;
}

std::string Vectors(std::string_view keyword,
                    const std::map<AccessVectorKey, AccessVectorRule>& rules) {
  std::string cil;
  for (const auto& [key, rule] : rules) {
    if (!rule.permissions.empty()) {
      cil += fmt::format("{}({} {} {} ({} ({})))\n", Comment(rule.reasons), keyword, key.source,
                         key.target, key.object_class, fmt::join(rule.permissions, " "));
    }
  }
  return cil;
}

std::string Ioctls(const SelinuxPolicy& policy) {
  std::string cil;
  for (const auto& [key, rule] : policy.allow_ioctl) {
    if (rule.requests.empty()) {
      continue;
    }
    std::string requests;
    for (const std::uint16_t request : rule.requests) {
      requests += fmt::format("{}{:#06x}", requests.empty() ? "" : " ", request);
    }
    cil += fmt::format("{}(allowx {} {} (ioctl {} ({})))\n", Comment(rule.reasons), key.source,
                       key.target, key.object_class, requests);
  }
  return cil;
}

std::string Transitions(const SelinuxPolicy& policy) {
  std::string cil;
  for (const auto& [key, rule] : policy.transitions) {
    const std::string name = key.name.empty() ? std::string() : fmt::format(" \"{}\"", key.name);
    cil += fmt::format("{}(typetransition {} {} {}{} {})\n", Comment(rule.reasons), key.source,
                       key.target, key.object_class, name, rule.type);
  }
  return cil;
}

std::string Places(const SelinuxPolicy& policy) {
  std::string cil;
  for (const auto& [key, rule] : policy.file_contexts) {
    cil += fmt::format("{}(filecon \"{}\" {} {})\n", Comment(rule.reasons), key.regex,
                       FileconWord(key.file_class), Context(rule.type));
  }
  for (const auto& [key, rule] : policy.ports) {
    cil += fmt::format("{}(portcon {} {} {})\n", Comment(rule.reasons), key.protocol, key.port,
                       Context(rule.type));
  }
  return cil;
}

}  // namespace

std::string WriteCil(const SelinuxPolicy& policy, const std::vector<std::string>& heading) {
  std::string cil;
  for (const std::string& line : heading) {
    cil += fmt::format("; {}\n", OneLine(line));
  }
  cil += "\n; --- types\n" + Types(policy);
  if (policy.mode == DomainMode::kPermissive) {
    cil += fmt::format("\n; --- nothing is refused yet, only logged\n(typepermissive {})\n",
                       policy.domain);
  }
  cil += "\n; --- what the domain may do\n" + Vectors("allow", policy.allow);
  if (!policy.dontaudit.empty()) {
    cil += "\n; --- refused without a word\n" + Vectors("dontaudit", policy.dontaudit);
  }
  if (!policy.allow_ioctl.empty()) {
    cil += "\n; --- which ioctl requests\n" + Ioctls(policy);
  }
  if (!policy.transitions.empty()) {
    cil += "\n; --- what new files are called\n" + Transitions(policy);
  }
  cil += "\n; --- where the labels go\n" + Places(policy);
  return cil;
}

}  // namespace cordon
