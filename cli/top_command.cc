#include <fmt/format.h>
#include <pwd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/ask_sandbox.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "cli/resource_commands.h"
#include "common/printable.h"
#include "common/text.h"
#include "runtime/mount_labels.h"
#include "runtime/sandbox_processes.h"

namespace cordon::cli {
namespace {

enum class TopFormat : std::uint8_t { kTable, kJson };

/// As ps(1) names them: the number where there is no name.
std::string UserName(uid_t uid) {
  const passwd* const entry = ::getpwuid(uid);
  return entry == nullptr ? std::to_string(uid) : std::string(entry->pw_name);
}

/// Of its processor time since it began, as ps(1) has it.
double CpuPercent(const SandboxProcess& process) {
  return process.age_us == 0
             ? 0
             : 100.0 * static_cast<double>(process.cpu_us) / static_cast<double>(process.age_us);
}

std::string TimeText(std::uint64_t us) {
  const std::uint64_t seconds = us / 1'000'000;
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string JsonOf(const std::vector<SandboxProcess>& processes) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const SandboxProcess& process : processes) {
    list.push_back({{"pid", process.pid},
                    {"parent", process.parent},
                    {"inside", process.inside},
                    {"uid", process.uid},
                    {"threads", process.threads},
                    {"cpu_us", process.cpu_us},
                    {"age_us", process.age_us},
                    {"resident_bytes", process.resident_bytes},
                    {"command", ToUtf8(process.command)}});
  }
  return list.dump(2) + "\n";
}

/// Whether SELinux contexts are shown, as ps -Z does.
enum class TopContexts : std::uint8_t { kHidden, kShown };

/// As ps(1) shows one, in a column before the others: "-" where there is none.
std::vector<std::string> ContextColumn(const std::vector<SandboxProcess>& processes) {
  std::vector<std::string> column{"CONTEXT"};
  std::size_t width = column.front().size();
  for (const SandboxProcess& process : processes) {
    const std::string label = ProcessLabel(process.pid);
    column.push_back(label.empty() ? "-" : label);
    width = std::max(width, column.back().size());
  }
  for (std::string& cell : column) {
    cell = fmt::format("{:<{}}  ", cell, width);
  }
  return column;
}

std::string TableOf(const std::vector<SandboxProcess>& processes, TopContexts contexts) {
  const std::vector<std::string> first = contexts == TopContexts::kShown
                                             ? ContextColumn(processes)
                                             : std::vector<std::string>(processes.size() + 1);
  std::size_t row = 0;
  constexpr double kMebibyte = 1 << 20;
  std::size_t width = 4;
  for (const SandboxProcess& process : processes) {
    width = std::max(width, UserName(process.uid).size());
  }
  std::string table = fmt::format("{}{:>7}  {:>6}  {:<{}}  {:>5}  {:>9}  {:>8}  {}\n", first[row++],
                                  "PID", "INSIDE", "USER", width, "CPU%", "RSS", "TIME", "COMMAND");
  for (const SandboxProcess& process : processes) {
    table +=
        fmt::format("{}{:>7}  {:>6}  {:<{}}  {:>5.1f}  {:>8.1f}M  {:>8}  {}\n", first[row++],
                    process.pid, process.inside, UserName(process.uid), width, CpuPercent(process),
                    static_cast<double>(process.resident_bytes) / kMebibyte,
                    TimeText(process.cpu_us), Printable(process.command));
  }
  return table;
}

int Top(const std::string& name, TopFormat format, TopContexts contexts) {
  const Expected<SandboxState> state = InspectSandbox(name);
  if (!state) {
    return ReportError(state.error());
  }
  const std::vector<SandboxProcess> processes = SandboxProcesses(state->supervisor);
  return PrintDocument(
      format == TopFormat::kJson ? JsonOf(processes) : TableOf(processes, contexts), kOk);
}

}  // namespace

void AddTopCommand(CLI::App& app, int& exit_code) {
  struct Options {
    std::string name;
    TopFormat format = TopFormat::kTable;
    TopContexts contexts = TopContexts::kHidden;
  };

  auto options = std::make_shared<Options>();
  CLI::App* top = app.add_subcommand("top", "The processes in a running sandbox");
  top->add_option("NAME", options->name, "Of the sandbox")->required();
  CLI::Option* const json = top->add_flag_callback(
      "--json", [options] { options->format = TopFormat::kJson; }, "As a JSON array");
  top->add_flag_callback(
         "-Z,--context", [options] { options->contexts = TopContexts::kShown; },
         "The SELinux context of each")
      ->excludes(json);
  top->callback([options, &exit_code] {
    exit_code = Top(options->name, options->format, options->contexts);
  });
}

}  // namespace cordon::cli
