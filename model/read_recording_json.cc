#include <fmt/format.h>

#include "common/text.h"
#include "model/errno_name.h"
#include "model/json_cursor.h"
#include "model/recording_json.h"
#include "model/recording_names.h"
#include "model/socket_names.h"

namespace cordon {
namespace {

constexpr std::uint64_t kMaxCount = std::numeric_limits<std::uint64_t>::max();

Expected<std::uint64_t> ReadOptionalUnsigned(const JsonCursor& object, std::string_view name) {
  const auto member = object.Find(name);
  return member ? member->Unsigned() : Expected<std::uint64_t>(0);
}

Expected<std::string> ReadOptionalString(const JsonCursor& object, std::string_view name) {
  const auto member = object.Find(name);
  return member ? member->String() : Expected<std::string>(std::string());
}

Expected<PhaseSet> ReadPhases(const JsonCursor& object) {
  PhaseSet phases;
  const auto member = object.Find("phases");
  if (!member) {
    return phases;
  }
  ASSIGN_OR_RETURN(const auto elements, member->Elements());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const std::string name, element.String());
    if (name != "start" && name != "serve") {
      return Fail(element.Mistake("expected \"start\" or \"serve\""));
    }
    phases.Add(name == "start" ? Phase::kStart : Phase::kServe);
  }
  return phases;
}

Expected<ResultCounts> ReadResults(const JsonCursor& object, std::string_view name) {
  ResultCounts results;
  const auto member = object.Find(name);
  if (!member) {
    return results;
  }
  ASSIGN_OR_RETURN(const auto members, member->Members());
  for (const auto& [key, value] : members) {
    const auto result = key == "ok" ? std::optional(0) : ErrnoFromName(key);
    if (!result) {
      return Fail(value.Mistake("is neither \"ok\" nor the name of an errno"));
    }
    ASSIGN_OR_RETURN(results[*result], value.Unsigned(kMaxCount));
  }
  return results;
}

Expected<Seen> ReadSeen(const JsonCursor& object, const std::vector<std::string>& executables) {
  Seen seen;
  ASSIGN_OR_RETURN(const JsonCursor count, object.At("count"));
  ASSIGN_OR_RETURN(seen.count, count.Unsigned());
  ASSIGN_OR_RETURN(seen.first_ms, ReadOptionalUnsigned(object, "first_ms"));
  ASSIGN_OR_RETURN(seen.last_ms, ReadOptionalUnsigned(object, "last_ms"));
  if (const auto member = object.Find("executables")) {
    ASSIGN_OR_RETURN(const auto elements, member->Elements());
    for (const JsonCursor& element : elements) {
      ASSIGN_OR_RETURN(const std::uint64_t index, element.Unsigned());
      if (index >= executables.size()) {
        return Fail(
            element.Mistake(fmt::format("there are only {} executables", executables.size())));
      }
      seen.executables.insert(executables[index]);
    }
  }
  ASSIGN_OR_RETURN(seen.phases, ReadPhases(object));
  return seen;
}

/// Which position of a tuple `key` names, or nothing.
std::optional<std::size_t> ScalarPosition(std::span<const ScalarArgument> scalars,
                                          std::string_view key) {
  for (std::size_t i = 0; i < scalars.size(); ++i) {
    if (RecordingKey(scalars[i]) == key) {
      return i;
    }
  }
  return std::nullopt;
}

/// Calls `read` with the position and place of each member of `values`; each scalar of the call
/// must be named once.
template <typename Read>
Status ReadScalars(const JsonCursor& values, std::span<const ScalarArgument> scalars, Read read) {
  ASSIGN_OR_RETURN(const auto members, values.Members());
  for (const auto& [key, value] : members) {
    const auto position = ScalarPosition(scalars, key);
    if (!position) {
      return Fail(value.Mistake("is not an argument that is recorded of this call"));
    }
    RETURN_IF_ERROR(read(*position, value));
  }
  if (members.size() != scalars.size()) {
    return Fail(values.Mistake(fmt::format("expected {} values", scalars.size())));
  }
  return {};
}

Status ReadArguments(const JsonCursor& object, std::span<const ScalarArgument> scalars,
                     SyscallObservation& into) {
  if (const auto member = object.Find("arguments")) {
    ASSIGN_OR_RETURN(const auto elements, member->Elements());
    if (elements.size() > kMaxArgumentTuples) {
      return Fail(member->Mistake(fmt::format("more than {} argument tuples", kMaxArgumentTuples)));
    }
    for (const JsonCursor& element : elements) {
      ASSIGN_OR_RETURN(const JsonCursor values, element.At("values"));
      ArgumentTuple tuple(scalars.size());
      RETURN_IF_ERROR(ReadScalars(values, scalars,
                                  [&](std::size_t position, const JsonCursor& value) -> Status {
                                    ASSIGN_OR_RETURN(tuple[position], value.Unsigned());
                                    return {};
                                  }));
      if (tuple.empty()) {
        return Fail(values.Mistake("no arguments are recorded of this call"));
      }
      TupleObservation& item = into.tuples[tuple];
      ASSIGN_OR_RETURN(item.count, ReadOptionalUnsigned(element, "count"));
      ASSIGN_OR_RETURN(item.results, ReadResults(element, "results"));
      ASSIGN_OR_RETURN(item.phases, ReadPhases(element));
    }
  }
  if (const auto member = object.Find("arguments_overflow")) {
    std::vector<ScalarRange> ranges(scalars.size());
    RETURN_IF_ERROR(
        ReadScalars(*member, scalars, [&](std::size_t position, const JsonCursor& value) -> Status {
          ASSIGN_OR_RETURN(const JsonCursor bits, value.At("or"));
          ASSIGN_OR_RETURN(ranges[position].bits_or, bits.Unsigned());
          ASSIGN_OR_RETURN(const JsonCursor minimum, value.At("min"));
          ASSIGN_OR_RETURN(ranges[position].minimum, minimum.Unsigned());
          ASSIGN_OR_RETURN(const JsonCursor maximum, value.At("max"));
          ASSIGN_OR_RETURN(ranges[position].maximum, maximum.Unsigned());
          return {};
        }));
    if (!into.tuples.empty()) {
      return Fail(member->Mistake("stands beside argument tuples: a call has one or the other"));
    }
    into.overflow = std::move(ranges);
  }
  return {};
}

Status ReadSyscall(const JsonCursor& object, const std::vector<std::string>& executables,
                   Recording& into) {
  ASSIGN_OR_RETURN(const JsonCursor arch_place, object.At("arch"));
  ASSIGN_OR_RETURN(const std::string arch_name, arch_place.String());
  const auto arch = ArchitectureFromName(arch_name);
  if (!arch) {
    return Fail(arch_place.Mistake("is not an architecture"));
  }
  ASSIGN_OR_RETURN(const JsonCursor nr, object.At("nr"));
  ASSIGN_OR_RETURN(const std::int64_t number, nr.Integer(std::numeric_limits<std::int32_t>::min(),
                                                         std::numeric_limits<std::int32_t>::max()));
  const Syscall call{.arch = *arch, .number = static_cast<std::int32_t>(number)};
  if (const auto name = object.Find("name")) {
    // The number is what was recorded; a name that contradicts it means a damaged or foreign
    // document.
    ASSIGN_OR_RETURN(const std::string text, name->String());
    if (const auto known = SyscallName(call); known && *known != text) {
      return Fail(name->Mistake(fmt::format("number {} of {} is {}", number, arch_name, *known)));
    }
  }
  SyscallObservation observation;
  ASSIGN_OR_RETURN(observation.seen, ReadSeen(object, executables));
  ASSIGN_OR_RETURN(observation.results, ReadResults(object, "results"));
  RETURN_IF_ERROR(ReadArguments(object, RecordedScalars(call.arch, SyscallName(call).value_or("")),
                                observation));
  into.syscalls[call].Merge(observation);
  return {};
}

Status ReadFileItem(const JsonCursor& object, const std::vector<std::string>& executables,
                    Recording& into) {
  FileKey key;
  ASSIGN_OR_RETURN(const JsonCursor path, object.At("path"));
  ASSIGN_OR_RETURN(key.path, path.String());
  if (key.path.empty() || key.path.find('\0') != std::string::npos) {
    return Fail(path.Mistake("is not a path"));
  }
  ASSIGN_OR_RETURN(const JsonCursor class_place, object.At("class"));
  ASSIGN_OR_RETURN(const std::string class_name, class_place.String());
  const auto file_class = FileClassFromName(class_name);
  if (!file_class) {
    return Fail(class_place.Mistake("is not a class of files"));
  }
  key.file_class = *file_class;
  FileObservation observation;
  ASSIGN_OR_RETURN(const JsonCursor access, object.At("access"));
  ASSIGN_OR_RETURN(const auto elements, access.Elements());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const std::string name, element.String());
    const auto one = FileAccessFromName(name);
    if (!one) {
      return Fail(element.Mistake("is not a kind of access"));
    }
    observation.access.Add(*one);
  }
  ASSIGN_OR_RETURN(observation.seen, ReadSeen(object, executables));
  if (const auto ioctls = object.Find("ioctls")) {
    ASSIGN_OR_RETURN(const auto requests, ioctls->Elements());
    for (const JsonCursor& request : requests) {
      ASSIGN_OR_RETURN(const std::uint64_t number,
                       request.Unsigned(std::numeric_limits<std::uint32_t>::max()));
      observation.ioctls.insert(static_cast<std::uint32_t>(number));
    }
  }
  ASSIGN_OR_RETURN(observation.failures, ReadResults(object, "failures"));
  into.files[std::move(key)].Merge(observation);
  return {};
}

/// A name of the table, or a plain number for what has none.
Expected<int> ReadNameOrNumber(const JsonCursor& object, std::string_view name,
                               std::optional<int> (*from_name)(std::string_view)) {
  ASSIGN_OR_RETURN(const JsonCursor place, object.At(name));
  if (place.value().is_string()) {
    ASSIGN_OR_RETURN(const std::string text, place.String());
    const auto number = from_name(text);
    if (!number) {
      return Fail(place.Mistake("is not known"));
    }
    return *number;
  }
  ASSIGN_OR_RETURN(const std::int64_t number, place.Integer(0, std::numeric_limits<int>::max()));
  return static_cast<int>(number);
}

Status ReadSocket(const JsonCursor& object, const std::vector<std::string>& executables,
                  Recording& into) {
  SocketKey key;
  ASSIGN_OR_RETURN(key.family, ReadNameOrNumber(object, "family", SocketFamilyFromName));
  ASSIGN_OR_RETURN(key.type, ReadNameOrNumber(object, "type", SocketTypeFromName));
  ASSIGN_OR_RETURN(const JsonCursor protocol, object.At("protocol"));
  ASSIGN_OR_RETURN(const std::int64_t number, protocol.Integer(std::numeric_limits<int>::min(),
                                                               std::numeric_limits<int>::max()));
  key.protocol = static_cast<int>(number);
  ASSIGN_OR_RETURN(const JsonCursor operation, object.At("operation"));
  ASSIGN_OR_RETURN(const std::string operation_name, operation.String());
  const auto known = SocketOperationFromName(operation_name);
  if (!known) {
    return Fail(operation.Mistake("is not an operation on a socket"));
  }
  key.operation = *known;
  ASSIGN_OR_RETURN(key.address, ReadOptionalString(object, "address"));
  if (const auto port = object.Find("port")) {
    ASSIGN_OR_RETURN(const std::uint64_t value,
                     port->Unsigned(std::numeric_limits<std::uint16_t>::max()));
    key.port = static_cast<std::uint16_t>(value);
  }
  SocketObservation observation;
  ASSIGN_OR_RETURN(observation.seen, ReadSeen(object, executables));
  ASSIGN_OR_RETURN(observation.results, ReadResults(object, "results"));
  into.sockets[std::move(key)].Merge(observation);
  return {};
}

Status ReadIds(const JsonCursor& object, std::string_view name, std::set<std::uint32_t>& into) {
  const auto member = object.Find(name);
  if (!member) {
    return {};
  }
  ASSIGN_OR_RETURN(const auto elements, member->Elements());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const std::uint64_t id,
                     element.Unsigned(std::numeric_limits<std::uint32_t>::max()));
    into.insert(static_cast<std::uint32_t>(id));
  }
  return {};
}

Status ReadProcess(const JsonCursor& object, const std::vector<std::string>& executables,
                   Recording& into) {
  ProcessKey key;
  ASSIGN_OR_RETURN(const JsonCursor executable, object.At("executable"));
  ASSIGN_OR_RETURN(key.executable, executable.String());
  ASSIGN_OR_RETURN(key.parent, ReadOptionalString(object, "parent"));
  ProcessObservation observation;
  ASSIGN_OR_RETURN(observation.seen, ReadSeen(object, executables));
  if (const auto interpreters = object.Find("interpreters")) {
    ASSIGN_OR_RETURN(const std::vector<std::string> paths, interpreters->Strings());
    observation.interpreters.insert(paths.begin(), paths.end());
  }
  RETURN_IF_ERROR(ReadIds(object, "uids", observation.uids));
  RETURN_IF_ERROR(ReadIds(object, "gids", observation.gids));
  into.processes[std::move(key)].Merge(observation);
  return {};
}

Expected<std::optional<Outcome>> ReadOutcome(const JsonCursor& place) {
  ASSIGN_OR_RETURN(const JsonCursor state_place, place.At("state"));
  ASSIGN_OR_RETURN(const std::string state, state_place.String());
  if (state == "running") {
    return std::optional<Outcome>();
  }
  if (state == "exited") {
    ASSIGN_OR_RETURN(const JsonCursor code, place.At("code"));
    ASSIGN_OR_RETURN(const std::uint64_t value, code.Unsigned(255));
    return std::optional<Outcome>(Exited{static_cast<int>(value)});
  }
  if (state == "signaled") {
    ASSIGN_OR_RETURN(const JsonCursor signal, place.At("signal"));
    ASSIGN_OR_RETURN(const std::uint64_t value, signal.Unsigned(127));
    return std::optional<Outcome>(Signaled{static_cast<int>(value)});
  }
  if (state == "not-executed") {
    ASSIGN_OR_RETURN(const JsonCursor error, place.At("errno"));
    ASSIGN_OR_RETURN(const std::string name, error.String());
    if (const auto number = ErrnoFromName(name)) {
      return std::optional<Outcome>(NotExecuted{*number});
    }
    return Fail(error.Mistake("is not the name of an errno"));
  }
  return Fail(
      state_place.Mistake("expected \"running\", \"exited\", \"signaled\" or \"not-executed\""));
}

Expected<HostFacts> ReadHost(const JsonCursor& place) {
  HostFacts host;
  ASSIGN_OR_RETURN(host.kernel, ReadOptionalString(place, "kernel"));
  ASSIGN_OR_RETURN(host.architecture, ReadOptionalString(place, "architecture"));
  ASSIGN_OR_RETURN(host.libc, ReadOptionalString(place, "libc"));
  ASSIGN_OR_RETURN(const std::uint64_t uid, ReadOptionalUnsigned(place, "effective_uid"));
  host.effective_uid = static_cast<std::uint32_t>(uid);
  if (const auto capabilities = place.Find("effective_capabilities")) {
    ASSIGN_OR_RETURN(const std::string text, capabilities->String());
    const auto value = ParseUnsigned(text);
    if (!value) {
      return Fail(capabilities->Mistake("expected a hexadecimal number in a string"));
    }
    host.effective_capabilities = *value;
  }
  if (const auto filtered = place.Find("tracer_filtered")) {
    ASSIGN_OR_RETURN(host.tracer_filtered, filtered->Boolean());
  }
  return host;
}

Status ReadDiscovery(const JsonCursor& list, std::vector<DiscoveryPoint>& points) {
  ASSIGN_OR_RETURN(const auto elements, list.Elements());
  if (elements.size() > kMaxDiscoveryPoints) {
    return Fail(list.Mistake(fmt::format("more than {} points", kMaxDiscoveryPoints)));
  }
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const auto pair, element.Elements());
    if (pair.size() != 2) {
      return Fail(element.Mistake("expected [milliseconds, items]"));
    }
    DiscoveryPoint point;
    ASSIGN_OR_RETURN(point.ms, pair[0].Unsigned());
    ASSIGN_OR_RETURN(point.items, pair[1].Unsigned());
    if (!points.empty() && (point.ms < points.back().ms || point.items < points.back().items)) {
      return Fail(element.Mistake("is before the point that precedes it"));
    }
    points.push_back(point);
  }
  return {};
}

Expected<Coverage> ReadCoverage(const JsonCursor& place) {
  Coverage coverage;
  ASSIGN_OR_RETURN(coverage.calls, ReadOptionalUnsigned(place, "calls"));
  ASSIGN_OR_RETURN(coverage.calls_once, ReadOptionalUnsigned(place, "calls_once"));
  ASSIGN_OR_RETURN(coverage.uses, ReadOptionalUnsigned(place, "uses"));
  ASSIGN_OR_RETURN(coverage.files_once, ReadOptionalUnsigned(place, "files_once"));
  return coverage;
}

Status ReadRun(const JsonCursor& object, Recording& into) {
  ASSIGN_OR_RETURN(const JsonCursor id_place, object.At("id"));
  ASSIGN_OR_RETURN(const std::string id, id_place.String());
  if (id.size() != 32 || id.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Fail(id_place.Mistake("expected 32 hexadecimal digits"));
  }
  Run run;
  ASSIGN_OR_RETURN(const JsonCursor command, object.At("command"));
  ASSIGN_OR_RETURN(run.command, command.Strings());
  if (const auto host = object.Find("host")) {
    ASSIGN_OR_RETURN(run.host, ReadHost(*host));
  }
  ASSIGN_OR_RETURN(const std::uint64_t started, ReadOptionalUnsigned(object, "started"));
  run.started_unix_s = static_cast<std::int64_t>(started);
  ASSIGN_OR_RETURN(run.duration_ms, ReadOptionalUnsigned(object, "duration_ms"));
  ASSIGN_OR_RETURN(run.tier, ReadOptionalString(object, "tier"));
  ASSIGN_OR_RETURN(run.further, ReadOptionalString(object, "further"));
  ASSIGN_OR_RETURN(run.serving_when, ReadOptionalString(object, "serving_when"));
  if (const auto serving = object.Find("serving_ms")) {
    ASSIGN_OR_RETURN(run.serving_ms, serving->Unsigned());
  }
  if (const auto withheld = object.Find("withheld")) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, withheld->Strings());
    run.withheld.insert(names.begin(), names.end());
  }
  if (const auto binds = object.Find("binds")) {
    ASSIGN_OR_RETURN(const auto members, binds->Members());
    for (const auto& [inside, outside] : members) {
      ASSIGN_OR_RETURN(run.binds[inside], outside.String());
    }
  }
  if (const auto discovery = object.Find("discovery")) {
    RETURN_IF_ERROR(ReadDiscovery(*discovery, run.discovery));
  }
  if (const auto coverage = object.Find("coverage")) {
    ASSIGN_OR_RETURN(run.coverage, ReadCoverage(*coverage));
  }
  ASSIGN_OR_RETURN(const JsonCursor outcome, object.At("outcome"));
  ASSIGN_OR_RETURN(run.outcome, ReadOutcome(outcome));
  ASSIGN_OR_RETURN(const JsonCursor limitations, object.At("limitations"));
  ASSIGN_OR_RETURN(const auto elements, limitations.Elements());
  for (const JsonCursor& element : elements) {
    Limitation limitation;
    ASSIGN_OR_RETURN(const JsonCursor kind, element.At("kind"));
    ASSIGN_OR_RETURN(limitation.kind, kind.String());
    ASSIGN_OR_RETURN(limitation.detail, ReadOptionalString(element, "detail"));
    run.limitations.insert(std::move(limitation));
  }
  Recording one;
  one.runs.emplace(id, std::move(run));
  into.Merge(one);
  return {};
}

Status ReadCapabilities(const JsonCursor& root, Recording& into) {
  ASSIGN_OR_RETURN(const JsonCursor list, root.At("capabilities"));
  ASSIGN_OR_RETURN(const auto elements, list.Elements());
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const JsonCursor name_place, element.At("name"));
    ASSIGN_OR_RETURN(const std::string name, name_place.String());
    CapabilityUse use;
    if (const auto reasons = element.Find("reasons")) {
      ASSIGN_OR_RETURN(const std::vector<std::string> texts, reasons->Strings());
      use.reasons.insert(texts.begin(), texts.end());
    }
    ASSIGN_OR_RETURN(use.phases, ReadPhases(element));
    into.capabilities[name].Merge(use);
  }
  return {};
}

Status ReadResources(const JsonCursor& root, Recording& into) {
  ASSIGN_OR_RETURN(const JsonCursor place, root.At("resources"));
  Resources& resources = into.resources;
  ASSIGN_OR_RETURN(resources.peak_memory_bytes, ReadOptionalUnsigned(place, "peak_memory_bytes"));
  ASSIGN_OR_RETURN(resources.peak_tasks, ReadOptionalUnsigned(place, "peak_tasks"));
  ASSIGN_OR_RETURN(resources.cpu_time_ms, ReadOptionalUnsigned(place, "cpu_time_ms"));
  ASSIGN_OR_RETURN(resources.open_files, ReadOptionalUnsigned(place, "open_files"));
  return {};
}

Status CheckVersion(const JsonCursor& root) {
  ASSIGN_OR_RETURN(const JsonCursor version, root.At("schema_version"));
  ASSIGN_OR_RETURN(const std::int64_t number,
                   version.Integer(0, std::numeric_limits<std::int32_t>::max()));
  if (number != kRecordingSchemaVersion) {
    return Fail(version.Mistake(
        fmt::format("this recording has schema version {}, this cordon reads version {}", number,
                    kRecordingSchemaVersion)));
  }
  return {};
}

/// Calls `read` for each element of the array `name`.
template <typename Read>
Status ReadList(const JsonCursor& root, std::string_view name, Read read) {
  ASSIGN_OR_RETURN(const JsonCursor list, root.At(name));
  ASSIGN_OR_RETURN(const auto elements, list.Elements());
  for (const JsonCursor& element : elements) {
    RETURN_IF_ERROR(read(element));
  }
  return {};
}

}  // namespace

bool IsRecording(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  constexpr std::string_view kKey = "\"schema_version\"";
  // It is the first key that WriteRecording() writes, so that most need no parsing.
  const std::size_t open = text.find_first_not_of(kBlanks);
  if (open == std::string_view::npos || text[open] != '{') {
    return false;
  }
  const std::size_t key = text.find_first_not_of(kBlanks, open + 1);
  if (key != std::string_view::npos && text.substr(key).starts_with(kKey)) {
    return true;
  }
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  return document.is_object() && document.contains("schema_version");
}

Expected<Recording> ReadRecording(std::string_view text, std::string_view source) {
  ASSIGN_OR_RETURN(const nlohmann::json document, JsonCursor::Parse(text, source));
  const JsonCursor root(document, source);
  RETURN_IF_ERROR(CheckVersion(root));
  std::vector<std::string> executables;
  if (const auto table = root.Find("executables")) {
    ASSIGN_OR_RETURN(executables, table->Strings());
  }
  Recording recording;
  RETURN_IF_ERROR(
      ReadList(root, "runs", [&](const JsonCursor& item) { return ReadRun(item, recording); }));
  RETURN_IF_ERROR(ReadList(root, "syscalls", [&](const JsonCursor& item) {
    return ReadSyscall(item, executables, recording);
  }));
  RETURN_IF_ERROR(ReadList(root, "files", [&](const JsonCursor& item) {
    return ReadFileItem(item, executables, recording);
  }));
  RETURN_IF_ERROR(ReadList(root, "sockets", [&](const JsonCursor& item) {
    return ReadSocket(item, executables, recording);
  }));
  RETURN_IF_ERROR(ReadList(root, "processes", [&](const JsonCursor& item) {
    return ReadProcess(item, executables, recording);
  }));
  RETURN_IF_ERROR(ReadCapabilities(root, recording));
  RETURN_IF_ERROR(ReadResources(root, recording));
  return recording;
}

}  // namespace cordon
