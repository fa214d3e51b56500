#include "model/sandbox_config_json.h"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/ipv4_address.h"
#include "model/json_cursor.h"
#include "model/json_members.h"
#include "model/resource_limits_json.h"
#include "model/seccomp_policy_json.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<Namespace, std::string_view>, 8> kNamespaceNames{{
    {Namespace::kUser, "user"},
    {Namespace::kPid, "pid"},
    {Namespace::kMount, "mount"},
    {Namespace::kUts, "uts"},
    {Namespace::kIpc, "ipc"},
    {Namespace::kCgroup, "cgroup"},
    {Namespace::kNetwork, "network"},
    {Namespace::kTime, "time"},
}};

constexpr std::array<std::pair<NetworkMode, std::string_view>, 3> kNetworkNames{{
    {NetworkMode::kNone, "none"},
    {NetworkMode::kHost, "host"},
    {NetworkMode::kPrivate, "private"},
}};

constexpr std::string_view kRootAnnotation = "dev.cordon.root";
constexpr std::string_view kNetworkAnnotation = "dev.cordon.network";
constexpr std::string_view kPublishAnnotation = "dev.cordon.publish";
constexpr std::string_view kLandlockAnnotation = "dev.cordon.landlock";

/// The folder, relative to the bundle, where another runtime than cordon is told to look for the
/// root: it refuses "/" itself.
constexpr std::string_view kForeignRoot = "rootfs";

template <typename Key, std::size_t kSize>
std::string_view NameOf(const std::array<std::pair<Key, std::string_view>, kSize>& table, Key key) {
  for (const auto& [candidate, name] : table) {
    if (candidate == key) {
      return name;
    }
  }
  return {};
}

template <typename Key, std::size_t kSize>
std::optional<Key> KeyOf(const std::array<std::pair<Key, std::string_view>, kSize>& table,
                         std::string_view name) {
  for (const auto& [key, candidate] : table) {
    if (candidate == name) {
      return key;
    }
  }
  return std::nullopt;
}

Json ProcessJson(const SandboxConfig& config) {
  Json process;
  process["terminal"] = false;
  process["user"] = {{"uid", config.uid}, {"gid", config.gid}};
  if (!config.additional_gids.empty()) {
    process["user"]["additionalGids"] = config.additional_gids;
  }
  process["args"] = config.arguments;
  process["env"] = config.environment;
  process["cwd"] = config.working_directory;
  // Inheritable and ambient sets stay empty: a non-empty inheritable set was CVE-2022-29162.
  process["capabilities"] = {{"bounding", config.capabilities},
                             {"effective", config.capabilities},
                             {"permitted", config.capabilities}};
  Json rlimits = Json::array();
  for (const Rlimit& limit : config.rlimits) {
    rlimits.push_back({{"type", limit.type}, {"hard", limit.hard}, {"soft", limit.soft}});
  }
  process["rlimits"] = std::move(rlimits);
  process["noNewPrivileges"] = config.no_new_privileges;
  if (config.oom_score_adj) {
    process["oomScoreAdj"] = *config.oom_score_adj;
  }
  if (!config.selinux_label.empty()) {
    process["selinuxLabel"] = config.selinux_label;
  }
  return process;
}

Json LinuxJson(const SandboxConfig& config) {
  Json linux_part = Json::object();
  Json namespaces = Json::array();
  for (const Namespace space : config.namespaces) {
    namespaces.push_back({{"type", NameOf(kNamespaceNames, space)}});
  }
  linux_part["namespaces"] = std::move(namespaces);
  for (const auto& [clock, offset] : config.time_offsets) {
    linux_part["timeOffsets"][clock] = {{"secs", offset.seconds}, {"nanosecs", offset.nanoseconds}};
  }
  if (config.limits != ResourceLimits()) {
    linux_part["resources"] = Json::parse(WriteResourceLimits(config.limits), nullptr, false);
  }
  linux_part["maskedPaths"] = config.masked_paths;
  linux_part["readonlyPaths"] = config.readonly_paths;
  if (config.seccomp) {
    linux_part["seccomp"] = Json::parse(WriteSeccompPolicy(*config.seccomp), nullptr, false);
  }
  return linux_part;
}

Json AnnotationsJson(const SandboxConfig& config) {
  Json annotations = Json::object();
  if (config.root_path == "/") {
    annotations[std::string(kRootAnnotation)] = "host";
  }
  annotations[std::string(kNetworkAnnotation)] = NameOf(kNetworkNames, config.network);
  if (!config.published.empty()) {
    Json published = Json::array();
    for (const PublishedPort& port : config.published) {
      Json& entry =
          published.emplace_back(Json{{"host", port.host}, {"container", port.container}});
      if (port.transport == Transport::kUdp) {
        entry["protocol"] = "udp";
      }
      if (port.address != 0) {
        entry["address"] = Ipv4AddressText(port.address);
      }
    }
    annotations[std::string(kPublishAnnotation)] = published.dump();
  }
  if (config.landlock) {
    Json rules = Json::array();
    for (const LandlockRule& rule : *config.landlock) {
      rules.push_back({{"path", rule.path}, {"access", rule.access}});
    }
    annotations[std::string(kLandlockAnnotation)] =
        rules.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return annotations;
}

Expected<std::string> AbsolutePath(const JsonCursor& place) {
  ASSIGN_OR_RETURN(std::string path, place.String());
  if (path.empty() || path.front() != '/') {
    return Fail(place.Mistake("expected an absolute path"));
  }
  return path;
}

/// `visit(place)` on the JSON that the string at `place` spells, as annotations carry it.
template <typename Visit>
Status Embedded(const JsonCursor& place, Visit visit) {
  ASSIGN_OR_RETURN(const std::string text, place.String());
  const std::string source = place.Mistake("in its text").message;
  ASSIGN_OR_RETURN(const nlohmann::json document, JsonCursor::Parse(text, source));
  return visit(JsonCursor(document, source));
}

constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();

Status ReadUser(const JsonCursor& field, SandboxConfig& config) {
  return EachMember(field, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
    if (name == "uid") {
      return Take(config.uid, value.Unsigned(kMax32 - 1));
    }
    if (name == "gid") {
      return Take(config.gid, value.Unsigned(kMax32 - 1));
    }
    if (name == "additionalGids") {
      return Known(EachElement(value, [&](const JsonCursor& element) -> Status {
        ASSIGN_OR_RETURN(const std::uint64_t gid, element.Unsigned(kMax32 - 1));
        config.additional_gids.push_back(static_cast<std::uint32_t>(gid));
        return {};
      }));
    }
    return false;
  });
}

Status ReadCapabilities(const JsonCursor& field, SandboxConfig& config) {
  std::map<std::string, std::set<std::string>, std::less<>> sets;
  RETURN_IF_ERROR(
      EachMember(field, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
        if (name != "bounding" && name != "effective" && name != "permitted" &&
            name != "inheritable" && name != "ambient") {
          return false;
        }
        ASSIGN_OR_RETURN(const std::vector<std::string> list, value.Strings());
        for (const std::string& capability : list) {
          if (!capability.starts_with("CAP_")) {
            return Fail(
                value.Mistake("expected the name of a capability, not '" + capability + "'"));
          }
        }
        sets[std::string(name)] = {list.begin(), list.end()};
        return true;
      }));
  if (sets["bounding"] != sets["effective"] || sets["bounding"] != sets["permitted"] ||
      !sets["inheritable"].empty() || !sets["ambient"].empty()) {
    return Fail(field.Mistake(
        "bounding, effective and permitted must be equal, inheritable and ambient empty"));
  }
  config.capabilities = std::move(sets["bounding"]);
  return {};
}

Status ReadRlimit(const JsonCursor& field, SandboxConfig& config) {
  Rlimit limit;
  RETURN_IF_ERROR(
      EachMember(field, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
        if (name == "type") {
          return Take(limit.type, value.String());
        }
        if (name == "hard") {
          return Take(limit.hard, value.Unsigned(kMax64));
        }
        if (name == "soft") {
          return Take(limit.soft, value.Unsigned(kMax64));
        }
        return false;
      }));
  if (!limit.type.starts_with("RLIMIT_") || limit.soft > limit.hard) {
    return Fail(field.Mistake("expected type RLIMIT_… and a soft limit not over the hard one"));
  }
  config.rlimits.push_back(std::move(limit));
  return {};
}

Status ReadProcess(const JsonCursor& field, SandboxConfig& config) {
  return EachMember(field, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
    if (name == "terminal") {
      ASSIGN_OR_RETURN(const bool terminal, value.Boolean());
      if (terminal) {
        return Fail(value.Mistake("a terminal of its own is not supported"));
      }
      return true;
    }
    if (name == "user") {
      return Known(ReadUser(value, config));
    }
    if (name == "args") {
      return Take(config.arguments, value.Strings());
    }
    if (name == "env") {
      return Take(config.environment, value.Strings());
    }
    if (name == "cwd") {
      return Take(config.working_directory, AbsolutePath(value));
    }
    if (name == "capabilities") {
      return Known(ReadCapabilities(value, config));
    }
    if (name == "rlimits") {
      return Known(EachElement(
          value, [&](const JsonCursor& element) { return ReadRlimit(element, config); }));
    }
    if (name == "noNewPrivileges") {
      return Take(config.no_new_privileges, value.Boolean());
    }
    if (name == "oomScoreAdj") {
      return Take(config.oom_score_adj, value.Integer(-1000, 1000));
    }
    if (name == "selinuxLabel") {
      return Take(config.selinux_label, value.String());
    }
    return false;
  });
}

Status ReadMount(const JsonCursor& field, SandboxConfig& config) {
  Mount mount;
  RETURN_IF_ERROR(
      EachMember(field, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
        if (name == "destination") {
          return Take(mount.destination, AbsolutePath(value));
        }
        if (name == "type") {
          return Take(mount.type, value.String());
        }
        if (name == "source") {
          return Take(mount.source, value.String());
        }
        if (name == "options") {
          return Take(mount.options, value.Strings());
        }
        return false;
      }));
  if (mount.destination.empty()) {
    return Fail(field.Mistake("a mount without a destination"));
  }
  config.mounts.push_back(std::move(mount));
  return {};
}

Status ReadRoot(const JsonCursor& field, SandboxConfig& config) {
  return EachMember(field, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
    if (name == "path") {
      return Take(config.root_path, value.String());
    }
    if (name == "readonly") {
      return Take(config.root_readonly, value.Boolean());
    }
    return false;
  });
}

Status ReadNamespace(const JsonCursor& field, SandboxConfig& config) {
  std::optional<Namespace> found;
  RETURN_IF_ERROR(
      EachMember(field, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
        if (name != "type") {
          return false;
        }
        ASSIGN_OR_RETURN(const std::string type, value.String());
        found = KeyOf(kNamespaceNames, type);
        if (!found) {
          return Fail(value.Mistake("unknown namespace '" + type + "'"));
        }
        return true;
      }));
  if (!found) {
    return Fail(field.Mistake("a namespace without a type"));
  }
  config.namespaces.insert(*found);
  return {};
}

Status ReadTimeOffsets(const JsonCursor& field, SandboxConfig& config) {
  return EachMember(field, [&](std::string_view clock, const JsonCursor& value) -> Expected<bool> {
    if (clock != "boottime" && clock != "monotonic") {
      return false;
    }
    ClockOffset& offset = config.time_offsets[std::string(clock)];
    return Known(
        EachMember(value, [&](std::string_view name, const JsonCursor& part) -> Expected<bool> {
          if (name == "secs") {
            constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
            return Take(offset.seconds, part.Integer(-kMost, kMost));
          }
          if (name == "nanosecs") {
            return Take(offset.nanoseconds, part.Unsigned(999'999'999));
          }
          return false;
        }));
  });
}

Status ReadLinux(const JsonCursor& field, SandboxConfig& config) {
  return EachMember(field, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
    if (name == "namespaces") {
      return Known(EachElement(
          value, [&](const JsonCursor& element) { return ReadNamespace(element, config); }));
    }
    if (name == "timeOffsets") {
      return Known(ReadTimeOffsets(value, config));
    }
    if (name == "resources") {
      return Take(config.limits, ReadResourceLimits(value));
    }
    if (name == "maskedPaths") {
      return Take(config.masked_paths, value.Strings());
    }
    if (name == "readonlyPaths") {
      return Take(config.readonly_paths, value.Strings());
    }
    if (name == "seccomp") {
      return true;  // by ReadSandboxConfig: it is a document of its own
    }
    return false;
  });
}

Status ReadPublished(const JsonCursor& field, SandboxConfig& config) {
  return EachElement(field, [&](const JsonCursor& element) -> Status {
    PublishedPort port;
    RETURN_IF_ERROR(
        EachMember(element, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
          if (name == "host") {
            return Take(port.host, value.Unsigned(65535));
          }
          if (name == "container") {
            return Take(port.container, value.Unsigned(65535));
          }
          if (name == "protocol") {
            ASSIGN_OR_RETURN(const std::string text, value.String());
            if (text != "tcp" && text != "udp") {
              return Fail(value.Mistake("expected tcp or udp, not '" + text + "'"));
            }
            port.transport = text == "udp" ? Transport::kUdp : Transport::kTcp;
            return true;
          }
          if (name == "address") {
            ASSIGN_OR_RETURN(const std::string text, value.String());
            const std::optional<std::uint32_t> address = ParseIpv4Address(text);
            if (!address) {
              return Fail(value.Mistake("expected an IPv4 address"));
            }
            port.address = *address;
            return true;
          }
          return false;
        }));
    if (port.host == 0 || port.container == 0) {
      return Fail(element.Mistake("expected ports from 1 to 65535 in host and container"));
    }
    config.published.push_back(port);
    return {};
  });
}

Status ReadLandlock(const JsonCursor& field, SandboxConfig& config) {
  config.landlock.emplace();
  return EachElement(field, [&](const JsonCursor& element) -> Status {
    LandlockRule rule;
    RETURN_IF_ERROR(
        EachMember(element, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
          if (name == "path") {
            return Take(rule.path, AbsolutePath(value));
          }
          if (name == "access") {
            ASSIGN_OR_RETURN(const std::vector<std::string> list, value.Strings());
            rule.access = {list.begin(), list.end()};
            return true;
          }
          return false;
        }));
    if (rule.path.empty()) {
      return Fail(element.Mistake("a Landlock rule without a path"));
    }
    config.landlock->push_back(std::move(rule));
    return {};
  });
}

Status ReadAnnotations(const JsonCursor& field, SandboxConfig& config) {
  return EachMember(field, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
    if (!name.starts_with("dev.cordon.")) {
      RETURN_IF_ERROR(value.String());
      return true;  // OCI: implementations must not error on an annotation that is not theirs
    }
    if (name == kRootAnnotation) {
      ASSIGN_OR_RETURN(const std::string root, value.String());
      if (root != "host") {
        return Fail(value.Mistake("expected 'host'"));
      }
      config.root_path = "/";
      return true;
    }
    if (name == kNetworkAnnotation) {
      ASSIGN_OR_RETURN(const std::string text, value.String());
      const std::optional<NetworkMode> mode = KeyOf(kNetworkNames, text);
      if (!mode) {
        return Fail(value.Mistake("expected none, host or private, not '" + text + "'"));
      }
      config.network = *mode;
      return true;
    }
    if (name == kPublishAnnotation) {
      return Known(
          Embedded(value, [&](const JsonCursor& text) { return ReadPublished(text, config); }));
    }
    if (name == kLandlockAnnotation) {
      return Known(
          Embedded(value, [&](const JsonCursor& text) { return ReadLandlock(text, config); }));
    }
    return false;
  });
}

Expected<bool> ReadTopLevel(std::string_view name, const JsonCursor& value, SandboxConfig& config) {
  if (name == "ociVersion") {
    ASSIGN_OR_RETURN(const std::string version, value.String());
    if (!version.starts_with("1.")) {
      return Fail(value.Mistake("expected version 1.x of the OCI runtime specification, not '" +
                                version + "'"));
    }
    return true;
  }
  if (name == "process") {
    return Known(ReadProcess(value, config));
  }
  if (name == "root") {
    return Known(ReadRoot(value, config));
  }
  if (name == "hostname") {
    return Take(config.hostname, value.String());
  }
  if (name == "mounts") {
    return Known(
        EachElement(value, [&](const JsonCursor& element) { return ReadMount(element, config); }));
  }
  if (name == "linux") {
    return Known(ReadLinux(value, config));
  }
  if (name == "annotations") {
    return Known(ReadAnnotations(value, config));
  }
  return false;
}

}  // namespace

std::string WriteSandboxConfig(const SandboxConfig& config) {
  Json document;
  document["ociVersion"] = "1.0.2";
  document["process"] = ProcessJson(config);
  document["root"] = {{"path", config.root_path == "/" ? kForeignRoot : config.root_path},
                      {"readonly", config.root_readonly}};
  if (!config.hostname.empty()) {
    document["hostname"] = config.hostname;
  }
  Json mounts = Json::array();
  for (const Mount& mount : config.mounts) {
    mounts.push_back({{"destination", mount.destination},
                      {"type", mount.type},
                      {"source", mount.source},
                      {"options", mount.options}});
  }
  document["mounts"] = std::move(mounts);
  document["linux"] = LinuxJson(config);
  document["annotations"] = AnnotationsJson(config);
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Expected<SandboxConfig> ReadSandboxConfig(std::string_view text, std::string_view source,
                                          SeccompPart seccomp) {
  if (text.size() > kMaxSandboxConfigBytes) {
    return Fail(InvalidInput(std::string(source) + ": longer than " +
                             std::to_string(kMaxSandboxConfigBytes) + " bytes"));
  }
  const SkippedMember skipped =
      seccomp == SeccompPart::kSkip ? SkippedMember{"linux", "seccomp"} : SkippedMember{};
  ASSIGN_OR_RETURN(const nlohmann::json document, JsonCursor::Parse(text, source, skipped));
  const JsonCursor top(document, source);
  SandboxConfig config;
  config.no_new_privileges = false;
  config.root_readonly = false;
  bool has_version = false;
  // Annotations come last: they say more about what the other members set.
  RETURN_IF_ERROR(
      EachMember(top, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
        has_version = has_version || name == "ociVersion";
        return name == "annotations" ? Expected<bool>(true) : ReadTopLevel(name, value, config);
      }));
  if (!has_version) {
    return Fail(top.Mistake("no ociVersion: this is not an OCI runtime configuration"));
  }
  if (const std::optional<JsonCursor> annotations = top.Find("annotations")) {
    RETURN_IF_ERROR(ReadAnnotations(*annotations, config));
  }
  const auto linux_part = document.find("linux");
  if (seccomp == SeccompPart::kRead && linux_part != document.end() &&
      linux_part->contains("seccomp")) {
    ASSIGN_OR_RETURN(config.seccomp, ReadSeccompPolicy(linux_part->at("seccomp").dump(),
                                                       std::string(source) + ": /linux/seccomp"));
  }
  return config;
}

}  // namespace cordon
