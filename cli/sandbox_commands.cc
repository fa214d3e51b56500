#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/ask_sandbox.h"
#include "cli/command.h"
#include "cli/command_line_text.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "common/printable.h"
#include "common/text.h"
#include "runtime/mount_labels.h"
#include "runtime/sandbox_place.h"
#include "runtime/sandbox_processes.h"
#include "runtime/sandbox_record.h"

namespace cordon::cli {
namespace {

/// What `name` left word of; nothing where it has not ended.
std::optional<SandboxState> Ended(const std::string& name) {
  const Expected<KnownSandboxes> known = FindSandboxes();
  if (!known || !std::ranges::binary_search(known->ended, name)) {
    return std::nullopt;
  }
  const Expected<SandboxState> record = ReadRecord(SandboxFolder(name));
  return record ? std::optional(*record) : std::nullopt;
}

std::string Age(std::int64_t started_ms) {
  const std::int64_t seconds = std::max<std::int64_t>(0, std::time(nullptr) - (started_ms / 1000));
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  if (seconds < 2 * kMinute) {
    return fmt::format("{}s", seconds);
  }
  if (seconds < 2 * kHour) {
    return fmt::format("{}m", seconds / kMinute);
  }
  return seconds < 2 * kDay ? fmt::format("{}h", seconds / kHour)
                            : fmt::format("{}d", seconds / kDay);
}

enum class ListFormat : std::uint8_t { kTable, kJson, kNames };

enum class Listed : std::uint8_t { kRunning, kAll };

/// Whether SELinux contexts are shown, as ps -Z and ls -Z do.
enum class Contexts : std::uint8_t { kHidden, kShown };

struct ListOptions {
  ListFormat format = ListFormat::kTable;
  Listed listed = Listed::kRunning;
  Contexts contexts = Contexts::kHidden;
};

/// As ps(1) shows one: "-" where there is none.
std::string ContextText(const std::string& label) {
  return label.empty() ? "-" : label;
}

std::string StatusText(const SandboxState& state) {
  return state.status == "ended" && state.outcome ? Describe(*state.outcome) : state.status;
}

std::vector<std::string> Row(const SandboxState& state) {
  return {state.name,
          StatusText(state),
          state.pid == 0 ? "-" : std::to_string(state.pid),
          Age(state.started_ms),
          std::to_string(state.violations),
          CommandLineText(state.command)};
}

std::string TableOf(const std::vector<SandboxState>& states, Contexts contexts) {
  std::vector<std::vector<std::string>> rows{
      {"NAME", "STATUS", "PID", "AGE", "VIOLATIONS", "COMMAND"}};
  std::ranges::transform(states, std::back_inserter(rows), Row);
  if (contexts == Contexts::kShown) {
    rows.front().insert(rows.front().end() - 1, "CONTEXT");
    for (std::size_t i = 0; i < states.size(); ++i) {
      const std::string label =
          states[i].pid == 0 ? states[i].selinux_label : ProcessLabel(states[i].pid);
      rows[i + 1].insert(rows[i + 1].end() - 1, ContextText(label));
    }
  }
  std::vector<std::size_t> widths(rows.front().size());
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string table;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      const bool is_number = i >= 2 && i <= 4;
      line += is_number ? fmt::format("{:>{}}  ", row[i], widths[i])
                        : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    table += line + row.back() + "\n";
  }
  return table;
}

int List(const ListOptions& options) {
  const ListFormat format = options.format;
  const Expected<KnownSandboxes> known = FindSandboxes();
  if (!known) {
    return ReportError(known.error());
  }
  std::vector<SandboxState> states = InspectEach(known->running);
  if (options.listed == Listed::kAll) {
    for (const std::string& name : known->ended) {
      Expected<SandboxState> record = ReadRecord(SandboxFolder(name));
      if (record) {
        states.push_back(*std::move(record));
      } else if (record.error().code != ErrorCode::kNotFound) {
        ReportWarning(record.error().message);
      }
    }
  }
  if (format == ListFormat::kJson) {
    std::vector<std::string> texts;
    for (const SandboxState& state : states) {
      std::string text = WriteSandboxState(state);
      text.pop_back();
      texts.push_back(std::move(text));
    }
    return PrintDocument(fmt::format("[{}]\n", Join(texts, ",\n")), kOk);
  }
  if (format == ListFormat::kNames) {
    std::string names;
    for (const SandboxState& state : states) {
      names += state.name + "\n";
    }
    return PrintDocument(names, kOk);
  }
  return PrintDocument(TableOf(states, options.contexts), kOk);
}

/// The contexts of the processes in a sandbox, and of what is mounted there as those see it.
std::string ContextsOf(const SandboxState& state) {
  if (state.pid == 0) {
    return fmt::format("{}  -  {}\n", ContextText(state.selinux_label),
                       CommandLineText(state.command));
  }
  std::string text;
  for (const SandboxProcess& process : SandboxProcesses(state.supervisor)) {
    text += fmt::format("{}  {:>7}  {}\n", ContextText(ProcessLabel(process.pid)), process.pid,
                        Printable(process.command));
  }
  const std::string root = fmt::format("/proc/{}/root", state.pid);
  for (const std::string& mount : state.mounts) {
    const std::string destination = mount.substr(0, mount.find(" from "));
    text +=
        fmt::format("{}  {}\n", ContextText(FileLabel(root + destination)), Printable(destination));
  }
  return text;
}

struct InspectOptions {
  std::string name;
  std::string field;
  Contexts contexts = Contexts::kHidden;
};

int PrintState(const InspectOptions& options) {
  const std::string& name = options.name;
  const std::string& field = options.field;
  Expected<SandboxState> state = InspectSandbox(name);
  if (!state) {
    const std::optional<SandboxState> ended = Ended(name);
    if (!ended) {
      return ReportError(state.error());
    }
    state = *ended;
  }
  if (options.contexts == Contexts::kShown) {
    return PrintDocument(ContextsOf(*state), kOk);
  }
  if (field.empty()) {
    return PrintDocument(WriteSandboxState(*state), kOk);
  }
  const Expected<std::string> text = SandboxStateField(*state, field);
  if (!text) {
    return ReportError(text.error());
  }
  return PrintDocument(*text + "\n", kOk);
}

/// "TERM", "SIGTERM" or "15".
std::optional<int> ParseSignal(std::string_view text) {
  if (const auto number = ParseUnsigned(text)) {
    return *number >= 1 && *number < static_cast<unsigned>(NSIG)
               ? std::optional(static_cast<int>(*number))
               : std::nullopt;
  }
  const std::string_view wanted = text.starts_with("SIG") ? text.substr(3) : text;
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* const name = ::sigabbrev_np(signal);
    if (name != nullptr && wanted == name) {
      return signal;
    }
  }
  return std::nullopt;
}

int Kill(const std::string& name, const std::string& signal_text) {
  const std::optional<int> signal = ParseSignal(signal_text);
  if (!signal) {
    return ReportError(InvalidInput(Quote(signal_text) + " is no signal"));
  }
  ControlRequest request;
  request.kind = ControlRequestKind::kSignal;
  request.signal = *signal;
  return OrderSandbox(name, request);
}

void AddOrder(CLI::App& app, int& exit_code, ControlRequestKind kind, const std::string& command,
              const std::string& what) {
  auto name = std::make_shared<std::string>();
  CLI::App* order = app.add_subcommand(command, what);
  order->add_option("NAME", *name, "Of the sandbox")->required();
  order->callback([name, kind, &exit_code] {
    ControlRequest request;
    request.kind = kind;
    exit_code = OrderSandbox(*name, request);
  });
}

}  // namespace

void AddPauseCommand(CLI::App& app, int& exit_code) {
  AddOrder(app, exit_code, ControlRequestKind::kPause, "pause",
           "Stop everything in a sandbox until it is resumed");
}

void AddResumeCommand(CLI::App& app, int& exit_code) {
  AddOrder(app, exit_code, ControlRequestKind::kResume, "resume", "Let a paused sandbox go on");
}

void AddListCommand(CLI::App& app, int& exit_code) {
  CLI::App* list = app.add_subcommand("list", "Running sandboxes of this user");
  auto options = std::make_shared<ListOptions>();
  auto* const json = list->add_flag_callback(
      "--json", [options] { options->format = ListFormat::kJson; },
      "All that inspect says of each, as a JSON array");
  list->add_flag_callback(
          "-q,--quiet", [options] { options->format = ListFormat::kNames; },
          "Names only, one in a line")
      ->excludes(json);
  list->add_flag_callback(
      "-a,--all", [options] { options->listed = Listed::kAll; },
      "Also detached ones that have ended, until cordon rm removes them");
  list->add_flag_callback(
      "-Z,--context", [options] { options->contexts = Contexts::kShown; },
      "The SELinux context of each workload");
  list->callback([options, &exit_code] { exit_code = List(*options); });
}

void AddInspectCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* inspect =
      app.add_subcommand("inspect", "What a sandbox is made of, and the policy in force, as JSON");
  inspect->add_option("NAME", options->name, "Of the sandbox")->required();
  CLI::Option* const field =
      inspect->add_option("--field", options->field, "Print this field only: pid, namespaces.net")
          ->type_name("F");
  inspect
      ->add_flag_callback(
          "-Z,--context", [options] { options->contexts = Contexts::kShown; },
          "SELinux contexts of its processes and of what is mounted in it, one in a line")
      ->excludes(field);
  inspect->callback([options, &exit_code] { exit_code = PrintState(*options); });
}

void AddKillCommand(CLI::App& app, int& exit_code) {
  struct Options {
    std::string name;
    std::string signal = "TERM";
  };

  auto options = std::make_shared<Options>();
  CLI::App* kill = app.add_subcommand("kill", "Send a signal to a sandbox's workload");
  kill->add_option("NAME", options->name, "Of the sandbox")->required();
  kill->add_option("-s,--signal", options->signal, "Name or number (default: TERM)")
      ->type_name("SIG");
  kill->callback([options, &exit_code] { exit_code = Kill(options->name, options->signal); });
}

}  // namespace cordon::cli
