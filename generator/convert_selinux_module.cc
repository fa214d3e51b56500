#include "generator/convert_selinux_module.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/text.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

/// What the operator takes at most (the CRD's MaxLength).
constexpr std::size_t kMaxPolicyBytes = 500'000;

/// CIL without its comments and empty lines. A ; inside a string begins none.
std::string WithoutComments(std::string_view cil) {
  std::string text;
  bool in_string = false;
  bool in_comment = false;
  for (const char c : cil) {
    if (c == '\n') {
      in_comment = false;
      if (text.empty() || text.back() == '\n') {
        continue;
      }
    }
    in_string = in_comment ? in_string : in_string != (c == '"');
    in_comment = in_comment || (c == ';' && !in_string);
    if (!in_comment) {
      text += c;
    }
  }
  return text;
}

/// How often each statement is there that operators from 1.0 on refuse in a raw profile.
std::map<std::string_view, std::size_t> RefusedStatements(std::string_view cil) {
  constexpr std::array<std::string_view, 3> kRefused = {"filecon", "portcon", "roletype"};
  std::map<std::string_view, std::size_t> found;
  for (const std::string& line : Split(cil, '\n')) {
    for (const std::string_view statement : kRefused) {
      if (line.starts_with(fmt::format("({} ", statement))) {
        ++found[statement];
      }
    }
  }
  return found;
}

}  // namespace

Expected<ConvertedPolicy> ConvertSelinuxModule(std::string_view cil, std::string_view domain,
                                               const std::string& name) {
  RETURN_IF_ERROR(CheckObjectName(name));
  const std::string policy =
      WithoutComments(cil) +
      fmt::format("(typealias process)\n(typealiasactual process {})\n", domain);
  ConvertedPolicy converted;
  Json object;
  object["apiVersion"] = "security-profiles-operator.x-k8s.io/v1alpha2";
  object["kind"] = "RawSelinuxProfile";
  object["metadata"]["name"] = name;
  object["spec"]["policy"] = policy;
  converted.document = object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";

  converted.losses.emplace_back(
      "a RawSelinuxProfile has no comments: why each SELinux rule is there is left out");
  converted.losses.push_back(fmt::format(
      "the SELinux module names the types of the policy that it was made for, and lets the domains "
      "that start programs there into {}: nodes need that policy, and a rule for the domain of "
      "their container runtime",
      domain));
  converted.losses.emplace_back(
      "a RawSelinuxProfile labels no files: the paths that the module names have to be relabelled "
      "(restorecon) on every node");
  std::vector<std::string> refused;
  for (const auto& [statement, count] : RefusedStatements(policy)) {
    refused.push_back(fmt::format("{} ({})", statement, count));
  }
  if (!refused.empty()) {
    converted.losses.push_back(
        fmt::format("the Security Profiles Operator 1.0 refuses raw profiles with statements that "
                    "reach beyond their block, of which the module has {}: earlier releases take "
                    "it, with 1.0 load the .cil on the nodes instead",
                    Join(refused, ", ")));
  }
  if (policy.size() > kMaxPolicyBytes) {
    converted.losses.push_back(
        fmt::format("the SELinux module has {} bytes, and the Security Profiles Operator 1.0 takes "
                    "{}",
                    policy.size(), kMaxPolicyBytes));
  }
  return converted;
}

std::string ListOfObjects(const std::vector<std::string>& objects) {
  Json list;
  list["apiVersion"] = "v1";
  list["kind"] = "List";
  list["items"] = Json::array();
  for (const std::string& object : objects) {
    list["items"].push_back(Json::parse(object, nullptr, /*allow_exceptions=*/false));
  }
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cordon
