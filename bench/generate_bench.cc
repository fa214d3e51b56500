// What the seccomp policy of a recording costs, by its distinct calls: to make, to compile as each
// consumer does, to prove; and what reading and comparing finished policies costs.

#include <benchmark/benchmark.h>

#include "bench/sample_recording.h"
#include "generator/seccomp_generator.h"
#include "generator/seccomp_proof.h"
#include "model/merge_policies.h"
#include "model/seccomp_comparison.h"
#include "model/seccomp_compiler.h"

namespace cordon {
namespace {

Recording MakeCalls(benchmark::State& state) {
  return MakeSampleRecording({.calls = static_cast<int>(state.range(0)), .files = 0},
                             SampleRunId(1));
}

void GeneratePolicy(benchmark::State& state) {
  const Recording recording = MakeCalls(state);
  for ([[maybe_unused]] auto _ : state) {
    auto generated = GenerateSeccomp(recording, {});
    if (!generated) {
      state.SkipWithError(generated.error().message.c_str());
      break;
    }
    benchmark::DoNotOptimize(generated);
  }
}

BENCHMARK(GeneratePolicy)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

void CompilePolicy(benchmark::State& state) {
  const auto generated = GenerateSeccomp(MakeCalls(state), {});
  for ([[maybe_unused]] auto _ : state) {
    auto program = CompileSeccomp(generated->policy);
    if (!program) {
      state.SkipWithError(program.error().message.c_str());
      break;
    }
    state.counters["instructions"] = static_cast<double>(program->size());
  }
}

BENCHMARK(CompilePolicy)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

void ProvePolicy(benchmark::State& state) {
  const Recording recording = MakeCalls(state);
  const auto generated = GenerateSeccomp(recording, {});
  for ([[maybe_unused]] auto _ : state) {
    auto proof = ProveSeccomp(recording, *generated, ContainerRuntime::kRunc);
    if (!proof) {
      state.SkipWithError(proof.error().message.c_str());
      break;
    }
    benchmark::DoNotOptimize(proof);
  }
}

BENCHMARK(ProvePolicy)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

void MergeTwoPolicies(benchmark::State& state) {
  const auto large = GenerateSeccomp(MakeCalls(state), {});
  const auto small = GenerateSeccomp(MakeSampleRecording({.calls = 60}, SampleRunId(2)), {});
  for ([[maybe_unused]] auto _ : state) {
    auto merged = MergePolicies({large->policy, small->policy}, AnswerPreference::kMorePermissive);
    if (!merged) {
      state.SkipWithError(merged.error().message.c_str());
      break;
    }
    benchmark::DoNotOptimize(merged);
  }
}

BENCHMARK(MergeTwoPolicies)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cordon
