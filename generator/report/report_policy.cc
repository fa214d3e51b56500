#include "generator/report/report_policy.h"

#include <fmt/format.h>

#include <utility>

namespace cordon::report {
namespace {

Expected<Json> ParsePart(const std::map<std::string, std::string>& files, std::string_view part,
                         std::string_view source) {
  const auto found = files.find(std::string(part));
  if (found == files.end()) {
    return Fail(
        InvalidInput(fmt::format("{}: the part {} of the policy is missing", source, part)));
  }
  Json json = Json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return Fail(InvalidInput(fmt::format("{}/{}: not JSON", source, part)));
  }
  return json;
}

}  // namespace

Expected<ReportPolicy> ReadReportPolicy(const std::map<std::string, std::string>& files,
                                        std::string_view source) {
  ReportPolicy policy;
  ASSIGN_OR_RETURN(policy.proof, ParsePart(files, kProofFile, source));
  ASSIGN_OR_RETURN(const Json why, ParsePart(files, kWhyFile, source));
  policy.selinux = Member(why, "selinux");
  ASSIGN_OR_RETURN(policy.reasons, ReadPolicyReasons(files.at(std::string(kWhyFile)),
                                                     fmt::format("{}/{}", source, kWhyFile)));
  ASSIGN_OR_RETURN(const PolicyBundle bundle, ParsePolicyBundle(files, source));
  policy.name = bundle.name;
  ASSIGN_OR_RETURN(policy.seccomp, ReadSeccompOf(bundle));
  if (policy.seccomp.architectures.empty()) {
    return Fail(
        InvalidInput(fmt::format("{}/{}: the policy lists no architecture", source, kSeccompFile)));
  }
  if (bundle.serving) {
    ASSIGN_OR_RETURN(policy.serving, ReadSeccompOf(*bundle.serving));
  }
  return policy;
}

}  // namespace cordon::report
