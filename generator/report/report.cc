#include "generator/report/report.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "generator/report/files_view.h"
#include "generator/report/report_assets.h"
#include "generator/report/report_page.h"
#include "generator/report/report_policy.h"
#include "generator/report/report_views.h"
#include "model/sha256.h"

namespace cordon {
namespace report {
namespace {

/// RFC 4648, section 4.
std::string Base64(const Sha256Digest& bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 6; held -= 6) {
      out += kAlphabet[bits >> (held - 6) & 0x3f];
    }
  }
  if (held > 0) {
    out += kAlphabet[bits << (6 - held) & 0x3f];
  }
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

/// Only the page's own style and script, whatever else gets into it (CSP3, 8.2).
std::string ContentSecurityPolicy() {
  return fmt::format(
      "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{}'; script-src "
      "'sha256-{}'",
      Base64(Sha256(kStyle)), Base64(Sha256(kScript)));
}

/// One subject's sections, and what its scripts need.
struct Part {
  Json view;
  Json data = Json::object();
};

Expected<Part> MakePart(const std::string& name, const Subject& subject) {
  Part part;
  Json& view = part.view;
  view["SUBJECT_NAME"] = VisibleText(name);
  view["VERDICT"] = VerdictView(subject, OpenPoints(subject));
  ASSIGN_OR_RETURN(Json calls, CallsView(subject));
  view["CALLS"] = std::move(calls);
  if (subject.recording != nullptr) {
    const Recording& recording = *subject.recording;
    view["RUNS"] = RunsView(recording);
    view["PHASES"] = PhasesView(recording);
    view["PROGRAMS"] = ProgramsView(recording);
    FilesView files = MakeFilesView(recording, subject.policy);
    view["FILES"] = std::move(files.view);
    part.data["files"] = std::move(files.data);
    view["ARGUMENTS"] = ArgumentsView(recording);
    view["RESOURCES"] = ResourcesView(recording);
  } else {
    view["NO_RECORDING"] = true;
  }
  if (subject.policy != nullptr) {
    if (Member(subject.policy->proof, "selinux").is_object()) {
      view["SELINUX"] = SelinuxView(*subject.policy);
    }
    view["PROOF"] = ProofView(*subject.policy);
  } else {
    view["NO_POLICY"] = true;
  }
  return part;
}

}  // namespace
}  // namespace report

Expected<std::string> WriteReport(const std::vector<ReportSubject>& subjects) {
  using report::Json;
  std::vector<std::unique_ptr<report::ReportPolicy>> policies;
  std::vector<report::Subject> parts;
  for (const ReportSubject& subject : subjects) {
    report::Subject& part = parts.emplace_back();
    part.recording = subject.recording;
    policies.push_back(nullptr);
    if (subject.bundle != nullptr) {
      ASSIGN_OR_RETURN(report::ReportPolicy policy,
                       report::ReadReportPolicy(*subject.bundle, subject.source));
      policies.back() = std::make_unique<report::ReportPolicy>(std::move(policy));
      part.policy = policies.back().get();
    }
  }

  Json page;
  Json data;
  data["subjects"] = Json::array();
  page["CSP"] = report::ContentSecurityPolicy();
  page["STYLE"] = report::kStyle;
  page["SCRIPT"] = report::kScript;
  page["VERSION"] = CORDON_VERSION;
  std::string title;
  page["SUBJECT"] = Json::array();
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    ASSIGN_OR_RETURN(report::Part part, report::MakePart(subjects[i].name, parts[i]));
    part.view["LETTER"] = i == 0 ? "a" : "b";
    part.view["LETTER_SHOWN"] = i == 0 ? "A" : "B";
    part.view["OF_TWO"] = subjects.size() == 2;
    page["SUBJECT"].push_back(std::move(part.view));
    data["subjects"].push_back(std::move(part.data));
    title += (title.empty() ? "" : " and ") + report::VisibleText(subjects[i].name);
  }
  page["TITLE"] = title;
  if (subjects.size() == 2) {
    Json lists;
    ASSIGN_OR_RETURN(page["COMPARISON"], report::ComparisonView(parts[0], parts[1], lists));
    page["COMPARISON"]["LEFT_NAME"] = report::VisibleText(subjects[0].name);
    page["COMPARISON"]["RIGHT_NAME"] = report::VisibleText(subjects[1].name);
    const Json verdicts = {{"FIGURE_NAME", "Verdict"},
                           {"FIGURE_LEFT", page["SUBJECT"][0]["VERDICT"]["HEADLINE"]},
                           {"FIGURE_RIGHT", page["SUBJECT"][1]["VERDICT"]["HEADLINE"]}};
    Json& figures = page["COMPARISON"]["FIGURE"];
    figures.insert(figures.begin(), verdicts);
    data["lists"] = std::move(lists);
  }
  page["DATA"] = report::ScriptSafe(data);
  return report::ExpandPage(report::kPage, page);
}

}  // namespace cordon
