// launch_time RUNS IDLE_MS @ NAME COMMAND… [@ NAME COMMAND…]…: how long each command takes from its
// start to its end, one after the other, RUNS times over, with IDLE_MS milliseconds of rest before
// each; prints median, 95th percentile and least in milliseconds, and the most resident memory of
// one of its processes.

#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

struct Way {
  std::string name;
  std::vector<char*> command;  ///< ends with nullptr
  std::vector<double> milliseconds;
  long resident_kib = 0;
};

/// Fails the program when the command does: what did not run must not be the fastest.
void RunOnce(Way& way) {
  const auto start = std::chrono::steady_clock::now();
  pid_t pid = -1;
  const int failed =
      ::posix_spawnp(&pid, way.command[0], nullptr, nullptr, way.command.data(), environ);
  int status = 0;
  rusage usage{};
  if (failed != 0 || ::wait4(pid, &status, 0, &usage) != pid || status != 0) {
    fmt::print(stderr, "launch_time: {} failed (wait status {})\n", way.name, status);
    std::exit(1);
  }
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  way.milliseconds.push_back(taken.count());
  way.resident_kib = std::max(way.resident_kib, usage.ru_maxrss);
}

double Percentile(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

std::vector<Way> ReadWays(int argc, char** argv) {
  std::vector<Way> ways;
  for (int i = 3; i < argc; ++i) {
    if (std::string_view(argv[i]) == "@" && i + 2 < argc) {
      ways.push_back({argv[++i], {}, {}});
    } else if (!ways.empty()) {
      ways.back().command.push_back(argv[i]);
    }
  }
  for (Way& way : ways) {
    way.command.push_back(nullptr);
  }
  return ways;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Way> ways = ReadWays(argc, argv);
  const int runs = argc > 2 ? std::atoi(argv[1]) : 0;
  if (ways.empty() || runs < 1) {
    fmt::print(stderr, "usage: launch_time RUNS IDLE_MS @ NAME COMMAND… [@ NAME COMMAND…]…\n");
    return 2;
  }
  const std::chrono::milliseconds rest(std::atoi(argv[2]));
  for (int run = 0; run < runs; ++run) {
    for (Way& way : ways) {
      std::this_thread::sleep_for(rest);
      RunOnce(way);
    }
  }
  fmt::print("{:<30}{:>10}{:>10}{:>10}{:>14}\n", "", "median ms", "95 % ms", "least ms",
             "memory KiB");
  for (Way& way : ways) {
    std::ranges::sort(way.milliseconds);
    fmt::print("{:<30}{:>10.2f}{:>10.2f}{:>10.2f}{:>14}\n", way.name,
               Percentile(way.milliseconds, 0.5), Percentile(way.milliseconds, 0.95),
               way.milliseconds.front(), way.resident_kib);
  }
  return 0;
}
