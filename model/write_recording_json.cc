#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "common/text.h"
#include "model/errno_name.h"
#include "model/recording_json.h"
#include "model/recording_names.h"
#include "model/socket_names.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

/// The executables of all items, each written once; items refer to them by index.
class ExecutableTable {
 public:
  explicit ExecutableTable(const Recording& recording) {
    const auto add = [&](const Seen& seen) {
      all_.insert(seen.executables.begin(), seen.executables.end());
    };
    for (const auto& [key, item] : recording.syscalls) {
      add(item.seen);
    }
    for (const auto& [key, item] : recording.files) {
      add(item.seen);
    }
    for (const auto& [key, item] : recording.sockets) {
      add(item.seen);
    }
    for (const auto& [key, item] : recording.processes) {
      add(item.seen);
    }
    std::size_t next = 0;
    for (const std::string& path : all_) {
      index_.emplace(path, next++);
    }
  }

  Json All() const {
    Json list = Json::array();
    for (const std::string& path : all_) {
      list.push_back(ToUtf8(path));
    }
    return list;
  }

  Json Indexes(const std::set<std::string>& paths) const {
    Json list = Json::array();
    for (const std::string& path : paths) {
      list.push_back(index_.at(path));
    }
    return list;
  }

 private:
  std::set<std::string> all_;
  std::map<std::string, std::size_t> index_;
};

Json WritePhases(PhaseSet phases) {
  Json list = Json::array();
  if (phases.Has(Phase::kStart)) {
    list.push_back("start");
  }
  if (phases.Has(Phase::kServe)) {
    list.push_back("serve");
  }
  return list;
}

Json WriteResults(const ResultCounts& results) {
  Json object = Json::object();
  for (const auto& [result, count] : results) {
    object[result == 0 ? "ok" : ErrnoName(result)] = count;
  }
  return object;
}

void WriteSeen(Json& object, const Seen& seen, const ExecutableTable& executables) {
  object["count"] = seen.count;
  object["first_ms"] = seen.first_ms;
  object["last_ms"] = seen.last_ms;
  object["executables"] = executables.Indexes(seen.executables);
  object["phases"] = WritePhases(seen.phases);
}

Json WriteSyscall(Syscall call, const SyscallObservation& observation,
                  const ExecutableTable& executables) {
  Json object;
  object["arch"] = Name(call.arch);
  object["nr"] = call.number;
  if (const auto name = SyscallName(call)) {
    object["name"] = *name;
  }
  WriteSeen(object, observation.seen, executables);
  object["results"] = WriteResults(observation.results);
  const auto scalars = RecordedScalars(call.arch, SyscallName(call).value_or(""));
  Json arguments = Json::array();
  for (const auto& [tuple, item] : observation.tuples) {
    Json values = Json::object();
    for (std::size_t i = 0; i < std::min(tuple.size(), scalars.size()); ++i) {
      values[RecordingKey(scalars[i])] = tuple[i];
    }
    arguments.push_back({{"values", std::move(values)},
                         {"count", item.count},
                         {"results", WriteResults(item.results)},
                         {"phases", WritePhases(item.phases)}});
  }
  object["arguments"] = std::move(arguments);
  if (observation.overflow) {
    Json ranges = Json::object();
    for (std::size_t i = 0; i < std::min(observation.overflow->size(), scalars.size()); ++i) {
      const ScalarRange& range = (*observation.overflow)[i];
      ranges[RecordingKey(scalars[i])] = {
          {"or", range.bits_or}, {"min", range.minimum}, {"max", range.maximum}};
    }
    object["arguments_overflow"] = std::move(ranges);
  }
  return object;
}

Json WriteFile(const FileKey& key, const FileObservation& observation,
               const ExecutableTable& executables) {
  Json object;
  object["path"] = ToUtf8(key.path);
  object["class"] = Name(key.file_class);
  Json access = Json::array();
  for (const FileAccess one : observation.access.List()) {
    access.push_back(Name(one));
  }
  object["access"] = std::move(access);
  WriteSeen(object, observation.seen, executables);
  if (!observation.ioctls.empty()) {
    object["ioctls"] = observation.ioctls;
  }
  if (!observation.failures.empty()) {
    object["failures"] = WriteResults(observation.failures);
  }
  return object;
}

Json WriteSocket(const SocketKey& key, const SocketObservation& observation,
                 const ExecutableTable& executables) {
  Json object;
  const auto family = SocketFamilyName(key.family);
  const auto type = SocketTypeName(key.type);
  object["family"] = family ? Json(*family) : Json(key.family);
  object["type"] = type ? Json(*type) : Json(key.type);
  object["protocol"] = key.protocol;
  object["operation"] = Name(key.operation);
  if (!key.address.empty()) {
    object["address"] = ToUtf8(key.address);
  }
  if (key.port != 0) {
    object["port"] = key.port;
  }
  WriteSeen(object, observation.seen, executables);
  object["results"] = WriteResults(observation.results);
  return object;
}

Json WriteProcess(const ProcessKey& key, const ProcessObservation& observation,
                  const ExecutableTable& executables) {
  Json object;
  object["executable"] = ToUtf8(key.executable);
  object["parent"] = ToUtf8(key.parent);
  WriteSeen(object, observation.seen, executables);
  Json interpreters = Json::array();
  for (const std::string& path : observation.interpreters) {
    interpreters.push_back(ToUtf8(path));
  }
  object["interpreters"] = std::move(interpreters);
  object["uids"] = observation.uids;
  object["gids"] = observation.gids;
  return object;
}

Json WriteOutcome(const std::optional<Outcome>& outcome) {
  if (!outcome) {
    return {{"state", "running"}};
  }
  if (const auto* exited = std::get_if<Exited>(&*outcome)) {
    return {{"state", "exited"}, {"code", exited->code}};
  }
  if (const auto* signaled = std::get_if<Signaled>(&*outcome)) {
    return {{"state", "signaled"}, {"signal", signaled->signal}};
  }
  return {{"state", "not-executed"},
          {"errno", ErrnoName(std::get<NotExecuted>(*outcome).sys_errno)}};
}

Json WriteRun(const std::string& id, const Run& run) {
  Json object;
  object["id"] = id;
  Json command = Json::array();
  for (const std::string& argument : run.command) {
    command.push_back(ToUtf8(argument));
  }
  object["command"] = std::move(command);
  object["host"] = {
      {"kernel", run.host.kernel},
      {"architecture", run.host.architecture},
      {"libc", run.host.libc},
      {"effective_uid", run.host.effective_uid},
      {"effective_capabilities", fmt::format("{:#018x}", run.host.effective_capabilities)},
      {"tracer_filtered", run.host.tracer_filtered}};
  object["started"] = run.started_unix_s;
  object["duration_ms"] = run.duration_ms;
  object["tier"] = run.tier;
  if (run.tier == "fast") {
    object["counts"] = "lower-bounds";  // stubs make known calls without a stop
  }
  if (!run.further.empty()) {
    object["further"] = ToUtf8(run.further);
  }
  if (!run.serving_when.empty()) {
    object["serving_when"] = run.serving_when;
  }
  if (run.serving_ms) {
    object["serving_ms"] = *run.serving_ms;
  }
  if (!run.withheld.empty()) {
    object["withheld"] = run.withheld;
  }
  if (!run.binds.empty()) {
    Json binds = Json::object();
    for (const auto& [inside, outside] : run.binds) {
      binds[ToUtf8(inside)] = ToUtf8(outside);
    }
    object["binds"] = std::move(binds);
  }
  object["outcome"] = WriteOutcome(run.outcome);
  Json limitations = Json::array();
  // In the order in which they are read again: an escaped byte sorts elsewhere.
  std::set<Limitation> readable;
  for (const Limitation& limitation : run.limitations) {
    readable.insert({limitation.kind, ToUtf8(limitation.detail)});
  }
  for (const Limitation& limitation : readable) {
    limitations.push_back({{"kind", limitation.kind}, {"detail", limitation.detail}});
  }
  object["limitations"] = std::move(limitations);
  if (!run.discovery.empty()) {
    Json points = Json::array();
    for (const DiscoveryPoint& point : run.discovery) {
      points.push_back({point.ms, point.items});
    }
    object["discovery"] = std::move(points);
  }
  if (run.coverage != Coverage{}) {
    object["coverage"] = {{"calls", run.coverage.calls},
                          {"calls_once", run.coverage.calls_once},
                          {"uses", run.coverage.uses},
                          {"files_once", run.coverage.files_once}};
  }
  return object;
}

/// Adds `"name": [` with one item a line, so that a recording can be compared with diff(1).
void AppendList(std::string& out, std::string_view name, const std::vector<Json>& items) {
  fmt::format_to(std::back_inserter(out), ",\n  \"{}\": [", name);
  for (std::size_t i = 0; i < items.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}\n    {}", i == 0 ? "" : ",", items[i].dump());
  }
  out += items.empty() ? "]" : "\n  ]";
}

template <typename Map, typename Write>
void AppendMap(std::string& out, std::string_view name, const Map& map, Write write) {
  std::vector<Json> items;
  items.reserve(map.size());
  for (const auto& [key, value] : map) {
    items.push_back(write(key, value));
  }
  AppendList(out, name, items);
}

}  // namespace

std::string WriteRecording(const Recording& recording) {
  const ExecutableTable executables(recording);
  std::string out = fmt::format("{{\n  \"schema_version\": {}", kRecordingSchemaVersion);
  AppendMap(out, "runs", recording.runs, WriteRun);
  fmt::format_to(std::back_inserter(out), ",\n  \"executables\": {}", executables.All().dump());
  AppendMap(out, "syscalls", recording.syscalls,
            [&](const Syscall& call, const SyscallObservation& item) {
              return WriteSyscall(call, item, executables);
            });
  AppendMap(out, "files", recording.files, [&](const FileKey& key, const FileObservation& item) {
    return WriteFile(key, item, executables);
  });
  AppendMap(out, "sockets", recording.sockets,
            [&](const SocketKey& key, const SocketObservation& item) {
              return WriteSocket(key, item, executables);
            });
  AppendMap(out, "processes", recording.processes,
            [&](const ProcessKey& key, const ProcessObservation& item) {
              return WriteProcess(key, item, executables);
            });
  AppendMap(out, "capabilities", recording.capabilities,
            [](const std::string& name, const CapabilityUse& use) {
              Json object;
              object["name"] = name;
              object["derived"] = true;
              object["reasons"] = use.reasons;
              object["phases"] = WritePhases(use.phases);
              return object;
            });
  const Json resources{{"peak_memory_bytes", recording.resources.peak_memory_bytes},
                       {"peak_tasks", recording.resources.peak_tasks},
                       {"cpu_time_ms", recording.resources.cpu_time_ms},
                       {"open_files", recording.resources.open_files}};
  fmt::format_to(std::back_inserter(out), ",\n  \"resources\": {}\n}}\n", resources.dump());
  return out;
}

}  // namespace cordon
