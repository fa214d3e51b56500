#include <fmt/format.h>

#include "generator/report/report_views.h"
#include "model/recorded_calls.h"
#include "model/recording_comparison.h"
#include "model/seccomp_comparison.h"
#include "model/seccomp_names.h"

namespace cordon::report {
namespace {

/// What the page has without scripts.
constexpr std::size_t kMaxLinesShown = 100;

Json ListView(std::string title, const std::vector<std::string>& lines, std::size_t number) {
  Json view;
  view["LIST_TITLE"] = std::move(title);
  view["LIST_COUNT"] = Grouped(lines.size());
  view["LIST_NUMBER"] = number;
  view["LIST_LINE"] = Json::array();
  for (const std::string& line : lines) {
    if (view["LIST_LINE"].size() == kMaxLinesShown) {
      view["MORE_LINES"] = {{"MORE_COUNT", Grouped(lines.size() - kMaxLinesShown)}};
      break;
    }
    view["LIST_LINE"].push_back(line);
  }
  view["LIST_EMPTY"] = lines.empty();
  return view;
}

std::vector<std::string> Missing(const Recording& left, const Recording& right) {
  std::vector<std::string> lines;
  for (const std::string& line : MissingBehaviours(left, right)) {
    lines.push_back(VisibleText(line));
  }
  return lines;
}

std::vector<std::string> DifferenceLines(const std::vector<AnswerDifference>& differences) {
  std::vector<std::string> lines;
  lines.reserve(differences.size());
  for (const AnswerDifference& difference : differences) {
    lines.push_back(fmt::format("{}: A answers {}, B {}{}", DescribeInvocation(difference.example),
                                Describe(difference.left), Describe(difference.right),
                                difference.extent == AnswerDifference::Extent::kAllArguments
                                    ? ""
                                    : " (for some arguments)"));
  }
  return lines;
}

Json Figure(std::string_view name, std::uint64_t left, std::uint64_t right) {
  return {{"FIGURE_NAME", name}, {"FIGURE_LEFT", Grouped(left)}, {"FIGURE_RIGHT", Grouped(right)}};
}

std::uint64_t AdmittedOf(const ReportPolicy& policy) {
  std::uint64_t admitted = 0;
  const Json& surface = Member(Member(policy.proof, "seccomp"), "attack_surface");
  const Json& architectures = Member(surface, "architectures");
  if (architectures.is_object()) {
    for (const auto& [name, calls] : architectures.items()) {
      admitted += NumberOf(Member(calls, "admitted_calls"));
    }
  }
  return admitted;
}

}  // namespace

Expected<Json> ComparisonView(const Subject& left, const Subject& right, Json& data) {
  Json figures = Json::array();
  Json lists = Json::array();
  data = Json::array();
  const auto add = [&](std::string title, const std::vector<std::string>& lines) {
    lists.push_back(ListView(std::move(title), lines, data.size()));
    data.push_back(lines);
  };
  if (left.recording != nullptr && right.recording != nullptr) {
    const Recording& a = *left.recording;
    const Recording& b = *right.recording;
    figures.push_back(Figure("Runs", a.runs.size(), b.runs.size()));
    figures.push_back(Figure("System calls seen", a.syscalls.size(), b.syscalls.size()));
    figures.push_back(Figure("Paths", a.files.size(), b.files.size()));
    figures.push_back(Figure("Socket uses", a.sockets.size(), b.sockets.size()));
    figures.push_back(Figure("Programs", a.processes.size(), b.processes.size()));
    figures.push_back(Figure("Capabilities", a.capabilities.size(), b.capabilities.size()));
    add("Seen only in A", Missing(a, b));
    add("Seen only in B", Missing(b, a));
  }
  if (left.policy != nullptr && right.policy != nullptr) {
    figures.push_back(
        Figure("System calls admitted", AdmittedOf(*left.policy), AdmittedOf(*right.policy)));
    figures.push_back(Figure("SELinux rules", ListOf(Member(left.policy->selinux, "rules")).size(),
                             ListOf(Member(right.policy->selinux, "rules")).size()));
    ASSIGN_OR_RETURN(
        const std::vector<AnswerDifference> differences,
        FindDifferences(left.policy->seccomp, right.policy->seccomp, AnswerRelation::kDiffers));
    add("System calls that the policies answer differently", DifferenceLines(differences));
  }
  Json view;
  view["FIGURE"] = std::move(figures);
  view["LIST"] = std::move(lists);
  return view;
}

}  // namespace cordon::report
