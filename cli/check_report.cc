#include "cli/check_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "common/printable.h"
#include "common/text.h"
#include "model/seccomp_names.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::ordered_json;

/// "by '/usr/sbin/nginx', '/bin/sh'"; empty for nobody.
std::string By(const std::set<std::string>& executables) {
  std::string who;
  for (const std::string& executable : executables) {
    who += (who.empty() ? ", by " : ", ") + Quote(executable);
  }
  return who;
}

std::string Describe(const UnheldCall& unheld) {
  return fmt::format("{}{}: recorded with {}, the policy answers {}",
                     DescribeInvocation(unheld.call.invocation), By(unheld.call.executables),
                     DescribeResults(unheld.call.results), cordon::Describe(unheld.answer));
}

bool AllHold(const std::vector<CheckedRecording>& checked) {
  return std::ranges::all_of(checked, [](const CheckedRecording& one) { return one.Holds(); });
}

const std::vector<UnheldCall>& Unheld(const CheckedRecording& one) {
  static const std::vector<UnheldCall> none;
  return one.calls ? one.calls->unheld : none;
}

const SelinuxReplay& Replay(const CheckedRecording& one) {
  static const SelinuxReplay none;
  return one.accesses ? *one.accesses : none;
}

/// "'/etc/shadow': no rule allows it: allow a_t shadow_t:file { read };", for one access.
std::string Describe(const DeniedAccess& denied, const std::string& domain) {
  const std::string rule = MissingRule(denied, domain);
  return fmt::format(
      "{}{}: {}{}", Quote(denied.place), By(denied.seen.executables),
      rule.empty() ? fmt::format("{} on {}:{}: ", fmt::join(denied.permissions, " "), denied.type,
                                 denied.object_class)
                   : "",
      rule.empty() ? denied.reason : fmt::format("{}; missing: {}", denied.reason, rule));
}

/// What is missing for several accesses alike.
struct Gap {
  DeniedAccess access;  ///< the permissions of all
  std::vector<std::string> places;
};

/// By type, class and reason.
std::vector<Gap> Gaps(const SelinuxReplay& replay) {
  std::map<std::tuple<std::string, std::string, std::string>, Gap> gaps;
  for (const DeniedAccess& denied : replay.denied) {
    Gap& gap = gaps.try_emplace({denied.type, denied.object_class, denied.reason}, Gap{denied, {}})
                   .first->second;
    gap.access.permissions.insert(denied.permissions.begin(), denied.permissions.end());
    gap.access.requests.insert(denied.requests.begin(), denied.requests.end());
    gap.access.seen.executables.insert(denied.seen.executables.begin(),
                                       denied.seen.executables.end());
    gap.places.push_back(denied.place);
  }
  std::vector<Gap> list;
  list.reserve(gaps.size());
  for (auto& [key, gap] : gaps) {
    list.push_back(std::move(gap));
  }
  return list;
}

std::string SelinuxAsText(const CheckedRecording& one, const SelinuxReplay& replay) {
  std::string text = fmt::format("{}: {} of {} recorded accesses are allowed to {} under {}\n",
                                 Quote(one.recording), replay.asked - replay.Refused(),
                                 replay.asked, replay.domain, Quote(one.policy));
  for (const Gap& gap : Gaps(replay)) {
    const std::string rule = MissingRule(gap.access, replay.domain);
    text += Printable(rule.empty()
                          ? fmt::format("  {} on {}:{}: {}", fmt::join(gap.access.permissions, " "),
                                        gap.access.type, gap.access.object_class, gap.access.reason)
                          : "  missing: " + rule) +
            "\n";
    text += fmt::format(
        "      {}{}{}\n", Quote(gap.places.front()),
        gap.places.size() == 1 ? "" : fmt::format(" and {} more", gap.places.size() - 1),
        By(gap.access.seen.executables));
  }
  for (const std::string& name : replay.unknown) {
    text += fmt::format("  not asked: the policy has no {}\n", Printable(name));
  }
  for (const std::string& blind : replay.blind_spots) {
    text += fmt::format("  not asked: {}\n", Quote(blind));
  }
  return text;
}

Json SelinuxAsJson(const SelinuxReplay& replay) {
  Json json;
  json["target"] = ToUtf8(replay.policy);
  json["domain"] = replay.domain;
  json["asked"] = replay.asked;
  json["allowed"] = replay.asked - replay.Refused();
  json["denied"] = Json::array();
  for (const DeniedAccess& denied : replay.denied) {
    Json item;
    item["place"] = ToUtf8(denied.place);
    item["type"] = denied.type;
    item["class"] = denied.object_class;
    item["permissions"] = denied.permissions;
    item["requests"] = denied.requests;
    item["reason"] = ToUtf8(denied.reason);
    item["missing_rule"] = MissingRule(denied, replay.domain);
    item["count"] = denied.seen.count;
    item["executables"] = Json::array();
    for (const std::string& executable : denied.seen.executables) {
      item["executables"].push_back(ToUtf8(executable));
    }
    json["denied"].push_back(std::move(item));
  }
  json["unknown"] = replay.unknown;
  json["blind_spots"] = Json::array();
  for (const std::string& blind : replay.blind_spots) {
    json["blind_spots"].push_back(ToUtf8(blind));
  }
  return json;
}

Json SarifRule(std::string_view id, std::string_view text) {
  Json rule;
  rule["id"] = id;
  rule["shortDescription"]["text"] = text;
  return rule;
}

Json SarifResult(std::string_view id, const CheckedRecording& one, const std::string& what) {
  Json location;
  location["physicalLocation"]["artifactLocation"]["uri"] = ToUtf8(one.policy);
  Json result;
  result["ruleId"] = id;
  result["level"] = "error";
  result["message"]["text"] = ToUtf8(fmt::format("{}: {}", Quote(one.recording), what));
  result["locations"].push_back(std::move(location));
  return result;
}

std::string Document(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// `text` as the content of an XML attribute. What XML 1.0 has no way to say becomes U+FFFD.
std::string XmlEscaped(std::string_view text) {
  std::string escaped;
  for (const char character : ToUtf8(text)) {
    switch (character) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += static_cast<unsigned char>(character) < 0x20 ? "\xEF\xBF\xBD"
                                                                : std::string(1, character);
    }
  }
  return escaped;
}

}  // namespace

bool CheckedRecording::Holds() const {
  return (!calls || calls->unheld.empty()) && (!accesses || accesses->denied.empty());
}

std::string CheckAsText(const std::vector<CheckedRecording>& checked) {
  std::string text;
  for (const CheckedRecording& one : checked) {
    if (one.calls) {
      text += fmt::format("{}: {} of {} recorded calls hold under {}\n", Quote(one.recording),
                          one.calls->calls - one.calls->unheld.size(), one.calls->calls,
                          Quote(one.policy));
    }
    for (const UnheldCall& unheld : Unheld(one)) {
      text += fmt::format("  {}\n", Describe(unheld));
    }
    if (one.accesses) {
      text += SelinuxAsText(one, *one.accesses);
    }
  }
  return text;
}

std::string CheckAsJson(const std::vector<CheckedRecording>& checked) {
  Json document;
  document["holds"] = AllHold(checked);
  document["recordings"] = Json::array();
  for (const CheckedRecording& one : checked) {
    Json recording;
    recording["policy"] = ToUtf8(one.policy);
    recording["recording"] = ToUtf8(one.recording);
    if (one.calls) {
      recording["calls"] = one.calls->calls;
      recording["unheld"] = Json::array();
    }
    for (const UnheldCall& unheld : Unheld(one)) {
      const Syscall call = unheld.call.invocation.call;
      Json item;
      item["arch"] = Name(call.arch);
      item["nr"] = call.number;
      item["name"] = SyscallLabel(call);
      item["arguments"] = unheld.call.invocation.arguments;
      item["results"] = DescribeResults(unheld.call.results);
      item["answer"] = cordon::Describe(unheld.answer);
      item["executables"] = Json::array();
      for (const std::string& executable : unheld.call.executables) {
        item["executables"].push_back(ToUtf8(executable));
      }
      recording["unheld"].push_back(std::move(item));
    }
    if (one.accesses) {
      recording["selinux"] = SelinuxAsJson(*one.accesses);
    }
    document["recordings"].push_back(std::move(recording));
  }
  return Document(document);
}

std::string CheckAsSarif(const std::vector<CheckedRecording>& checked) {
  Json run;
  run["tool"]["driver"]["name"] = "cordon";
  run["tool"]["driver"]["version"] = CORDON_VERSION;
  run["tool"]["driver"]["rules"] = {
      SarifRule("call-not-held", "A recorded system call would not go as it was recorded"),
      SarifRule("access-denied", "SELinux would refuse a recorded access")};
  run["results"] = Json::array();
  for (const CheckedRecording& one : checked) {
    for (const UnheldCall& unheld : Unheld(one)) {
      run["results"].push_back(SarifResult("call-not-held", one, Describe(unheld)));
    }
    for (const DeniedAccess& denied : Replay(one).denied) {
      run["results"].push_back(
          SarifResult("access-denied", one, Describe(denied, Replay(one).domain)));
    }
  }
  Json document;
  document["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  document["version"] = "2.1.0";
  document["runs"].push_back(std::move(run));
  return Document(document);
}

std::string CheckAsJunit(const std::vector<CheckedRecording>& checked) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const CheckedRecording& one : checked) {
    const std::string policy = XmlEscaped(one.policy);
    const std::size_t failures = Unheld(one).size() + Replay(one).denied.size();
    const std::size_t parts = (one.calls ? 1U : 0U) + (one.accesses ? 1U : 0U);
    xml += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n",
                       XmlEscaped(one.recording), failures + parts, failures);
    const auto failed = [&](const std::string& name, const std::string& message) {
      xml += fmt::format(
          "    <testcase classname=\"{}\" name=\"{}\"><failure message=\"{}\"/></testcase>\n",
          policy, XmlEscaped(name), XmlEscaped(message));
    };
    for (const UnheldCall& unheld : Unheld(one)) {
      failed(DescribeInvocation(unheld.call.invocation), Describe(unheld));
    }
    for (const DeniedAccess& denied : Replay(one).denied) {
      failed(denied.place, Describe(denied, Replay(one).domain));
    }
    if (one.calls) {
      xml += fmt::format("    <testcase classname=\"{}\" name=\"{} recorded calls hold\"/>\n",
                         policy, one.calls->calls - one.calls->unheld.size());
    }
    if (one.accesses) {
      xml += fmt::format(
          "    <testcase classname=\"{}\" name=\"{} recorded accesses are allowed\"/>\n", policy,
          one.accesses->asked - one.accesses->Refused());
    }
    xml += "  </testsuite>\n";
  }
  return xml + "</testsuites>\n";
}

}  // namespace cordon::cli
