#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "generator/report/report_policy.h"
#include "generator/report/report_value.h"
#include "model/recording.h"

/// The parts of the page as values for its template (report_page.h). The names in them are those of
/// page/*.html; texts from a workload are visible (VisibleText()) and not escaped.
namespace cordon::report {

/// How much something weighs on the verdict.
enum class Weight : std::uint8_t { kGood, kNote, kAttention, kBad };

/// A thing that remains open.
struct OpenPoint {
  Weight weight = Weight::kNote;
  std::string what;
  std::string detail;
};

/// What is known of a subject; one of the two may be missing.
struct Subject {
  const Recording* recording = nullptr;
  const ReportPolicy* policy = nullptr;
};

/// Every open point, the heaviest first. Recording and policy together are also asked whether the
/// one holds under the other.
std::vector<OpenPoint> OpenPoints(const Subject& subject);

/// The first thing that is read: one sentence, four cards at most, and `points`.
Json VerdictView(const Subject& subject, const std::vector<OpenPoint>& points);

/// Runs with their discovery curves, and what belongs to which phase.
Json RunsView(const Recording& recording);

/// When what was first seen, by kind, over the time of the longest run.
Json PhasesView(const Recording& recording);

/// Who executed whom, and what each executable did.
Json ProgramsView(const Recording& recording);

/// System calls: the classes, Docker's default beside them, and why each is as it is. Fails with
/// kLimit like AdmittedExtent().
Expected<Json> CallsView(const Subject& subject);

/// The recorded arguments.
Json ArgumentsView(const Recording& recording);

/// Sockets, capabilities and peaks.
Json ResourcesView(const Recording& recording);

/// The SELinux part of a policy.
Json SelinuxView(const ReportPolicy& policy);

/// What the filters were interpreted for.
Json ProofView(const ReportPolicy& policy);

/// Two subjects: their figures, and what each has that the other has not. `data` gets the whole
/// lists, the view their beginning. Fails with kLimit like FindDifferences().
Expected<Json> ComparisonView(const Subject& left, const Subject& right, Json& data);

}  // namespace cordon::report
