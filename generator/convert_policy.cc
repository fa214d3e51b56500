#include "generator/convert_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "common/text.h"
#include "model/errno_name.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_policy_json.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

/// How many calls with a name have no rule, so that what they get hangs on the default action.
std::size_t CallsWithoutRule(const SeccompPolicy& policy) {
  std::set<std::string> named;
  for (const SeccompRule& rule : policy.rules) {
    named.insert(rule.names.begin(), rule.names.end());
  }
  std::set<std::string> without;
  for (const Architecture arch : policy.architectures) {
    for (const auto& [number, name] : SyscallsOf(arch)) {
      if (!named.contains(std::string(name))) {
        without.emplace(name);
      }
    }
  }
  return without.size();
}

/// The loss where a consumer takes an ERRNO default for EPERM; nothing where it makes no
/// difference.
void AddDefaultErrnoLoss(const SeccompPolicy& policy, std::string_view consumer,
                         std::vector<std::string>& losses) {
  const SeccompAction& action = policy.default_action;
  const std::size_t calls = CallsWithoutRule(policy);
  if (action.kind == SeccompActionKind::kErrno && action.data != EPERM) {
    losses.push_back(
        fmt::format("{} has no errno for the default action: numbers without a name{} get EPERM "
                    "instead of {}",
                    consumer, calls == 0 ? "" : fmt::format(" and {} calls without a rule", calls),
                    ErrnoName(action.data)));
  }
}

ConvertedPolicy AsDocker(const SeccompPolicy& policy) {
  ConvertedPolicy converted{WriteSeccompPolicy(policy), {}};
  AddDefaultErrnoLoss(policy, "Docker 20.10", converted.losses);
  return converted;
}

ConvertedPolicy AsOci(const SeccompPolicy& policy) {
  ConvertedPolicy converted{WriteSeccompPolicy(policy, SeccompProfileFormat::kOci), {}};
  if (std::ranges::any_of(policy.rules,
                          [](const SeccompRule& rule) { return !rule.comment.empty(); })) {
    converted.losses.emplace_back(
        "the OCI runtime specification has no comments: why each rule is there is left out");
  }
  return converted;
}

bool IsLabel(std::string_view name) {
  const auto is_inner = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::ranges::all_of(name, is_inner);
}

/// security-profiles-operator api/seccompprofile/v1beta1: like linux.seccomp, but no default errno,
/// and errnoRet is text.
Expected<ConvertedPolicy> AsKubernetes(const SeccompPolicy& policy, const std::string& name) {
  RETURN_IF_ERROR(CheckObjectName(name));
  ConvertedPolicy converted = AsOci(policy);
  Json spec = Json::parse(converted.document, nullptr, /*allow_exceptions=*/false);
  if (spec.contains("defaultErrnoRet")) {
    spec.erase("defaultErrnoRet");
    AddDefaultErrnoLoss(policy, "the Security Profiles Operator", converted.losses);
  }
  for (Json& rule : spec["syscalls"]) {
    if (rule.contains("errnoRet")) {
      rule["errnoRet"] = std::to_string(rule["errnoRet"].get<unsigned>());
    }
  }
  Json object;
  object["apiVersion"] = "security-profiles-operator.x-k8s.io/v1beta1";
  object["kind"] = "SeccompProfile";
  object["metadata"]["name"] = name;
  object["spec"] = std::move(spec);
  converted.document = object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return converted;
}

Expected<ConvertedPolicy> AsBpf(const SeccompPolicy& policy) {
  ASSIGN_OR_RETURN(const std::vector<sock_filter> program, CompileSeccomp(policy));
  ConvertedPolicy converted;
  converted.document.assign(reinterpret_cast<const char*>(program.data()),
                            program.size() * sizeof(sock_filter));
  converted.losses.emplace_back(
      "a program has no names and no reasons, and is for machines of this byte order");
  if (!policy.flags.empty()) {
    converted.losses.push_back(
        fmt::format("a program has no flags: whoever loads it has to give {}",
                    Join({policy.flags.begin(), policy.flags.end()}, ", ")));
  }
  return converted;
}

}  // namespace

Status CheckObjectName(const std::string& name) {
  if (!IsLabel(name)) {
    return Fail(InvalidInput(fmt::format(
        "{} cannot be the name of a Kubernetes object: 1 to 63 of a-z 0-9 - are, and no - at the "
        "ends",
        Quote(name))));
  }
  return {};
}

Expected<ConvertedPolicy> ConvertPolicy(const SeccompPolicy& policy, const std::string& name,
                                        PolicyTarget target) {
  switch (target) {
    case PolicyTarget::kDocker:
      return AsDocker(policy);
    case PolicyTarget::kPodman:
      return ConvertedPolicy{WriteSeccompPolicy(policy), {}};
    case PolicyTarget::kOci:
      return AsOci(policy);
    case PolicyTarget::kKubernetes:
      return AsKubernetes(policy, name);
    case PolicyTarget::kSystemd:
      return ConvertToSystemd(policy);
    case PolicyTarget::kBpf:
      return AsBpf(policy);
  }
  return Fail(MakeError(ErrorCode::kInternal, "an unknown target"));
}

}  // namespace cordon
