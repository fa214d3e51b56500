#include "bench/sample_recording.h"

#include <fmt/format.h>

#include "model/seccomp_compiler.h"
#include "model/syscall_signature.h"

namespace cordon {
namespace {

constexpr const char* kServer = "/usr/sbin/server";

/// Call `call` for the `round`th time: the first time as it is, later with other arguments. False:
/// it has none that a recording keeps.
bool AddCall(Recording& recording, Syscall call, std::string_view name, int round) {
  const std::size_t scalars = RecordedScalars(call.arch, name).size();
  if (round > 0 && scalars == 0) {
    return false;
  }
  SyscallObservation& observation = recording.syscalls[call];
  observation.seen.Note(static_cast<std::uint64_t>(round), kServer, Phase::kStart);
  observation.results[0] += 1;
  TupleObservation tuple;
  tuple.count = 1;
  tuple.results[0] = 1;
  observation.AddTuple(ArgumentTuple(scalars, static_cast<std::uint64_t>(round)), tuple);
  return true;
}

void AddCalls(Recording& recording, int wanted) {
  for (int round = 0; wanted > 0 && round < static_cast<int>(kMaxArgumentTuples); round++) {
    for (const Architecture arch : {Architecture::kX86_64, Architecture::kX86}) {
      for (const auto& [number, name] : SyscallsOf(arch)) {
        if (wanted > 0 && LibseccompKnows(name) &&
            AddCall(recording, {.arch = arch, .number = number}, name, round)) {
          wanted--;
        }
      }
    }
  }
}

}  // namespace

std::string SampleRunId(int number) {
  return fmt::format("{:032x}", number);
}

Recording MakeSampleRecording(const SampleSize& size, const std::string& id) {
  Recording recording;
  Run& run = recording.runs[id];
  run.command = {kServer};
  run.tier = "filtered";
  run.outcome = Exited{};
  for (std::uint64_t point = 1; point <= kMaxDiscoveryPoints; point++) {
    run.discovery.push_back({.ms = point * 10, .items = point});
  }
  recording.processes[{.executable = kServer, .parent = ""}].seen.Note(0, kServer, Phase::kStart);
  AddCalls(recording, size.calls);
  for (int i = 0; i < size.files; i++) {
    FileObservation& file =
        recording.files[{.path = fmt::format("/srv/data/{:03}/{:02}", i / 100, i % 100)}];
    file.seen.Note(1, kServer, Phase::kStart);
    file.access.Add(FileAccess::kOpen);
    file.access.Add(FileAccess::kRead);
  }
  return recording;
}

}  // namespace cordon
