#include "runtime/violation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "common/text.h"
#include "model/errno_name.h"
#include "model/seccomp_names.h"
#include "model/syscall_signature.h"
#include "runtime/file_policy.h"

namespace cordon {

std::string AllowingRule(const SyscallInvocation& invocation) {
  const std::optional<std::string_view> name = SyscallName(invocation.call);
  if (!name) {
    return "none: a call without a name cannot be said in a profile";
  }
  std::string conditions;
  for (const ScalarArgument& scalar : RecordedScalars(invocation.call.arch, *name)) {
    if (!scalar.member.empty()) {
      continue;
    }
    // A 32-bit argument is compared by mask: the kernel ignores the upper half of the register, and
    // so must the filter.
    const std::uint64_t mask = scalar.width_bits == 32 ? 0xffffffffU : ~std::uint64_t{0};
    conditions +=
        fmt::format(R"({}{{"index":{},"value":{},"valueTwo":{},"op":"SCMP_CMP_MASKED_EQ"}})",
                    conditions.empty() ? "" : ",", scalar.index, mask,
                    invocation.arguments[scalar.index] & mask);
  }
  return fmt::format(R"({{"names":["{}"],"action":"SCMP_ACT_ALLOW"{}}})", *name,
                     conditions.empty() ? std::string() : ",\"args\":[" + conditions + "]");
}

std::string AnswerText(const Violation& violation) {
  if (!violation.is_outside_seccomp()) {
    return ErrnoName(violation.file_errno);
  }
  return violation.answer.kind == SeccompActionKind::kErrno ? ErrnoName(violation.answer.data)
                                                            : Describe(violation.answer);
}

std::string Describe(const Violation& violation) {
  const std::string_view verb = violation.enforcement != Enforcement::kAudit       ? "refused"
                                : violation.answer.kind == SeccompActionKind::kLog ? "would log"
                                                                                   : "would refuse";
  std::vector<std::string> rules;
  std::ranges::transform(violation.missing, std::back_inserter(rules),
                         [](const LandlockRule& rule) { return Describe(rule); });
  if (violation.is_outside_seccomp()) {
    return fmt::format("{} {} = {} by {}; the rule that allows it{}: {}{}", verb, violation.call,
                       AnswerText(violation), Describe(violation.chain),
                       violation.of_the_start ? " once it serves" : "",
                       AllowingRule(violation.invocation),
                       rules.empty() ? "" : "; and for its files: " + Join(rules, ","));
  }
  return fmt::format("{} {} = {} by {}; the file rule that allows it: {}", verb, violation.call,
                     AnswerText(violation), Describe(violation.chain), Join(rules, ","));
}

}  // namespace cordon
