#include "cli/violation_json.h"

#include <cstdint>
#include <ctime>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/text.h"
#include "runtime/file_policy.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::ordered_json;

Json RulesJson(const Violation& violation) {
  Json rules = Json::object();
  if (violation.is_outside_seccomp()) {
    const Json seccomp = Json::parse(AllowingRule(violation.invocation), nullptr, false);
    rules["seccomp"] = seccomp.is_discarded() ? Json(AllowingRule(violation.invocation)) : seccomp;
  }
  for (const LandlockRule& rule : violation.missing) {
    rules["landlock"].push_back({{"path", ToUtf8(rule.path)}, {"access", rule.access}});
  }
  return rules;
}

}  // namespace

std::string ViolationJson(const Violation& violation) {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  Json json;
  json["time_ms"] = (std::int64_t{now.tv_sec} * 1000) + (now.tv_nsec / 1'000'000);
  json["enforcement"] = violation.enforcement == Enforcement::kAudit ? "audit" : "enforce";
  json["call"] = ToUtf8(violation.call);
  json["name"] = SyscallLabel(violation.invocation.call);
  json["arch"] = Name(violation.invocation.call.arch);
  json["nr"] = violation.invocation.call.number;
  json["arguments"] = violation.invocation.arguments;
  json["errno"] = AnswerText(violation);
  json["phase"] = violation.phase == Phase::kServe ? "serve" : "start";
  json["only_start_may"] = violation.of_the_start;
  json["thread"] = violation.thread;
  json["processes"] = Json::array();
  for (const ProcessLink& link : violation.chain) {
    json["processes"].push_back({{"pid", link.process},
                                 {"command", ToUtf8(link.command)},
                                 {"executable", ToUtf8(link.executable)}});
  }
  for (const FileUse& use : violation.files) {
    std::vector<std::string> access;
    for (const FileAccess one : use.access.List()) {
      access.emplace_back(Name(one));
    }
    json["files"].push_back(
        {{"path", ToUtf8(use.key.path)}, {"class", Name(use.key.file_class)}, {"access", access}});
  }
  json["rules"] = RulesJson(violation);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cordon::cli
