#include "model/recording.h"

#include <algorithm>

namespace cordon {
namespace {

/// Times in one run: the largest of two runs, so that merging a run with itself changes nothing.
template <typename Key>
void MergeCounts(std::map<Key, std::uint64_t>& into, const std::map<Key, std::uint64_t>& from) {
  for (const auto& [key, count] : from) {
    std::uint64_t& kept = into[key];
    kept = std::max(kept, count);
  }
}

template <typename Value>
void MergeSets(std::set<Value>& into, const std::set<Value>& from) {
  into.insert(from.begin(), from.end());
}

template <typename Key, typename Observation>
void MergeMaps(std::map<Key, Observation>& into, const std::map<Key, Observation>& from) {
  for (const auto& [key, observation] : from) {
    into[key].Merge(observation);
  }
}

void MergePhases(PhaseSet& into, PhaseSet from) {
  into.bits |= from.bits;
}

void MergeTuple(TupleObservation& into, const TupleObservation& from) {
  into.count = std::max(into.count, from.count);
  MergeCounts(into.results, from.results);
  MergePhases(into.phases, from.phases);
}

/// Widens `ranges`, one per scalar, by the values of `tuple`.
void WidenRanges(std::vector<ScalarRange>& ranges, const ArgumentTuple& tuple) {
  const bool first = ranges.empty();
  ranges.resize(std::max(ranges.size(), tuple.size()));
  for (std::size_t i = 0; i < tuple.size(); ++i) {
    ScalarRange& range = ranges[i];
    range.bits_or |= tuple[i];
    range.minimum = first ? tuple[i] : std::min(range.minimum, tuple[i]);
    range.maximum = first ? tuple[i] : std::max(range.maximum, tuple[i]);
  }
}

void WidenRanges(std::vector<ScalarRange>& ranges, const std::vector<ScalarRange>& other) {
  if (ranges.empty()) {
    ranges = other;
    return;
  }
  for (std::size_t i = 0; i < std::min(ranges.size(), other.size()); ++i) {
    ranges[i].bits_or |= other[i].bits_or;
    ranges[i].minimum = std::min(ranges[i].minimum, other[i].minimum);
    ranges[i].maximum = std::max(ranges[i].maximum, other[i].maximum);
  }
}

/// Once a set of tuples is over its bound, or stands beside a collapsed one, only the ranges stay.
/// The ranges are taken over all tuples that were ever in, so the result does not depend on the
/// order of merging.
void Collapse(SyscallObservation& observation) {
  if (!observation.overflow && observation.tuples.size() <= kMaxArgumentTuples) {
    return;
  }
  std::vector<ScalarRange> ranges = observation.overflow.value_or(std::vector<ScalarRange>{});
  for (const auto& [tuple, ignored] : observation.tuples) {
    WidenRanges(ranges, tuple);
  }
  observation.overflow = std::move(ranges);
  observation.tuples.clear();
}

}  // namespace

void Seen::Note(std::uint64_t now_ms, const std::string& executable, Phase phase) {
  first_ms = count == 0 ? now_ms : std::min(first_ms, now_ms);
  last_ms = std::max(last_ms, now_ms);
  ++count;
  phases.Add(phase);
  if (!executable.empty() && !executables.contains(executable)) {
    executables.insert(executable);
  }
}

void Seen::Merge(const Seen& other) {
  if (other.count == 0) {
    return;
  }
  first_ms = count == 0 ? other.first_ms : std::min(first_ms, other.first_ms);
  last_ms = std::max(last_ms, other.last_ms);
  count = std::max(count, other.count);
  MergeSets(executables, other.executables);
  MergePhases(phases, other.phases);
}

void SyscallObservation::AddTuple(const ArgumentTuple& tuple, const TupleObservation& observation) {
  if (tuple.empty()) {
    return;
  }
  if (overflow) {
    WidenRanges(*overflow, tuple);
    return;
  }
  TupleObservation& kept = tuples[tuple];
  kept.count += observation.count;
  for (const auto& [result, count] : observation.results) {
    kept.results[result] += count;
  }
  MergePhases(kept.phases, observation.phases);
  Collapse(*this);
}

void SyscallObservation::Merge(const SyscallObservation& other) {
  seen.Merge(other.seen);
  MergeCounts(results, other.results);
  for (const auto& [tuple, observation] : other.tuples) {
    MergeTuple(tuples[tuple], observation);
  }
  if (other.overflow) {
    if (!overflow) {
      overflow.emplace();
    }
    WidenRanges(*overflow, *other.overflow);
  }
  Collapse(*this);
}

void FileObservation::Merge(const FileObservation& other) {
  seen.Merge(other.seen);
  access.Add(other.access);
  MergeSets(ioctls, other.ioctls);
  MergeCounts(failures, other.failures);
}

void SocketObservation::Merge(const SocketObservation& other) {
  seen.Merge(other.seen);
  MergeCounts(results, other.results);
}

void ProcessObservation::Merge(const ProcessObservation& other) {
  seen.Merge(other.seen);
  MergeSets(interpreters, other.interpreters);
  MergeSets(uids, other.uids);
  MergeSets(gids, other.gids);
}

void CapabilityUse::Merge(const CapabilityUse& other) {
  MergeSets(reasons, other.reasons);
  MergePhases(phases, other.phases);
}

void Resources::Merge(const Resources& other) {
  peak_memory_bytes = std::max(peak_memory_bytes, other.peak_memory_bytes);
  peak_tasks = std::max(peak_tasks, other.peak_tasks);
  cpu_time_ms = std::max(cpu_time_ms, other.cpu_time_ms);
  open_files = std::max(open_files, other.open_files);
}

void Recording::Merge(const Recording& other) {
  for (const auto& [id, run] : other.runs) {
    const auto [kept, fresh] = runs.try_emplace(id, run);
    if (!fresh && kept->second < run) {
      kept->second = run;
    }
  }
  if (runs.size() > kMaxDiscoveryCurves) {
    std::for_each(std::next(runs.begin(), kMaxDiscoveryCurves), runs.end(),
                  [](auto& run) { run.second.discovery = {}; });
  }
  MergeMaps(syscalls, other.syscalls);
  MergeMaps(files, other.files);
  MergeMaps(sockets, other.sockets);
  MergeMaps(processes, other.processes);
  MergeMaps(capabilities, other.capabilities);
  resources.Merge(other.resources);
}

}  // namespace cordon
