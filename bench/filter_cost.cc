// filter_cost POLICY DEFAULT [Google Benchmark's options]: what a call costs without a filter,
// under a container engine's DEFAULT profile as runc loads it, under POLICY as runc loads it (no
// tree), and under POLICY as cordon loads it (libseccomp's tree), without and with a listener that
// is asked about every refusal; nobody would answer here, so no refused call is made under that.
// Every batch of calls is made by a child of its own: a filter is for life.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "common/file.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_policy_json.h"

namespace cordon {
namespace {

constexpr int kCallsPerBatch = 200'000;

struct TimedCall {
  const char* name;
  long number;
  std::array<long, 3> arguments;
};

// Descriptor -1: the filter is asked, and then there is next to nothing to do.
constexpr TimedCall kCalls[] = {
    {"getppid (allowed whatever its arguments)", SYS_getppid, {}},
    {"ioctl FIONBIO (allowed by its arguments)", SYS_ioctl, {-1, FIONBIO, 0}},
    {"swapon (refused)", SYS_swapon, {}},
};

using Program = std::vector<sock_filter>;

/// Whether a filter is loaded with a listener.
enum class Listener : std::uint8_t { kNone, kOwn };

/// Of this process: what others do on the machine does not count.
double ProcessorNanoseconds() {
  timespec now{};
  (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// Nanoseconds of processor time that a batch took in a child under `program`; nothing if it could
/// not be run.
std::optional<double> TimeBatch(Program program, Listener listener, const TimedCall& call) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::nullopt;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    if (!program.empty() &&
        (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
         ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                   listener == Listener::kOwn ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0UL,
                   &filter) < 0)) {
      ::_exit(1);
    }
    const double start = ProcessorNanoseconds();
    for (int i = 0; i < kCallsPerBatch; i++) {
      ::syscall(call.number, call.arguments[0], call.arguments[1], call.arguments[2]);
    }
    const double nanoseconds = ProcessorNanoseconds() - start;
    ::_exit(::write(ends[1], &nanoseconds, sizeof nanoseconds) == sizeof nanoseconds ? 0 : 1);
  }
  ::close(ends[1]);
  double nanoseconds = 0;
  const bool told = ::read(ends[0], &nanoseconds, sizeof nanoseconds) == sizeof nanoseconds;
  ::close(ends[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0 || !told) {
    return std::nullopt;
  }
  return nanoseconds;
}

void Register(const std::string& filter, const Program& program,
              Listener listener = Listener::kNone) {
  for (const TimedCall& call : kCalls) {
    if (listener == Listener::kOwn && call.number == SYS_swapon) {
      continue;
    }
    benchmark::RegisterBenchmark(
        (std::string(call.name) + "/" + filter).c_str(),
        [program, listener, call](benchmark::State& state) {
          for ([[maybe_unused]] auto _ : state) {
            const std::optional<double> took = TimeBatch(program, listener, call);
            if (!took) {
              state.SkipWithError("the batch did not run to its end");
              break;
            }
            state.SetIterationTime(*took / 1e9 / kCallsPerBatch);
          }
          state.counters["instructions"] = static_cast<double>(program.size());
        })
        ->UseManualTime()
        ->Iterations(3);
  }
}

Expected<SeccompPolicy> ReadPolicy(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxSeccompProfileBytes));
  ASSIGN_OR_RETURN(ResolvedProfile profile,
                   ReadContainerProfile(text, path,
                                        {.architecture = Architecture::kX86_64,

                                         .capabilities = DefaultContainerCapabilities(),
                                         .kernel = KernelVersion{.major = 5, .minor = 10}}));
  return std::move(profile.policy);
}

Status RegisterAll(const std::string& policy_path, const std::string& default_path) {
  ASSIGN_OR_RETURN(const SeccompPolicy policy, ReadPolicy(policy_path));
  ASSIGN_OR_RETURN(const SeccompPolicy engine_default, ReadPolicy(default_path));
  ASSIGN_OR_RETURN(const Program without_tree, CompileAsRunc(policy));
  ASSIGN_OR_RETURN(const Program with_tree, CompileSeccomp(policy));
  ASSIGN_OR_RETURN(const Program notifying, CompileSeccomp(NotifyingVariant(policy)));
  ASSIGN_OR_RETURN(const Program default_program, CompileAsRunc(engine_default));
  Register("none", {});
  Register("engine's default", default_program);
  Register("policy without tree", without_tree);
  Register("policy", with_tree);
  Register("policy, listener", notifying, Listener::kOwn);
  return {};
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 3) {
    (void)std::fprintf(stderr, "usage: filter_cost POLICY DEFAULT [--benchmark_...]\n");
    return 2;
  }
  if (const cordon::Status registered = cordon::RegisterAll(argv[1], argv[2]); !registered) {
    (void)std::fprintf(stderr, "filter_cost: %s\n", registered.error().message.c_str());
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
