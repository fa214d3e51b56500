#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "generator/report/report_value.h"
#include "model/policy_bundle.h"
#include "model/policy_reasons.h"
#include "model/seccomp_policy.h"

namespace cordon::report {

/// A policy bundle as the report wants it.
struct ReportPolicy {
  std::string name;
  SeccompPolicy seccomp;
  PolicyReasons reasons;  ///< of the rules of `seccomp`
  std::optional<SeccompPolicy> serving;
  Json proof;    ///< proof.json: what people may have edited, so read by Member() and its like
  Json selinux;  ///< the member "selinux" of why.json
};

/// The bundle that `files` (name -> content) hold. Fails with kInvalidInput naming `source` and the
/// part that is missing or wrong.
Expected<ReportPolicy> ReadReportPolicy(const std::map<std::string, std::string>& files,
                                        std::string_view source);

}  // namespace cordon::report
