#include "tests/testing/random_recording.h"

#include <fmt/format.h>

#include <random>

#include "model/syscall_signature.h"

namespace cordon::testing {
namespace {

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}

  std::uint64_t Below(std::uint64_t bound) { return engine_() % bound; }

  Seen MakeSeen() {
    Seen seen;
    for (std::uint64_t i = 0; i <= Below(3); ++i) {
      seen.Note(Below(1000), fmt::format("/usr/bin/program{}", Below(4)),
                Below(2) == 0 ? Phase::kStart : Phase::kServe);
    }
    return seen;
  }

  ResultCounts MakeResults() {
    ResultCounts results;
    for (std::uint64_t i = 0; i < Below(3); ++i) {
      results[static_cast<int>(Below(40))] = 1 + Below(100);
    }
    return results;
  }

 private:
  std::mt19937 engine_;
};

void AddSyscalls(Recording& recording, Dice& dice) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Syscall call{.arch = dice.Below(4) == 0 ? Architecture::kX86 : Architecture::kX86_64,
                       .number = static_cast<std::int32_t>(dice.Below(60))};
    SyscallObservation& item = recording.syscalls[call];
    item.seen.Merge(dice.MakeSeen());
    const auto scalars = RecordedScalars(call.arch, SyscallName(call).value_or(""));
    const std::uint64_t tuples = dice.Below(4) == 0 ? 100 : 3;
    for (std::uint64_t t = 0; t < tuples; ++t) {
      ArgumentTuple tuple;
      for (std::size_t s = 0; s < scalars.size(); ++s) {
        tuple.push_back(dice.Below(tuples));
      }
      TupleObservation one{.count = 1, .results = dice.MakeResults(), .phases = {}};
      one.phases.Add(Phase::kStart);
      item.AddTuple(tuple, one);
      for (const auto& [result, count] : one.results) {
        item.results[result] += count;
      }
    }
  }
}

}  // namespace

Recording RandomRecording(std::uint32_t seed) {
  Dice dice(seed);
  Recording recording;
  Run run;
  run.command = {"program", fmt::format("{}", dice.Below(3))};
  run.tier = "exact";
  run.outcome = Exited{static_cast<int>(dice.Below(2))};
  if (dice.Below(2) == 0) {
    run.serving_when = "listen";
    run.serving_ms = dice.Below(5000);
  }
  if (seed % 3 == 0) {
    run.binds = {{"/data", fmt::format("/srv/{}", seed)}, {"/etc/hosts", "/var/lib/hosts"}};
  }
  if (dice.Below(3) == 0) {
    run.further = fmt::format("check{}", dice.Below(3));
    run.withheld.insert("io_uring_setup");
  }
  for (std::uint64_t i = 0; i < dice.Below(4); ++i) {
    run.discovery.push_back({.ms = 10 * i + dice.Below(10), .items = 5 * i + dice.Below(5)});
    run.coverage.calls = 1 + dice.Below(1000);
    run.coverage.files_once = dice.Below(10);
  }
  run.limitations.insert({.kind = "io_uring", .detail = "ring set up"});
  recording.runs.emplace(fmt::format("{:032x}", seed), std::move(run));
  AddSyscalls(recording, dice);
  for (std::uint64_t i = 0; i < 20; ++i) {
    FileObservation& file = recording.files[{.path = fmt::format("/etc/f{}", dice.Below(15)),
                                             .file_class = FileClass::kFile}];
    file.seen.Merge(dice.MakeSeen());
    file.access.Add(static_cast<FileAccess>(dice.Below(28)));
    if (file.access.Has(FileAccess::kIoctl)) {
      file.ioctls.insert(static_cast<std::uint32_t>(dice.Below(0x10000)));
    }
    for (const auto& [result, count] : dice.MakeResults()) {
      if (result != 0) {
        file.failures[result] = count;
      }
    }
  }
  for (std::uint64_t i = 0; i < 5; ++i) {
    SocketObservation& socket =
        recording.sockets[{.family = static_cast<int>(dice.Below(50)),
                           .type = 1,
                           .protocol = 0,
                           .operation = static_cast<SocketOperation>(dice.Below(6)),
                           .address = "127.0.0.1",
                           .port = static_cast<std::uint16_t>(dice.Below(3))}];
    socket.seen.Merge(dice.MakeSeen());
    socket.results = dice.MakeResults();
  }
  ProcessObservation& process =
      recording.processes[{.executable = "/usr/bin/program0", .parent = ""}];
  process.seen = dice.MakeSeen();
  process.uids.insert(static_cast<std::uint32_t>(dice.Below(3)));
  recording.capabilities["CAP_CHOWN"].reasons.insert(fmt::format("chown {}", dice.Below(3)));
  recording.resources.peak_tasks = dice.Below(100);
  return recording;
}

}  // namespace cordon::testing
