// What a recording costs to merge, write and read, by its number of files.

#include <benchmark/benchmark.h>

#include <string>

#include "bench/sample_recording.h"
#include "model/recording.h"
#include "model/recording_json.h"

namespace cordon {
namespace {

Recording MakeRecording(int files, int run) {
  return MakeSampleRecording({.files = files}, SampleRunId(run));
}

void MergeRecordings(benchmark::State& state) {
  const int files = static_cast<int>(state.range(0));
  const Recording first = MakeRecording(files, 1);
  const Recording second = MakeRecording(files, 2);
  for ([[maybe_unused]] auto _ : state) {
    Recording merged = first;
    merged.Merge(second);
    benchmark::DoNotOptimize(merged);
  }
}

BENCHMARK(MergeRecordings)->Arg(100)->Arg(10000);

void WriteRecordings(benchmark::State& state) {
  const Recording recording = MakeRecording(static_cast<int>(state.range(0)), 1);
  std::size_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    const std::string text = WriteRecording(recording);
    bytes += text.size();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

BENCHMARK(WriteRecordings)->Arg(100)->Arg(10000);

void ReadRecordings(benchmark::State& state) {
  const std::string text = WriteRecording(MakeRecording(static_cast<int>(state.range(0)), 1));
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
