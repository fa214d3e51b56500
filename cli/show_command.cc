#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/command_line_text.h"
#include "cli/describe_coverage.h"
#include "cli/load_recording.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "common/printable.h"
#include "common/text.h"
#include "model/recording.h"

namespace cordon::cli {
namespace {

constexpr std::size_t kWidth = 80;

struct ShowOptions {
  std::vector<std::string> recordings;
};

/// `words` separated by blanks, in lines of at most kWidth columns, each after `indent` blanks.
std::string Wrapped(const std::vector<std::string>& words, std::size_t indent) {
  std::string out;
  std::size_t column = kWidth;
  for (const std::string& word : words) {
    if (column + 1 + word.size() > kWidth) {
      out += out.empty() ? "" : "\n";
      out.append(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out.empty() ? out : out + "\n";
}

bool Succeeded(const ResultCounts& results) {
  return results.contains(0) || results.empty();
}

std::string DescribeRun(const Run& run) {
  if (run.command.empty() && !run.limitations.empty()) {
    return fmt::format("  no command: {}\n", Printable(run.limitations.begin()->detail));
  }
  std::string out = fmt::format(
      "  {}{}\n    {}, {:.1f} s, {} tier, as uid {}, Linux {}\n",
      run.further.empty() ? "" : fmt::format("further command {}: ", Quote(run.further, 60)),
      CommandLineText(run.command),
      run.outcome ? Describe(*run.outcome) : "ended before the workload did",
      static_cast<double>(run.duration_ms) / 1000.0,
      run.tier.empty() ? "unknown" : Printable(run.tier), run.host.effective_uid,
      Printable(run.host.kernel));
  if (run.serving_ms) {
    out += fmt::format(
        "    served from {:.1f} s on{}\n", static_cast<double>(*run.serving_ms) / 1000.0,
        run.serving_when.empty() ? "" : fmt::format(" ({})", Printable(run.serving_when)));
  }
  if (!run.withheld.empty()) {
    out += fmt::format("    made to fail with ENOSYS: {}\n",
                       Printable(fmt::format("{}", fmt::join(run.withheld, ", "))));
  }
  return out;
}

std::string DescribeSyscalls(const Recording& recording) {
  std::map<Architecture, std::vector<std::string>> seen;
  std::vector<std::string> refused;
  std::uint64_t calls = 0;
  for (const auto& [call, item] : recording.syscalls) {
    calls += item.seen.count;
    seen[call.arch].push_back(SyscallLabel(call));
    if (!Succeeded(item.results)) {
      refused.push_back(SyscallLabel(call));
    }
  }
  std::string out = fmt::format("System calls: {} distinct, {} made in one run\n",
                                recording.syscalls.size(), calls);
  for (auto& [arch, names] : seen) {
    std::sort(names.begin(), names.end());
    out += fmt::format("  {} ({}):\n{}", Name(arch), names.size(), Wrapped(names, 4));
  }
  if (!refused.empty()) {
    out += fmt::format("  never succeeded ({}):\n{}", refused.size(), Wrapped(refused, 4));
  }
  return out;
}

std::string DescribeFiles(const Recording& recording) {
  const FileAccessSet changing{FileAccess::kWrite,    FileAccess::kAppend,  FileAccess::kCreate,
                               FileAccess::kTruncate, FileAccess::kSetattr, FileAccess::kUnlink,
                               FileAccess::kRename,   FileAccess::kMapWrite};
  std::vector<std::string> changed;
  std::size_t missing = 0;
  for (const auto& [key, item] : recording.files) {
    missing += item.access.empty() ? 1 : 0;
    if (item.access.HasAny(changing)) {
      changed.push_back(Quote(key.path, 200));
    }
  }
  std::string out = fmt::format("Files: {} used, {} looked for and not found\n",
                                recording.files.size() - missing, missing);
  if (!changed.empty()) {
    out += fmt::format("  changed ({}):\n{}", changed.size(), Wrapped(changed, 4));
  }
  return out;
}

std::string DescribeSockets(const Recording& recording) {
  std::vector<std::string> lines;
  for (const auto& [key, item] : recording.sockets) {
    const bool has_address =
        key.operation == SocketOperation::kBind || key.operation == SocketOperation::kConnect;
    if (!has_address || !Succeeded(item.results)) {
      continue;
    }
    const std::string where =
        key.port != 0 ? fmt::format("{}:{}", key.address, key.port) : key.address;
    lines.push_back(fmt::format("  {} {}\n",
                                key.operation == SocketOperation::kBind ? "binds" : "connects to",
                                Quote(where, 200)));
  }
  return lines.empty() ? std::string("Network: nothing bound, nothing connected to\n")
                       : fmt::format("Network:\n{}", Join(lines, ""));
}

std::string DescribeProcesses(const Recording& recording) {
  std::string out = "Programs:\n";
  for (const auto& [key, item] : recording.processes) {
    out += fmt::format("  {}{}\n", Quote(key.executable, 200),
                       key.parent.empty() ? std::string()
                                          : fmt::format(" executed by {}", Quote(key.parent, 200)));
  }
  return out;
}

int Show(const ShowOptions& options) {
  const auto loaded = LoadRecordings(options.recordings);
  if (!loaded) {
    return ReportInputError(loaded.error());
  }
  const Recording& recording = *loaded;
  std::string out = fmt::format("Runs: {}\n", recording.runs.size());
  for (const auto& [id, run] : recording.runs) {
    out += DescribeRun(run);
  }
  out += DescribeProcesses(recording) + DescribeSyscalls(recording) + DescribeFiles(recording) +
         DescribeSockets(recording);
  if (!recording.capabilities.empty()) {
    std::vector<std::string> names;
    names.reserve(recording.capabilities.size());
    for (const auto& [name, use] : recording.capabilities) {
      names.push_back(Printable(name));
    }
    out += fmt::format("Capabilities needed:\n{}", Wrapped(names, 2));
  }
  const Resources& peaks = recording.resources;
  out += fmt::format("Peaks: {:.1f} MiB, {} tasks, {} open files; {:.1f} s of CPU time\n",
                     static_cast<double>(peaks.peak_memory_bytes) / (1024.0 * 1024.0),
                     peaks.peak_tasks, peaks.open_files,
                     static_cast<double>(peaks.cpu_time_ms) / 1000.0);
  out += DescribeSaturation(recording) + DescribeVerdict(recording);
  return PrintDocument(out, kOk);
}

}  // namespace

void AddShowCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("show", "Summarise recordings for a person");
  auto options = std::make_shared<ShowOptions>();
  command->add_option("RECORDING", options->recordings, "Recordings; several are merged")
      ->required();
  command->footer(
      "The last lines say whether the recording is complete, complete except for something, or "
      "partial\n"
      "(docs/recording-format.md), and those before how likely more of the same work is to show "
      "something new.");
  command->callback([options, &exit_code] { exit_code = Show(*options); });
}

}  // namespace cordon::cli
