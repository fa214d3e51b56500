#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <set>

#include "cli/oci/oci_call.h"
#include "cli/oci/oci_container.h"
#include "cli/oci/oci_policy.h"
#include "common/child_process.h"
#include "common/file.h"
#include "common/text.h"
#include "model/oci_spec_json.h"
#include "runtime/oci_policy.h"

namespace cordon::cli {
namespace {

void Print(const std::string& text) {
  (void)std::fwrite(text.data(), 1, text.size(), stdout);
}

Status ShowState(const OciCall& call, const std::string& id) {
  ASSIGN_OR_RETURN(const OciContainer container, LoadOciContainer(call, id, OciAccess::kLook));
  Print(WriteOciStateDetails(container.record, container.status));
  return {};
}

Status List(const OciCall& call, const std::string& format, bool quiet) {
  std::vector<std::pair<OciRecord, OciStatus>> containers;
  for (const std::string& id : ContainerIds(call.root)) {
    const Expected<OciContainer> container = LoadOciContainer(call, id, OciAccess::kLook);
    if (container) {
      containers.emplace_back(container->record, container->status);
    } else if (container.error().code != ErrorCode::kNotFound) {
      ReportOciWarning(call, container.error().message);
    }
  }
  if (quiet) {
    for (const auto& [record, status] : containers) {
      Print(record.id + "\n");
    }
    return {};
  }
  if (format == "json") {
    Print(WriteOciStateList(containers));
    return {};
  }
  std::size_t width = 2;
  for (const auto& [record, status] : containers) {
    width = std::max(width, record.id.size());
  }
  Print(fmt::format("{:<{}}  {:<8}  {:<8}  {}\n", "ID", width, "PID", "STATUS", "BUNDLE"));
  for (const auto& [record, status] : containers) {
    Print(fmt::format("{:<{}}  {:<8}  {:<8}  {}\n", record.id, width,
                      status == OciStatus::kStopped ? 0 : record.pid, OciStatusName(status),
                      ToUtf8(record.bundle)));
  }
  return {};
}

/// The lines of ps(1) that are of `processes`, after its header.
Status PrintTable(const std::vector<pid_t>& processes, std::vector<std::string> arguments) {
  if (arguments.empty()) {
    arguments.emplace_back("-ef");
  }
  arguments.insert(arguments.begin(), "ps");
  constexpr std::chrono::seconds kTimeout{30};
  ASSIGN_OR_RETURN(const ProgramOutput output, RunProgram(arguments, kTimeout));
  if (output.exit_code != 0) {
    return Fail(MakeError(ErrorCode::kSystem, "ps: " + ToUtf8(output.standard_error)));
  }
  const std::vector<std::string> lines = Split(output.standard_output, '\n');
  const auto words = [](const std::string& line) {
    std::vector<std::string> list = Split(line, ' ');
    std::erase(list, "");
    return list;
  };
  const std::vector<std::string> header = words(lines.front());
  const auto column = static_cast<std::size_t>(std::ranges::find(header, "PID") - header.begin());
  if (column == header.size()) {
    return Fail(InvalidInput("ps: these options show no column PID"));
  }
  Print(lines.front() + "\n");
  const std::set<pid_t> wanted(processes.begin(), processes.end());
  for (const std::string& line : lines) {
    const std::vector<std::string> fields = words(line);
    const auto pid = fields.size() > column ? ParseUnsigned(fields[column]) : std::nullopt;
    if (pid && wanted.contains(static_cast<pid_t>(*pid))) {
      Print(line + "\n");
    }
  }
  return {};
}

Status Ps(const OciCall& call, const std::string& id, const std::string& format,
          const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const OciContainer container, LoadOciContainer(call, id, OciAccess::kLook));
  std::vector<pid_t> processes = container.cgroups.Processes();
  if (processes.empty() && container.process) {
    processes.push_back(container.record.pid);  // without cgroups no more is known
  }
  if (format == "json") {
    Print(fmt::format("[{}]\n", fmt::join(processes, ",")));
    return {};
  }
  return PrintTable(processes, arguments);
}

Status Update(const OciCall& call, const std::string& id, const std::string& file,
              OciResources resources) {
  if (!file.empty()) {
    const std::string source = file == "-" ? "/dev/stdin" : file;
    ASSIGN_OR_RETURN(const std::string text, ReadFile(source, kMaxOciSpecBytes));
    ASSIGN_OR_RETURN(resources, ReadOciResources(text, source));
  }
  ASSIGN_OR_RETURN(const OciContainer container, LoadOciContainer(call, id, OciAccess::kChange));
  if (!container.process) {
    return Fail(MakeError(ErrorCode::kNotFound, "container not running"));
  }
  ASSIGN_OR_RETURN(const std::optional<OciPolicy> policy, OciPolicy::Open(container.folder));
  if (policy) {
    ASSIGN_OR_RETURN(const OciResources tighter, TighterChange(policy->config().limits, resources));
    RETURN_IF_ERROR(container.cgroups.Apply(resources));
    return container.cgroups.Apply(tighter);
  }
  return container.cgroups.Apply(resources);
}

}  // namespace

void AddOciState(CLI::App& app, OciCall& call) {
  CLI::App* command = app.add_subcommand("state", "show the state of a container");
  auto id = std::make_shared<std::string>();
  command->add_option("container-id", *id)->required();
  command->callback([&call, id] { RunOciAction(call, [&] { return ShowState(call, *id); }); });
}

void AddOciList(CLI::App& app, OciCall& call) {
  struct Options {
    std::string format = "table";
    bool quiet = false;
  };

  CLI::App* command = app.add_subcommand("list", "list the containers");
  auto options = std::make_shared<Options>();
  command->add_option("-f,--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  command->add_flag("-q,--quiet", options->quiet, "their ids only");
  command->callback([&call, options] {
    RunOciAction(call, [&] { return List(call, options->format, options->quiet); });
  });
}

void AddOciPs(CLI::App& app, OciCall& call) {
  struct Options {
    std::string id;
    std::string format = "table";
  };

  CLI::App* command = app.add_subcommand("ps", "show the processes of a container");
  auto options = std::make_shared<Options>();
  command->add_option("-f,--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  command->add_option("container-id", options->id)->required();
  command->prefix_command();
  command->callback([&call, options, command] {
    RunOciAction(call,
                 [&] { return Ps(call, options->id, options->format, command->remaining()); });
  });
}

void AddOciUpdate(CLI::App& app, OciCall& call) {
  struct Options {
    std::string id;
    std::string file;
    OciResources resources;
  };

  CLI::App* command = app.add_subcommand("update", "change what a container is held to");
  auto options = std::make_shared<Options>();
  OciResources& resources = options->resources;
  command->add_option("-r,--resources", options->file,
                      "file with linux.resources as JSON, or - for stdin");
  command->add_option("--blkio-weight", resources.io_weight, "10 to 1000");
  command->add_option("--cpu-period", resources.cpu_period, "microseconds");
  command->add_option("--cpu-quota", resources.cpu_quota, "microseconds in each period");
  command->add_option("--cpu-burst", resources.cpu_burst, "microseconds");
  command->add_option("--cpu-share", resources.cpu_shares, "weight against others");
  command->add_option("--cpu-rt-period", resources.cpu_realtime_period, "microseconds");
  command->add_option("--cpu-rt-runtime", resources.cpu_realtime_runtime, "microseconds");
  command->add_option("--cpuset-cpus", resources.cpuset_cpus, "0-2,7");
  command->add_option("--cpuset-mems", resources.cpuset_mems, "0-1");
  command->add_option("--memory", resources.memory_limit, "bytes");
  command->add_option("--memory-reservation", resources.memory_reservation, "bytes");
  command->add_option("--memory-swap", resources.memory_swap, "bytes, with memory; -1: no limit");
  command->add_option("--pids-limit", resources.pids_limit, "tasks; -1: no limit");
  command->add_option("container-id", options->id)->required();
  command->callback([&call, options] {
    RunOciAction(call,
                 [&] { return Update(call, options->id, options->file, options->resources); });
  });
}

}  // namespace cordon::cli
