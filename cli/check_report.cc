#include "cli/check_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "model/seccomp_names.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string Describe(const UnheldCall& unheld) {
  std::string who;
  for (const std::string& executable : unheld.call.executables) {
    who += (who.empty() ? ", by " : ", ") + Quote(executable);
  }
  return fmt::format("{}{}: recorded with {}, the policy answers {}",
                     DescribeInvocation(unheld.call.invocation), who,
                     DescribeResults(unheld.call.results), cordon::Describe(unheld.answer));
}

bool AllHold(const std::vector<CheckedRecording>& checked) {
  return std::ranges::all_of(checked,
                             [](const CheckedRecording& one) { return one.check.unheld.empty(); });
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

std::string CheckAsText(const std::vector<CheckedRecording>& checked) {
  std::string text;
  for (const CheckedRecording& one : checked) {
    text +=
        fmt::format("{}: {} of {} recorded calls hold under {}\n", Quote(one.recording),
                    one.check.calls - one.check.unheld.size(), one.check.calls, Quote(one.policy));
    for (const UnheldCall& unheld : one.check.unheld) {
      text += fmt::format("  {}\n", Describe(unheld));
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
    recording["calls"] = one.check.calls;
    recording["unheld"] = Json::array();
    for (const UnheldCall& unheld : one.check.unheld) {
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
    document["recordings"].push_back(std::move(recording));
  }
  return Document(document);
}

std::string CheckAsSarif(const std::vector<CheckedRecording>& checked) {
  Json rule;
  rule["id"] = "call-not-held";
  rule["shortDescription"]["text"] = "A recorded system call would not go as it was recorded";
  Json run;
  run["tool"]["driver"]["name"] = "cordon";
  run["tool"]["driver"]["version"] = CORDON_VERSION;
  run["tool"]["driver"]["rules"].push_back(std::move(rule));
  run["results"] = Json::array();
  for (const CheckedRecording& one : checked) {
    for (const UnheldCall& unheld : one.check.unheld) {
      Json location;
      location["physicalLocation"]["artifactLocation"]["uri"] = ToUtf8(one.policy);
      Json result;
      result["ruleId"] = "call-not-held";
      result["level"] = "error";
      result["message"]["text"] =
          ToUtf8(fmt::format("{}: {}", Quote(one.recording), Describe(unheld)));
      result["locations"].push_back(std::move(location));
      run["results"].push_back(std::move(result));
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
    xml += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n",
                       XmlEscaped(one.recording), one.check.unheld.size() + 1,
                       one.check.unheld.size());
    for (const UnheldCall& unheld : one.check.unheld) {
      xml += fmt::format(
          "    <testcase classname=\"{}\" name=\"{}\"><failure message=\"{}\"/></testcase>\n",
          policy, XmlEscaped(DescribeInvocation(unheld.call.invocation)),
          XmlEscaped(Describe(unheld)));
    }
    xml += fmt::format("    <testcase classname=\"{}\" name=\"{} recorded calls hold\"/>\n", policy,
                       one.check.calls - one.check.unheld.size());
    xml += "  </testsuite>\n";
  }
  return xml + "</testsuites>\n";
}

}  // namespace cordon::cli
