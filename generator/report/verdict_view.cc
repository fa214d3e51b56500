#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "common/text.h"
#include "generator/report/report_views.h"
#include "model/policy_check.h"
#include "model/recorded_calls.h"
#include "model/recording_verdict.h"
#include "model/seccomp_names.h"

namespace cordon::report {
namespace {

/// From here on "more of the same work" may well show something new.
constexpr double kUnsaturatedPercent = 1.0;

constexpr std::size_t kMaxUnheldShown = 50;

std::string_view WeightName(Weight weight) {
  switch (weight) {
    case Weight::kGood:
      return "good";
    case Weight::kNote:
      return "note";
    case Weight::kAttention:
      return "attention";
    case Weight::kBad:
      return "bad";
  }
  return "note";
}

std::string_view WeightWord(Weight weight) {
  switch (weight) {
    case Weight::kGood:
      return "In order";
    case Weight::kNote:
      return "Note";
    case Weight::kAttention:
      return "Look at";
    case Weight::kBad:
      return "Stops you";
  }
  return {};
}

/// The greatest chance of something unseen among the runs of a recording.
struct Saturation {
  std::optional<UnseenChance> calls;
  std::optional<UnseenChance> files;

  double Percent() const {
    return std::max(calls ? calls->percent : 0.0, files ? files->percent : 0.0);
  }
};

void TakeGreater(std::optional<UnseenChance>& chance, std::uint64_t once, std::uint64_t all) {
  if (all == 0) {
    return;
  }
  const UnseenChance other = EstimateUnseen(once, all);
  if (!chance || other.percent > chance->percent) {
    chance = other;
  }
}

Saturation SaturationOf(const Recording& recording) {
  Saturation saturation;
  for (const auto& [id, run] : recording.runs) {
    // A further command, as a health check, is too short to count by itself.
    if (!run.further.empty()) {
      continue;
    }
    TakeGreater(saturation.calls, run.coverage.calls_once, run.coverage.calls);
    TakeGreater(saturation.files, run.coverage.files_once, run.coverage.uses);
  }
  return saturation;
}

void AddRecordingPoints(const Recording& recording, std::vector<OpenPoint>& points) {
  std::set<std::string> said;
  if (!HasTracedRun(recording)) {
    points.push_back({Weight::kBad, "No run was traced",
                      "Nothing is in the recording of what the policy allowed: merge it with what "
                      "that was made from."});
  }
  for (const auto& [id, run] : recording.runs) {
    if (!run.outcome) {
      const std::string what = "A run was ended before the workload ended";
      if (said.insert(what).second) {
        points.push_back(
            {Weight::kAttention, what, "What it would have done later is not in the recording."});
      }
    }
    for (const Limitation& limitation : run.limitations) {
      if (said.insert(limitation.kind + ": " + limitation.detail).second) {
        points.push_back({MakesPartial(limitation.kind) ? Weight::kBad : Weight::kAttention,
                          "Not seen: " + VisibleText(limitation.kind),
                          VisibleText(limitation.detail)});
      }
    }
  }
  const Saturation saturation = SaturationOf(recording);
  if (saturation.Percent() > kUnsaturatedPercent) {
    points.push_back(
        {Weight::kAttention, "Not saturated",
         fmt::format(
             "More of the same work may well show something new: the next system call with "
             "a chance of {}, the next use of a file with {}. Let a run go on for longer, "
             "or merge more runs.",
             saturation.calls ? Percent(saturation.calls->percent, saturation.calls->upper_bound)
                              : "an unknown one",
             saturation.files ? Percent(saturation.files->percent, saturation.files->upper_bound)
                              : "an unknown one")});
  }
  if (recording.runs.empty()) {
    points.push_back({Weight::kBad, "No run", "The recording says of no run what it watched."});
  }
  if (recording.runs.size() == 1) {
    points.push_back({Weight::kNote, "One run",
                      "Rare paths (a failing disk, a rotated log, a renewed certificate) show in "
                      "further runs: record them and merge."});
  }
}

void AddList(const Json& list, Weight weight, std::string_view what,
             std::vector<OpenPoint>& points) {
  for (const std::string& text : TextsOf(list)) {
    points.push_back({weight, std::string(what), text});
  }
}

void AddPolicyPoints(const ReportPolicy& policy, std::vector<OpenPoint>& points) {
  const Json& seccomp = Member(policy.proof, "seccomp");
  const Json& groups = Member(Member(seccomp, "attack_surface"), "dangerous_groups");
  for (const Json& group : ListOf(Member(groups, "open"))) {
    points.push_back({Weight::kAttention,
                      "Dangerous calls admitted: " + TextOf(Member(group, "group")),
                      fmt::format("{} ({})", TextOf(Member(group, "reason")),
                                  Join(TextsOf(Member(group, "calls")), ", "))});
  }
  AddList(Member(seccomp, "not_restricted"), Weight::kAttention, "Not told apart by the filter",
          points);
  AddList(Member(seccomp, "left_out"), Weight::kNote, "Recorded, and refused as it was then",
          points);
  const Json& selinux = Member(policy.proof, "selinux");
  if (!selinux.is_object()) {
    return;
  }
  AddList(Member(selinux, "denied"), Weight::kBad, "Recorded, and denied by SELinux", points);
  if (TextOf(Member(selinux, "mode")) == "permissive") {
    points.push_back({Weight::kAttention, "The SELinux domain is permissive",
                      "It logs what its rules do not allow, and refuses nothing."});
  }
  const Json& stays = Member(selinux, "must_stay_denied");
  AddList(Member(stays, "allowed_because_recorded"), Weight::kAttention,
          "Allowed, because it was recorded", points);
  AddList(Member(stays, "allowed_to_every_domain"), Weight::kNote,
          "Allowed to every domain of the target", points);
  AddList(Member(selinux, "dropped"), Weight::kAttention, "The SELinux target has no word for",
          points);
  AddList(Member(selinux, "blind_spots"), Weight::kNote, "Not checked by the SELinux proof",
          points);
}

/// Of both: does the policy hold what this very recording has?
void AddCrossPoints(const Recording& recording, const ReportPolicy& policy,
                    std::vector<OpenPoint>& points) {
  const PolicyCheck check = CheckRecording(policy.seccomp, recording);
  std::size_t shown = 0;
  for (const UnheldCall& unheld : check.unheld) {
    if (++shown > kMaxUnheldShown) {
      points.push_back({Weight::kBad, "Further recorded calls that the policy refuses",
                        fmt::format("{}: cordon check lists them all.",
                                    Grouped(check.unheld.size() - kMaxUnheldShown))});
      break;
    }
    points.push_back({Weight::kBad, "The policy refuses a recorded call",
                      fmt::format("{}: recorded with {}, answered with {}.",
                                  DescribeInvocation(unheld.call.invocation),
                                  DescribeResults(unheld.call.results), Describe(unheld.answer))});
  }
  std::set<std::string> learned;
  for (const std::string& id : TextsOf(Member(policy.proof, "runs"))) {
    learned.insert(id);
  }
  const auto unknown = std::ranges::count_if(
      recording.runs, [&](const auto& run) { return !learned.contains(run.first); });
  if (unknown > 0) {
    points.push_back({Weight::kNote, "The policy was learned from other runs",
                      fmt::format("{} of this recording are not among those.",
                                  Counted(static_cast<std::uint64_t>(unknown), "run", "runs"))});
  }
}

Json Card(std::string_view title, Weight weight, std::string figure, std::string text,
          const std::vector<std::string>& facts) {
  Json card;
  card["CARD_TITLE"] = title;
  card["CARD_WEIGHT"] = WeightName(weight);
  card["CARD_FIGURE"] = std::move(figure);
  card["CARD_TEXT"] = std::move(text);
  card["CARD_FACT"] = facts;
  return card;
}

Json RecordingCard(const Recording& recording) {
  const Completeness completeness = CompletenessOf(recording);
  const std::size_t missing = WhatIsMissing(recording).size();
  std::uint64_t longest = 0;
  for (const auto& [id, run] : recording.runs) {
    longest = std::max(longest, run.duration_ms);
  }
  std::vector<std::string> facts = {
      fmt::format("{}, the longest of {}", Counted(recording.runs.size(), "run", "runs"),
                  Duration(longest)),
      fmt::format("{}, {}", Counted(recording.syscalls.size(), "system call", "system calls"),
                  Counted(recording.files.size(), "path", "paths")),
      fmt::format("{}, {}", Counted(recording.processes.size(), "program", "programs"),
                  Counted(recording.sockets.size(), "socket use", "socket uses"))};
  switch (completeness) {
    case Completeness::kComplete:
      return Card("Recording", Weight::kGood, "Complete",
                  "Nothing that was done is known to be missing.", facts);
    case Completeness::kExcept:
      return Card("Recording", Weight::kAttention,
                  fmt::format("Complete, except for {}", Counted(missing, "thing", "things")),
                  "What could not be seen is listed below; all else was.", facts);
    case Completeness::kPartial:
      break;
  }
  return Card("Recording", Weight::kBad, "Partial", "A part of what the workload did was not seen.",
              facts);
}

std::optional<Json> SaturationCard(const Recording& recording) {
  const Saturation saturation = SaturationOf(recording);
  if (!saturation.calls && !saturation.files) {
    return std::nullopt;
  }
  std::vector<std::string> facts;
  if (saturation.files) {
    facts.push_back("next use of a file: " +
                    Percent(saturation.files->percent, saturation.files->upper_bound));
  }
  for (const auto& [id, run] : recording.runs) {
    if (run.further.empty() && !run.discovery.empty() && facts.size() < 3) {
      facts.push_back(fmt::format("last new behaviour at {} of {}",
                                  Duration(run.discovery.back().ms), Duration(run.duration_ms)));
    }
  }
  const bool saturated = saturation.Percent() <= kUnsaturatedPercent;
  return Card("Saturation", saturated ? Weight::kGood : Weight::kAttention,
              saturation.calls ? Percent(saturation.calls->percent, saturation.calls->upper_bound)
                               : Percent(saturation.files->percent, saturation.files->upper_bound),
              "is the chance that the next system call of the same work is of a kind that was not "
              "seen (Good-Turing).",
              facts);
}

Json SeccompCard(const Subject& subject, const std::vector<OpenPoint>& points) {
  const Json& seccomp = Member(subject.policy->proof, "seccomp");
  const std::uint64_t recorded = NumberOf(Member(seccomp, "recorded_calls"));
  std::set<std::string> readers;
  for (const Json& reading : ListOf(Member(seccomp, "readings"))) {
    readers.insert(TextOf(Member(reading, "reader")));
  }
  std::vector<std::string> facts = {"interpreted as read by " +
                                    Join({readers.begin(), readers.end()}, "; ")};
  const Json& architectures = Member(Member(seccomp, "attack_surface"), "architectures");
  if (architectures.is_object()) {
    for (const auto& [name, calls] : architectures.items()) {
      if (Member(calls, "listed") == Json(true)) {
        facts.push_back(fmt::format("{} of {} calls of {} admitted; Docker's default: {}",
                                    NumberOf(Member(calls, "admitted_calls")),
                                    NumberOf(Member(calls, "known_calls")), VisibleText(name),
                                    NumberOf(Member(calls, "docker_default_admits"))));
      }
    }
  }
  const Json& serving = Member(subject.policy->proof, "serving");
  facts.push_back(
      serving.is_object()
          ? fmt::format("two phases: {} withheld once it serves",
                        Counted(ListOf(Member(serving, "withheld")).size(), "call", "calls"))
          : std::string("one phase"));
  const bool holds = std::ranges::none_of(
      points, [](const OpenPoint& point) { return point.what.starts_with("The policy refuses"); });
  return Card("System call policy", holds ? Weight::kGood : Weight::kBad,
              fmt::format("{} of {} recorded calls hold", Grouped(recorded), Grouped(recorded)),
              "as the proof in the bundle states: every filter was interpreted for every recorded "
              "call.",
              facts);
}

std::optional<Json> SelinuxCard(const ReportPolicy& policy) {
  const Json& selinux = Member(policy.proof, "selinux");
  if (!selinux.is_object()) {
    return std::nullopt;
  }
  const std::uint64_t asked = NumberOf(Member(selinux, "recorded_accesses"));
  const std::uint64_t allowed = NumberOf(Member(selinux, "allowed"));
  const Json& stays = Member(selinux, "must_stay_denied");
  std::vector<std::string> facts = {
      fmt::format("domain {} for {}", TextOf(Member(selinux, "domain")),
                  TextOf(Member(Member(selinux, "target"), "name"))),
      fmt::format("{} of {} things that must stay denied are",
                  Grouped(NumberOf(Member(stays, "denied"))),
                  Grouped(NumberOf(Member(stays, "asked"))))};
  if (Member(Member(selinux, "compiled"), "neverallow_checked") == Json(false)) {
    facts.emplace_back("neverallow rules of the target are not known here, so not checked");
  }
  const bool permissive = TextOf(Member(selinux, "mode")) == "permissive";
  const Weight weight = allowed != asked ? Weight::kBad
                        : permissive     ? Weight::kAttention
                                         : Weight::kGood;
  return Card("SELinux policy", weight,
              fmt::format("{} of {} recorded accesses allowed", Grouped(allowed), Grouped(asked)),
              permissive ? "The domain is permissive: it refuses nothing yet."
                         : "The compiled policy was asked for each of them.",
              facts);
}

std::string HeadlineOf(const Subject& subject, Weight worst, std::size_t to_look_at) {
  const std::string points = Counted(to_look_at, "point", "points");
  if (subject.policy == nullptr) {
    switch (worst) {
      case Weight::kBad:
        return "Not fit for a policy yet: a part of the workload was not seen";
      case Weight::kAttention:
        return fmt::format("A usable recording, with {} to look at", points);
      default:
        return "A complete and saturated recording";
    }
  }
  switch (worst) {
    case Weight::kBad:
      return "Not ready to enforce";
    case Weight::kAttention:
      return fmt::format("Ready to try, with {} to look at", points);
    default:
      return "Ready to enforce";
  }
}

}  // namespace

std::vector<OpenPoint> OpenPoints(const Subject& subject) {
  std::vector<OpenPoint> points;
  if (subject.recording != nullptr) {
    AddRecordingPoints(*subject.recording, points);
  }
  if (subject.policy != nullptr) {
    AddPolicyPoints(*subject.policy, points);
  }
  if (subject.recording != nullptr && subject.policy != nullptr) {
    AddCrossPoints(*subject.recording, *subject.policy, points);
  }
  std::ranges::stable_sort(points, std::greater(), &OpenPoint::weight);
  return points;
}

Json VerdictView(const Subject& subject, const std::vector<OpenPoint>& points) {
  const Weight worst = points.empty() ? Weight::kGood : points.front().weight;
  const auto heavy = std::ranges::count_if(
      points, [](const OpenPoint& point) { return point.weight >= Weight::kAttention; });
  Json view;
  view["VERDICT_WEIGHT"] = WeightName(worst == Weight::kNote ? Weight::kGood : worst);
  view["HEADLINE"] = HeadlineOf(subject, worst, static_cast<std::size_t>(heavy));
  Json cards = Json::array();
  if (subject.recording != nullptr) {
    cards.push_back(RecordingCard(*subject.recording));
    if (std::optional<Json> card = SaturationCard(*subject.recording)) {
      cards.push_back(*std::move(card));
    }
  }
  if (subject.policy != nullptr) {
    cards.push_back(SeccompCard(subject, points));
    if (std::optional<Json> card = SelinuxCard(*subject.policy)) {
      cards.push_back(*std::move(card));
    }
  }
  view["CARD"] = std::move(cards);
  view["NOTHING_OPEN"] = points.empty();
  Json list = Json::array();
  for (const OpenPoint& point : points) {
    list.push_back({{"OPEN_WEIGHT", WeightName(point.weight)},
                    {"OPEN_WORD", WeightWord(point.weight)},
                    {"OPEN_WHAT", point.what},
                    {"OPEN_DETAIL", point.detail}});
  }
  view["OPEN"] = std::move(list);
  return view;
}

}  // namespace cordon::report
