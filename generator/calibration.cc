#include "generator/calibration.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

namespace cordon {
namespace {

/// What the container itself makes.
constexpr std::array kContainerCalls = {"execve", "exit_group"};

/// Rounds of narrowing before a runtime that sometimes makes another call is given up.
constexpr int kRounds = 4;

SyscallNames Without(const SyscallNames& names, std::span<const std::string> left_out) {
  SyscallNames rest = names;
  for (const std::string& name : left_out) {
    rest.erase(name);
  }
  return rest;
}

class Narrowing {
 public:
  Narrowing(const CalibrationOptions& options, const ContainerStarts& starts)
      : options_(options), starts_(starts) {}

  Expected<Calibration> Run();

 private:
  Expected<bool> Starts(SyscallNames allowed);
  Status CheckControls();
  /// Adds those of `group` to what is needed.
  Status Search(std::span<const std::string> group);
  Expected<bool> Confirm();

  const CalibrationOptions& options_;
  const ContainerStarts& starts_;
  Calibration found_;
};

Expected<bool> Narrowing::Starts(SyscallNames allowed) {
  ++found_.experiments;
  allowed.insert(options_.assumed.begin(), options_.assumed.end());
  return starts_(allowed);
}

Status Narrowing::CheckControls() {
  ASSIGN_OR_RETURN(const bool with_everything, Starts(options_.candidates));
  if (!with_everything) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "a container does not start although its filter allows every call: see "
                          "that the runtime starts one without a filter first"));
  }
  SyscallNames without_execve = options_.candidates;
  without_execve.erase("execve");
  ++found_.experiments;
  ASSIGN_OR_RETURN(const bool unfiltered, starts_(without_execve));
  if (unfiltered) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          "a container starts although its filter refuses execve: the runtime "
                          "does not put the filter in force"));
  }
  return {};
}

Status Narrowing::Search(std::span<const std::string> group) {
  if (group.empty()) {
    return {};
  }
  ASSIGN_OR_RETURN(const bool dispensable, Starts(Without(options_.candidates, group)));
  if (dispensable) {
    return {};
  }
  if (group.size() == 1) {
    found_.needed.insert(group.front());
    return {};
  }
  RETURN_IF_ERROR(Search(group.first(group.size() / 2)));
  return Search(group.subspan(group.size() / 2));
}

Expected<bool> Narrowing::Confirm() {
  for (unsigned i = 0; i < options_.confirmations; ++i) {
    SyscallNames allowed = found_.needed;
    allowed.insert(kContainerCalls.begin(), kContainerCalls.end());
    ASSIGN_OR_RETURN(const bool started, Starts(std::move(allowed)));
    if (!started) {
      return false;
    }
  }
  return true;
}

Expected<Calibration> Narrowing::Run() {
  RETURN_IF_ERROR(CheckControls());
  found_.needed.insert("execve");
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::string> likely;
    std::vector<std::string> unlikely;
    for (const std::string& name : options_.candidates) {
      const bool settled = found_.needed.contains(name) || options_.assumed.contains(name) ||
                           std::ranges::find(kContainerCalls, name) != kContainerCalls.end();
      if (!settled) {
        (options_.likely.contains(name) ? likely : unlikely).push_back(name);
      }
    }
    RETURN_IF_ERROR(Search(unlikely));
    // Most of them are needed, so that halving would only cost.
    for (const std::string& name : likely) {
      RETURN_IF_ERROR(Search({&name, 1}));
    }
    ASSIGN_OR_RETURN(const bool confirmed, Confirm());
    if (confirmed) {
      return std::move(found_);
    }
  }
  return Fail(SystemError(
      EAGAIN,
      "the runtime makes other calls each time: no set of calls was found that starts a "
      "container every time"));
}

}  // namespace

Expected<Calibration> Calibrate(const CalibrationOptions& options, const ContainerStarts& starts) {
  return Narrowing(options, starts).Run();
}

std::string WriteBaseSet(const std::string& runtime, const std::string& version,
                         const std::vector<RuntimeCalls>& groups) {
  nlohmann::ordered_json document;
  document["base_set_version"] = 1;
  document["runtime"] = runtime;
  document["version"] = version;
  document["groups"] = nlohmann::ordered_json::array();
  for (const RuntimeCalls& calls : groups) {
    nlohmann::ordered_json group;
    group["reason"] = calls.reason;
    group["versions"] = calls.versions;
    group["no_new_privileges"] = NoNewPrivilegesName(calls.no_new_privileges);
    if (calls.at_any_time) {
      group["at_any_time"] = true;
    }
    group["names"] = calls.names;
    document["groups"].push_back(std::move(group));
  }
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace cordon
