#include "generator/te_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "generator/file_context_regex.h"
#include "generator/policy_comment.h"

namespace cordon {
namespace {

/// What a module names without declaring it: the require block.
struct Requirements {
  std::set<std::string> types;
  std::set<std::string> attributes;
  std::set<std::string> roles;
  std::map<std::string, std::set<std::string>> classes;
};

class RequirementFinder {
 public:
  explicit RequirementFinder(const SelinuxPolicy& policy) : policy_(policy) {}

  Requirements Find();

 private:
  void Type(const std::string& name) {
    if (name != "self" && !policy_.types.contains(name) && !policy_.attributes.contains(name)) {
      found_.types.insert(name);
    }
  }

  void Vectors(const std::map<AccessVectorKey, AccessVectorRule>& rules);

  const SelinuxPolicy& policy_;
  Requirements found_;
};

void RequirementFinder::Vectors(const std::map<AccessVectorKey, AccessVectorRule>& rules) {
  for (const auto& [key, rule] : rules) {
    Type(key.source);
    Type(key.target);
    found_.classes[key.object_class].insert(rule.permissions.begin(), rule.permissions.end());
  }
}

Requirements RequirementFinder::Find() {
  for (const auto& [name, type] : policy_.types) {
    found_.attributes.insert(type.attributes.begin(), type.attributes.end());
  }
  for (const auto& [attribute, members] : policy_.attributes) {
    for (const std::string& member : members) {
      Type(member);
    }
  }
  for (const auto& [role, types] : policy_.role_types) {
    found_.roles.insert(role);
  }
  Vectors(policy_.allow);
  Vectors(policy_.dontaudit);
  for (const auto& [key, rule] : policy_.transitions) {
    Type(key.target);
    Type(rule.type);
    found_.classes[key.object_class].insert("create");
  }
  return std::move(found_);
}

std::string Comment(const SelinuxReasons& reasons) {
  const std::string summary = reasons.Summary();
  return summary.empty() ? std::string() : fmt::format("# {}\n", OneLine(summary));
}

std::string RequireBlock(const Requirements& requirements) {
  std::string te = "require {\n";
  for (const std::string& type : requirements.types) {
    te += fmt::format("\ttype {};\n", type);
  }
  for (const std::string& attribute : requirements.attributes) {
    te += fmt::format("\tattribute {};\n", attribute);
  }
  for (const std::string& role : requirements.roles) {
    te += fmt::format("\trole {};\n", role);
  }
  for (const auto& [object_class, permissions] : requirements.classes) {
    te += fmt::format("\tclass {} {{ {} }};\n", object_class, fmt::join(permissions, " "));
  }
  return te + "}\n\n";
}

std::string Declarations(const SelinuxPolicy& policy) {
  std::string te;
  for (const auto& [name, type] : policy.types) {
    te += fmt::format("{}type {}{}{};\n", Comment(type.reasons), name,
                      type.attributes.empty() ? "" : ", ", fmt::join(type.attributes, ", "));
  }
  for (const auto& [attribute, members] : policy.attributes) {
    te += fmt::format("attribute {};\n", attribute);
    for (const std::string& member : members) {
      te += fmt::format("typeattribute {} {};\n", member, attribute);
    }
  }
  for (const auto& [role, types] : policy.role_types) {
    te += fmt::format("role {} types {{ {} }};\n", role, fmt::join(types, " "));
  }
  if (policy.mode == DomainMode::kPermissive) {
    te += fmt::format("# nothing is refused yet, only logged\npermissive {};\n", policy.domain);
  }
  return te;
}

std::string VectorRules(std::string_view keyword,
                        const std::map<AccessVectorKey, AccessVectorRule>& rules) {
  std::string te;
  for (const auto& [key, rule] : rules) {
    if (!rule.permissions.empty()) {
      te += fmt::format("{}{} {} {}:{} {{ {} }};\n", Comment(rule.reasons), keyword, key.source,
                        key.target, key.object_class, fmt::join(rule.permissions, " "));
    }
  }
  return te;
}

}  // namespace

std::string WriteTe(const SelinuxPolicy& policy, const std::vector<std::string>& heading) {
  std::string te;
  for (const std::string& line : heading) {
    te += fmt::format("# {}\n", OneLine(line));
  }
  te += fmt::format("module {} 1.0;\n\n", policy.name);
  te += RequireBlock(RequirementFinder(policy).Find());
  te += Declarations(policy) + "\n" + VectorRules("allow", policy.allow) +
        VectorRules("dontaudit", policy.dontaudit);
  for (const auto& [key, rule] : policy.allow_ioctl) {
    if (rule.requests.empty()) {
      continue;
    }
    std::string requests;
    for (const std::uint16_t request : rule.requests) {
      requests += fmt::format(" {:#06x}", request);
    }
    te += fmt::format("{}allowxperm {} {}:{} ioctl {{{} }};\n", Comment(rule.reasons), key.source,
                      key.target, key.object_class, requests);
  }
  for (const auto& [key, rule] : policy.transitions) {
    te += fmt::format("{}type_transition {} {}:{} {}{};\n", Comment(rule.reasons), key.source,
                      key.target, key.object_class, rule.type,
                      key.name.empty() ? "" : fmt::format(" \"{}\"", key.name));
  }
  for (const auto& [key, rule] : policy.ports) {
    te +=
        fmt::format("# A module of this form cannot label ports: semanage port -a -t {} -p {} {}\n",
                    rule.type, key.protocol, key.port);
  }
  return te;
}

std::string WriteFc(const SelinuxPolicy& policy) {
  std::string fc;
  for (const auto& [key, rule] : policy.file_contexts) {
    fc += fmt::format("{}{}\t{}\tsystem_u:object_r:{}:s0\n", Comment(rule.reasons), key.regex,
                      FileContextFlag(key.file_class), rule.type);
  }
  return fc;
}

}  // namespace cordon
