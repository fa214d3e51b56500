#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/parse_duration.h"
#include "cli/report_error.h"
#include "common/printable.h"
#include "common/text.h"
#include "runtime/sandbox_log_reader.h"
#include "runtime/sandbox_place.h"

namespace cordon::cli {
namespace {

/// How long a sandbox whose end made no sound in its log is waited for.
constexpr int kPauseMs = 1000;

struct LogsOptions {
  std::string name;
  bool follow = false;
  bool times = false;
  std::string tail;
  std::string since;
};

/// What the options select.
struct Selection {
  std::optional<std::uint64_t> tail;  ///< lines
  std::string since;                  ///< LogRecord::time; empty: all
};

/// A line, of records of one source.
struct LogLine {
  std::vector<LogRecord> records;
};

/// "10m" ago, or a time in RFC 3339.
Expected<std::string> ParseSince(const std::string& text) {
  if (const auto duration = ParseDuration(text)) {
    timespec now{};
    (void)::clock_gettime(CLOCK_REALTIME, &now);
    const std::int64_t ms =
        (std::int64_t{now.tv_sec} * 1000) + (now.tv_nsec / 1'000'000) - duration->count();
    return LogTime({.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1'000'000});
  }
  tm parts{};
  const char* const end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr || std::string_view(end) != "Z") {
    return Fail(
        InvalidInput("--since takes a duration as 30s, 10m or 2h, or a time as "
                     "2026-11-28T11:33:13Z, not " +
                     Quote(text)));
  }
  return LogTime({.tv_sec = ::timegm(&parts), .tv_nsec = 0});
}

Expected<Selection> Select(const LogsOptions& options) {
  Selection selection;
  if (!options.since.empty()) {
    ASSIGN_OR_RETURN(selection.since, ParseSince(options.since));
  }
  if (!options.tail.empty()) {
    selection.tail = ParseUnsigned(options.tail);
    if (!selection.tail) {
      return Fail(InvalidInput("--tail takes a number of lines, not " + Quote(options.tail)));
    }
  }
  return selection;
}

/// Prints records: the workload's output to standard output, its errors and what the supervisor
/// said to standard error.
class Printer {
 public:
  explicit Printer(bool times) : times_(times) {}

  void Print(const LogRecord& record) {
    FILE* const stream = record.source == LogSource::kStdout ? stdout : stderr;
    bool& in_line = in_line_.at(static_cast<std::size_t>(record.source));
    std::string text;
    if (!in_line && times_) {
      text = record.time + " ";
    }
    if (!in_line && record.source == LogSource::kCordon) {
      text += "cordon: ";
    }
    text += record.source == LogSource::kCordon ? Printable(record.text) : record.text;
    if (record.ends_line) {
      text += '\n';
    }
    in_line = !record.ends_line;
    if (stream != last_) {  // in the order in which it was said, where both are one file
      (void)std::fflush(last_);
      last_ = stream;
    }
    (void)std::fwrite(text.data(), 1, text.size(), stream);
  }

  static void Flush() {
    (void)std::fflush(stdout);
    (void)std::fflush(stderr);
  }

 private:
  bool times_;
  std::array<bool, 3> in_line_{};
  FILE* last_ = stdout;
};

/// All that the log holds by now, as lines; of --tail the last ones.
Expected<std::deque<LogLine>> ReadLines(SandboxLogReader& reader, const Selection& selection) {
  std::deque<LogLine> lines;
  std::array<LogLine, 3> begun;
  const auto add = [&](LogLine& line) {
    lines.push_back(std::exchange(line, {}));
    if (selection.tail && lines.size() > *selection.tail) {
      lines.pop_front();
    }
  };
  while (true) {
    ASSIGN_OR_RETURN(std::vector<LogRecord> records, reader.Read());
    if (records.empty()) {
      break;
    }
    for (LogRecord& record : records) {
      if (record.time < selection.since) {
        continue;
      }
      LogLine& line = begun.at(static_cast<std::size_t>(record.source));
      const bool ends_line = record.ends_line;
      line.records.push_back(std::move(record));
      if (ends_line) {
        add(line);
      }
    }
  }
  for (LogLine& line : begun) {
    if (!line.records.empty()) {
      add(line);
    }
  }
  return lines;
}

bool Runs(const std::string& name) {
  const Expected<KnownSandboxes> known = FindSandboxes();
  return known && std::ranges::binary_search(known->running, name);
}

Status Follow(SandboxLogReader& reader, const std::string& name, Printer& printer) {
  bool last = false;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<LogRecord> records, reader.Read());
    for (const LogRecord& record : records) {
      printer.Print(record);
    }
    Printer::Flush();
    if (!records.empty()) {
      continue;
    }
    if (last) {
      return {};
    }
    last = !Runs(name);
    if (!last) {
      reader.Wait(kPauseMs);
    }
  }
}

/// The log of a sandbox that is known, or why there is none.
Expected<SandboxLogReader> OpenLog(const std::string& name) {
  RETURN_IF_ERROR(CheckSandboxName(name));
  Expected<SandboxLogReader> reader = SandboxLogReader::Open(SandboxFolder(name));
  if (reader || reader.error().code != ErrorCode::kNotFound) {
    return reader;
  }
  ASSIGN_OR_RETURN(const KnownSandboxes known, FindSandboxes());
  if (std::ranges::binary_search(known.running, name)) {
    return Fail(MakeError(ErrorCode::kNotFound,
                          "the sandbox '" + name +
                              "' has no log: what it says goes to who started it; cordon run "
                              "--detach keeps one"));
  }
  std::vector<std::string> names = known.running;
  names.insert(names.end(), known.ended.begin(), known.ended.end());
  return Fail(MakeError(ErrorCode::kNotFound,
                        fmt::format("there is no sandbox called {}; {}", Quote(name),
                                    names.empty() ? "there is none of this user"
                                                  : "there is: " + Join(names, ", "))));
}

Status PrintLogs(const LogsOptions& options, const Selection& selection) {
  ASSIGN_OR_RETURN(SandboxLogReader reader, OpenLog(options.name));
  Printer printer(options.times);
  {
    ASSIGN_OR_RETURN(const std::deque<LogLine> lines, ReadLines(reader, selection));
    for (const LogLine& line : lines) {
      std::ranges::for_each(line.records, [&](const LogRecord& record) { printer.Print(record); });
    }
  }
  Printer::Flush();
  if (options.follow) {
    RETURN_IF_ERROR(Follow(reader, options.name, printer));
  }
  if (reader.gaps() != 0) {
    ReportWarning("part of the log was replaced by newer output before it could be read");
  }
  return {};
}

int Logs(const LogsOptions& options) {
  const Expected<Selection> selection = Select(options);
  if (!selection) {
    return ReportError(selection.error());
  }
  const Status printed = PrintLogs(options, *selection);
  return printed ? kOk : ReportError(printed.error());
}

}  // namespace

void AddLogsCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<LogsOptions>();
  CLI::App* logs = app.add_subcommand("logs", "What a detached sandbox said");
  logs->add_option("NAME", options->name, "Of the sandbox")->required();
  logs->add_flag("-f,--follow", options->follow, "Go on until the sandbox ends");
  logs->add_option("--tail", options->tail, "Only the last N lines of what is there")
      ->type_name("N");
  logs->add_option("--since", options->since,
                   "Only what was said since: 10m (ago), or 2026-11-28T11:33:13Z")
      ->type_name("TIME");
  logs->add_flag("-t,--timestamps", options->times, "When it was said, before each line");
  logs->callback([options, &exit_code] { exit_code = Logs(*options); });
}

}  // namespace cordon::cli
