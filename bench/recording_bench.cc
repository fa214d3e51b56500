// What a recording costs to merge, write and read, by its number of files.

#include <benchmark/benchmark.h>

#include <string>

#include "model/recording.h"
#include "model/recording_json.h"

namespace cordon {
namespace {

/// A recording as a server leaves it: 60 calls, `files` files, and one run.
Recording MakeRecording(int files, const std::string& id) {
  Recording recording;
  recording.runs[id].command = {"/usr/sbin/server"};
  for (std::int32_t number = 0; number < 60; number++) {
    SyscallObservation& call =
        recording.syscalls[Syscall{.arch = Architecture::kX86_64, .number = number}];
    call.seen.Note(static_cast<std::uint64_t>(number), "/usr/sbin/server", Phase::kStart);
    call.results[0] = 1;
  }
  for (int i = 0; i < files; i++) {
    FileObservation& file = recording.files[FileKey{.path = "/srv/data/file" + std::to_string(i)}];
    file.seen.Note(1, "/usr/sbin/server", Phase::kStart);
  }
  return recording;
}

constexpr const char* kFirstRun = "00000000000000000000000000000001";
constexpr const char* kSecondRun = "00000000000000000000000000000002";

void MergeRecordings(benchmark::State& state) {
  const int files = static_cast<int>(state.range(0));
  const Recording first = MakeRecording(files, kFirstRun);
  const Recording second = MakeRecording(files, kSecondRun);
  for ([[maybe_unused]] auto _ : state) {
    Recording merged = first;
    merged.Merge(second);
    benchmark::DoNotOptimize(merged);
  }
}

BENCHMARK(MergeRecordings)->Arg(100)->Arg(10000);

void WriteRecordings(benchmark::State& state) {
  const Recording recording = MakeRecording(static_cast<int>(state.range(0)), kFirstRun);
  std::size_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    const std::string text = WriteRecording(recording);
    bytes += text.size();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

BENCHMARK(WriteRecordings)->Arg(100)->Arg(10000);

void ReadRecordings(benchmark::State& state) {
  const std::string text =
      WriteRecording(MakeRecording(static_cast<int>(state.range(0)), kFirstRun));
  std::size_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    auto recording = ReadRecording(text, "bench");
    if (!recording) {
      state.SkipWithError(recording.error().message.c_str());
      break;
    }
    benchmark::DoNotOptimize(recording);
    bytes += text.size();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

BENCHMARK(ReadRecordings)->Arg(100)->Arg(10000);

}  // namespace
}  // namespace cordon
