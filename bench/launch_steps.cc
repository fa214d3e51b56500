// launch_steps BUNDLE ROOTFS [RUNS]: what each part of a launch costs: reading the bundle, looking
// at the host and planning, in this process; then whole launches of /bin/true, each with one part
// more than the one before, interleaved, RUNS times over. Prints medians, and what each part adds.

#include <fmt/format.h>
#include <linux/sched.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "common/file.h"
#include "model/compiled_filter.h"
#include "model/policy_bundle.h"
#include "model/sandbox_config_json.h"
#include "runtime/host_features.h"
#include "runtime/launch_plan.h"
#include "runtime/sandbox.h"

namespace {

using namespace cordon;
using Clock = std::chrono::steady_clock;

struct Part {
  std::string name;
  std::function<void()> run;
  std::vector<double> microseconds;
};

[[noreturn]] void Stop(const Error& error) {
  fmt::print(stderr, "launch_steps: {}\n", error.message);
  std::exit(1);
}

template <typename T>
T Must(Expected<T> value) {
  if (!value) {
    Stop(value.error());
  }
  return *std::move(value);
}

void Launch(const LaunchPlan& plan) {
  SandboxOptions options;
  options.policy = []() -> Expected<SeccompPolicy> { return SeccompPolicy{}; };
  options.on_violation = [](const Violation&) {};
  options.on_warning = [](const std::string&) {};
  const SandboxResult result = Must(RunSandbox(plan, options));
  if (const auto* exited = std::get_if<Exited>(&result.outcome);
      exited == nullptr || exited->code != 0) {
    fmt::print(stderr, "launch_steps: /bin/true failed\n");
    std::exit(1);
  }
}

double Median(std::vector<double>& values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void Measure(std::vector<Part>& parts, int runs) {
  for (int run = 0; run < runs; ++run) {
    for (Part& part : parts) {
      const Clock::time_point start = Clock::now();
      part.run();
      part.microseconds.push_back(
          std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    }
  }
}

/// The plan without anything that a later stage adds.
std::vector<std::pair<std::string, LaunchPlan>> Stages(const LaunchPlan& full) {
  LaunchPlan plan = full;
  plan.clone_flags = CLONE_NEWPID | CLONE_NEWNS;
  plan.cgroup_namespace = false;
  plan.hostname.clear();
  plan.loopback = false;
  plan.mounts.clear();
  plan.masked_paths.clear();
  plan.readonly_paths.clear();
  plan.cgroups.clear();
  plan.base_filter.clear();
  plan.filter.clear();
  plan.listener = false;
  std::vector<std::pair<std::string, LaunchPlan>> stages;
  stages.emplace_back("pid and mount namespaces, root", plan);
  plan.clone_flags |= CLONE_NEWUTS | CLONE_NEWIPC;
  plan.hostname = full.hostname;
  stages.emplace_back("uts and ipc namespaces", plan);
  plan.clone_flags |= full.clone_flags & CLONE_NEWNET;
  plan.loopback = full.loopback;
  stages.emplace_back("network namespace, loopback", plan);
  plan.cgroup_namespace = full.cgroup_namespace;
  stages.emplace_back("cgroup namespace", plan);
  plan.mounts = full.mounts;
  stages.emplace_back("mounts and devices", plan);
  plan.masked_paths = full.masked_paths;
  plan.readonly_paths = full.readonly_paths;
  stages.emplace_back("masked and read-only paths", plan);
  plan.base_filter = full.base_filter;
  stages.emplace_back("base filter", plan);
  plan.filter = full.filter;
  plan.listener = full.listener;
  stages.emplace_back("the policy's filter, listener", plan);
  plan.cgroups = full.cgroups;
  stages.emplace_back("cgroups with limits", plan);
  return stages;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: launch_steps BUNDLE ROOTFS [RUNS]\n");
    return 2;
  }
  const int runs = argc > 3 ? std::atoi(argv[3]) : 200;
  const std::string folder = argv[1];
  constexpr std::size_t kLimit = std::size_t{64} << 20;
  LaunchRequest request;
  const auto read_config = [&] {
    const std::string path = folder + "/" + std::string(kConfigFile);
    request.config =
        Must(ReadSandboxConfig(Must(ReadFile(path, kLimit)), path, SeccompPart::kSkip));
  };
  const auto read_filter = [&] {
    const std::string path = folder + "/" + std::string(kSeccompBpfFile);
    request.filter = Must(ReadCompiledFilter(Must(ReadFile(path, kLimit)), path)).program;
  };
  read_config();
  read_filter();
  request.has_policy = true;
  HostFeatures host = Must(ProbeHost());
  const auto prepare = [&] {
    request.config.root_path = argv[2];
    request.config.arguments = {"/bin/true"};
    request.environment = {"PATH=/bin"};
  };
  prepare();
  const LaunchPlan full = Must(PlanLaunch(request, host));

  std::vector<Part> inside{
      {"reading config.json", read_config, {}},
      {"reading seccomp.bpf", read_filter, {}},
      {"looking at the host", [&] { host = Must(ProbeHost()); }, {}},
      {"planning",
       [&] {
         prepare();
         (void)Must(PlanLaunch(request, host));
       },
       {}},
  };
  Measure(inside, runs);
  fmt::print("{:<36}{:>12}{:>12}\n", "", "median us", "adds us");
  for (Part& part : inside) {
    fmt::print("{:<36}{:>12}{:>12.0f}\n", part.name, "", Median(part.microseconds));
  }
  const std::vector<std::pair<std::string, LaunchPlan>> stages = Stages(full);
  std::vector<Part> launches;
  for (const auto& [name, plan] : stages) {
    launches.push_back({name, [&plan] { Launch(plan); }, {}});
  }
  Measure(launches, runs);
  double before = 0;
  for (Part& part : launches) {
    const double median = Median(part.microseconds);
    fmt::print("{:<36}{:>12.0f}{:>12.0f}\n", part.name, median, median - before);
    before = median;
  }
  return 0;
}
