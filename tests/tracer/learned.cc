#include "tests/tracer/learned.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "common/text.h"
#include "model/errno_name.h"

namespace cordon::testing {
namespace {

std::string ResultNames(const ResultCounts& results) {
  std::vector<std::string> names;
  for (const auto& [result, count] : results) {
    names.push_back(result == 0 ? "ok" : ErrnoName(result));
  }
  return Join(names, "+");
}

std::string AccessNames(FileAccessSet access) {
  std::vector<std::string> names;
  for (const FileAccess one : access.List()) {
    names.emplace_back(Name(one));
  }
  return Join(names, " ");
}

void AddSyscalls(const Recording& recording, std::set<std::string>& lines) {
  for (const auto& [call, item] : recording.syscalls) {
    const std::string label = fmt::format("{} {}", SyscallLabel(call), Name(call.arch));
    lines.insert(fmt::format("call {} {} by {}", label, ResultNames(item.results),
                             fmt::join(item.seen.executables, ",")));
    for (const auto& [tuple, observation] : item.tuples) {
      lines.insert(fmt::format("tuple {} {:#x} {}", label, fmt::join(tuple, ","),
                               ResultNames(observation.results)));
    }
  }
}

}  // namespace

Learned Learn(std::vector<std::string> command, TraceTier tier) {
  return Learn(std::move(command), tier, {});
}

Learned Learn(std::vector<std::string> command, TraceTier tier, RecordOptions options) {
  command.front() = fmt::format("{}/{}", CORDON_VICTIMS, command.front());
  options.command = std::move(command);
  options.tier = tier;
  options.timeout = std::chrono::seconds(100);
  Expected<LearningRun> run = RecordRun(options);
  if (!run.has_value()) {
    ADD_FAILURE() << run.error().message;
    return {};
  }
  EXPECT_FALSE(run->ended_early);
  Learned learned{.run = *std::move(run), .exit_status = 0};
  learned.exit_status = ExitStatus(learned.run.outcome);
  return learned;
}

std::set<std::string> Behaviours(const Recording& recording) {
  std::set<std::string> lines;
  AddSyscalls(recording, lines);
  for (const auto& [key, file] : recording.files) {
    lines.insert(fmt::format("file {} {} {} ioctls {:#x} failed {}", key.path, Name(key.file_class),
                             AccessNames(file.access), fmt::join(file.ioctls, ","),
                             ResultNames(file.failures)));
  }
  for (const auto& [key, socket] : recording.sockets) {
    // The kernel chooses from ip_local_port_range, by default from here on: another port each time.
    constexpr int kFirstEphemeral = 32768;
    const std::string port =
        key.port >= kFirstEphemeral ? "ephemeral" : fmt::format("{}", key.port);
    lines.insert(fmt::format("socket {}/{}/{} {} {}:{} {}", key.family, key.type, key.protocol,
                             static_cast<int>(key.operation), key.address, port,
                             ResultNames(socket.results)));
  }
  for (const auto& [key, process] : recording.processes) {
    lines.insert(fmt::format("program {} from '{}' by {} uids {} gids {}", key.executable,
                             key.parent, fmt::join(process.interpreters, ","),
                             fmt::join(process.uids, ","), fmt::join(process.gids, ",")));
  }
  for (const auto& [name, use] : recording.capabilities) {
    lines.insert(fmt::format("capability {} {}", name, fmt::join(use.reasons, "; ")));
  }
  for (const auto& [id, run] : recording.runs) {
    for (const Limitation& limitation : run.limitations) {
      lines.insert(fmt::format("limitation {}", limitation.kind));
    }
  }
  return lines;
}

std::set<std::string> Calls(const Recording& recording) {
  std::set<std::string> lines;
  for (const auto& [call, item] : recording.syscalls) {
    const std::string label = fmt::format("{} {}", SyscallLabel(call), Name(call.arch));
    if (item.results.empty()) {
      lines.insert(label + " -");
    }
    for (const auto& [result, count] : item.results) {
      lines.insert(fmt::format("{} {}", label, result == 0 ? "ok" : ErrnoName(result)));
    }
  }
  return lines;
}

std::string AccessOf(const Recording& recording, const std::string& path) {
  for (const auto& [key, file] : recording.files) {
    if (key.path == path && !file.access.empty()) {
      return AccessNames(file.access);
    }
  }
  return "none";
}

std::set<int> FailuresOf(const Recording& recording, const std::string& path) {
  std::set<int> failures;
  for (const auto& [key, file] : recording.files) {
    if (key.path == path) {
      for (const auto& [sys_errno, count] : file.failures) {
        failures.insert(sys_errno);
      }
    }
  }
  return failures;
}

}  // namespace cordon::testing
