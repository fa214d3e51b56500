#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "common/text.h"
#include "model/json_members.h"
#include "model/oci_spec_json.h"
#include "model/read_oci_parts.h"

namespace cordon {
namespace {

constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();

constexpr std::array<std::pair<std::string_view, Namespace>, 8> kNamespaces{{
    {"user", Namespace::kUser},
    {"pid", Namespace::kPid},
    {"mount", Namespace::kMount},
    {"uts", Namespace::kUts},
    {"ipc", Namespace::kIpc},
    {"cgroup", Namespace::kCgroup},
    {"network", Namespace::kNetwork},
    {"time", Namespace::kTime},
}};

Expected<OciNamespace> ReadNamespace(const JsonCursor& place) {
  OciNamespace space;
  ASSIGN_OR_RETURN(const JsonCursor type_place, place.At("type"));
  ASSIGN_OR_RETURN(const std::string type, type_place.String());
  const auto* const known =
      std::ranges::find(kNamespaces, type, &std::pair<std::string_view, Namespace>::first);
  if (known == kNamespaces.end()) {
    return Fail(type_place.Mistake("no kind of namespace: " + Quote(type)));
  }
  space.type = known->second;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name != "path") {
          return name == "type";
        }
        // Go's writers leave an empty one out, Podman's does not.
        ASSIGN_OR_RETURN(const std::string path, member.String());
        return path.empty() ? Expected<bool>(true) : Take(space.path, ReadAbsolutePath(member));
      }));
  return space;
}

Status ReadNamespaces(const JsonCursor& place, OciSpec& spec) {
  return EachElement(place, [&](const JsonCursor& element) -> Status {
    ASSIGN_OR_RETURN(OciNamespace space, ReadNamespace(element));
    if (std::ranges::find(spec.namespaces, space.type, &OciNamespace::type) !=
        spec.namespaces.end()) {
      return Fail(element.Mistake("a second namespace of one type"));
    }
    spec.namespaces.push_back(std::move(space));
    return {};
  });
}

Expected<OciDevice> ReadDevice(const JsonCursor& place) {
  constexpr std::uint64_t kMaxMode = 07777;
  OciDevice device;
  ASSIGN_OR_RETURN(const JsonCursor path, place.At("path"));
  ASSIGN_OR_RETURN(device.path, ReadAbsolutePath(path));
  ASSIGN_OR_RETURN(const JsonCursor type_place, place.At("type"));
  ASSIGN_OR_RETURN(const std::string type, type_place.String());
  if (type != "c" && type != "u" && type != "b" && type != "p") {
    return Fail(type_place.Mistake("expected c, b, u or p"));
  }
  device.type = type == "u" ? 'c' : type.front();
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "major") {
          return Take(device.major, member.Unsigned(kMax32));
        }
        if (name == "minor") {
          return Take(device.minor, member.Unsigned(kMax32));
        }
        if (name == "fileMode") {
          // Engines hand on what stat(2) says, with the bits of the file's type.
          ASSIGN_OR_RETURN(const std::uint64_t mode, member.Unsigned(kMax32));
          device.mode = static_cast<std::uint32_t>(mode & kMaxMode);
          return true;
        }
        if (name == "uid") {
          return Take(device.uid, member.Unsigned(kMax32));
        }
        if (name == "gid") {
          return Take(device.gid, member.Unsigned(kMax32));
        }
        return name == "path" || name == "type";
      }));
  return device;
}

Status ReadTimeOffsets(const JsonCursor& place, OciSpec& spec) {
  constexpr std::uint64_t kMostNanoseconds = 999'999'999;
  return EachGivenMember(
      place, [&](std::string_view clock, const JsonCursor& member) -> Expected<bool> {
        if (clock != "boottime" && clock != "monotonic") {
          return false;
        }
        ClockOffset offset;
        RETURN_IF_ERROR(EachGivenMember(
            member, [&](std::string_view name, const JsonCursor& part) -> Expected<bool> {
              if (name == "secs") {
                return Take(offset.seconds, part.Integer(std::numeric_limits<std::int64_t>::min(),
                                                         std::numeric_limits<std::int64_t>::max()));
              }
              return name == "nanosecs" ? Take(offset.nanoseconds, part.Unsigned(kMostNanoseconds))
                                        : Expected<bool>(false);
            }));
        spec.time_offsets[std::string(clock)] = offset;
        return true;
      });
}

Status ReadSysctl(const JsonCursor& place, OciSpec& spec) {
  ASSIGN_OR_RETURN(const auto members, place.Members());
  for (const auto& [name, member] : members) {
    if (name.empty() || name.find_first_of(std::string_view("\0", 1)) != std::string::npos ||
        name.find("..") != std::string::npos) {
      return Fail(member.Mistake("no name of a kernel setting"));
    }
    ASSIGN_OR_RETURN(spec.sysctl[name], ReadPlainString(member));
  }
  return {};
}

Expected<OciSeccomp> ReadSeccomp(const JsonCursor& place) {
  RETURN_IF_ERROR(place.OnlyMembers({"defaultAction", "defaultErrnoRet", "architectures", "flags",
                                     "listenerPath", "listenerMetadata", "syscalls"}));
  OciSeccomp seccomp;
  if (const auto path = place.Find("listenerPath"); path && !path->value().is_null()) {
    ASSIGN_OR_RETURN(const std::string text, path->String());
    if (!text.empty()) {
      ASSIGN_OR_RETURN(seccomp.listener_path, ReadAbsolutePath(*path));
    }
  }
  if (const auto metadata = place.Find("listenerMetadata");
      metadata && !metadata->value().is_null()) {
    ASSIGN_OR_RETURN(seccomp.listener_metadata, metadata->String());
    if (seccomp.listener_path.empty() && !seccomp.listener_metadata.empty()) {
      return Fail(metadata->Mistake("means nothing without listenerPath"));
    }
  }
  if (const auto rules = place.Find("syscalls"); rules && !rules->value().is_null()) {
    RETURN_IF_ERROR(EachElement(*rules, [](const JsonCursor& rule) {
      return rule.OnlyMembers({"names", "action", "errnoRet", "args", "comment"});
    }));
  }
  seccomp.profile_json =
      place.value().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return seccomp;
}

Expected<std::vector<std::string>> ReadAbsolutePaths(const JsonCursor& place) {
  std::vector<std::string> paths;
  RETURN_IF_ERROR(EachElement(place, [&](const JsonCursor& element) -> Status {
    ASSIGN_OR_RETURN(std::string path, ReadAbsolutePath(element));
    paths.push_back(std::move(path));
    return {};
  }));
  return paths;
}

Expected<std::string> ReadPersonality(const JsonCursor& place) {
  RETURN_IF_ERROR(place.OnlyMembers({"domain", "flags"}));
  ASSIGN_OR_RETURN(const JsonCursor domain_place, place.At("domain"));
  ASSIGN_OR_RETURN(std::string domain, domain_place.String());
  if (domain != "LINUX" && domain != "LINUX32") {
    return Fail(domain_place.Mistake("expected LINUX or LINUX32"));
  }
  if (const auto flags = place.Find("flags"); flags && !flags->value().empty()) {
    return Fail(flags->Mistake("no flag is known"));
  }
  return domain;
}

Expected<bool> ReadPart(std::string_view name, const JsonCursor& member, OciSpec& spec) {
  if (name == "namespaces") {
    return Known(ReadNamespaces(member, spec));
  }
  if (name == "uidMappings") {
    return Take(spec.uid_mappings, ReadOciIdMappings(member));
  }
  if (name == "gidMappings") {
    return Take(spec.gid_mappings, ReadOciIdMappings(member));
  }
  if (name == "timeOffsets") {
    return Known(ReadTimeOffsets(member, spec));
  }
  if (name == "devices") {
    return Known(EachElement(member, [&](const JsonCursor& element) -> Status {
      ASSIGN_OR_RETURN(OciDevice device, ReadDevice(element));
      spec.devices.push_back(std::move(device));
      return {};
    }));
  }
  if (name == "cgroupsPath") {
    return Take(spec.cgroups_path, ReadPlainString(member));
  }
  if (name == "resources") {
    return Take(spec.resources, ReadOciResources(member));
  }
  if (name == "sysctl") {
    return Known(ReadSysctl(member, spec));
  }
  if (name == "seccomp") {
    return Take(spec.seccomp, ReadSeccomp(member));
  }
  if (name == "maskedPaths") {
    return Take(spec.masked_paths, ReadAbsolutePaths(member));
  }
  if (name == "readonlyPaths") {
    return Take(spec.readonly_paths, ReadAbsolutePaths(member));
  }
  if (name == "mountLabel") {
    return Take(spec.mount_label, ReadPlainString(member));
  }
  if (name == "personality") {
    return Take(spec.personality, ReadPersonality(member));
  }
  if (name == "rootfsPropagation") {
    ASSIGN_OR_RETURN(const std::string text, member.String());
    spec.root_propagation = OciPropagationFromName(text);
    if (!spec.root_propagation && !text.empty()) {
      return Fail(member.Mistake("expected shared, slave, private or unbindable"));
    }
    return true;
  }
  // Words of the specification for what this build does not do; empty they say nothing.
  if (name == "intelRdt" || name == "netDevices" || name == "memoryPolicy") {
    if (!member.value().empty()) {
      return Fail(member.Mistake("cordon-runtime cannot do that"));
    }
    return true;
  }
  return false;
}

}  // namespace

std::optional<OciPropagationMode> OciPropagationFromName(std::string_view name) {
  OciPropagationMode mode;
  mode.recursive = name.starts_with('r');
  const std::string_view word = mode.recursive ? name.substr(1) : name;
  constexpr std::array<std::pair<std::string_view, OciPropagation>, 4> kWords{
      {{"private", OciPropagation::kPrivate},
       {"slave", OciPropagation::kSlave},
       {"shared", OciPropagation::kShared},
       {"unbindable", OciPropagation::kUnbindable}}};
  for (const auto& [known, propagation] : kWords) {
    if (word == known) {
      mode.propagation = propagation;
      return mode;
    }
  }
  return std::nullopt;
}

Expected<std::vector<OciIdMapping>> ReadOciIdMappings(const JsonCursor& place) {
  std::vector<OciIdMapping> mappings;
  RETURN_IF_ERROR(EachElement(place, [&](const JsonCursor& element) -> Status {
    OciIdMapping mapping;
    RETURN_IF_ERROR(EachGivenMember(
        element, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
          if (name == "containerID") {
            return Take(mapping.inside, member.Unsigned(kMax32));
          }
          if (name == "hostID") {
            return Take(mapping.outside, member.Unsigned(kMax32));
          }
          return name == "size" ? Take(mapping.count, member.Unsigned(kMax32))
                                : Expected<bool>(false);
        }));
    if (mapping.count == 0) {
      return Fail(element.Mistake("a mapping of no id"));
    }
    mappings.push_back(mapping);
    return {};
  }));
  return mappings;
}

Status ReadOciLinux(const JsonCursor& place, OciSpec& spec) {
  RETURN_IF_ERROR(EachGivenMember(place, [&](std::string_view name, const JsonCursor& member) {
    return ReadPart(name, member, spec);
  }));
  const auto has = [&](Namespace type) {
    return std::ranges::find(spec.namespaces, type, &OciNamespace::type) != spec.namespaces.end();
  };
  if (!spec.time_offsets.empty() && !has(Namespace::kTime)) {
    return Fail(place.Mistake("timeOffsets needs a time namespace in namespaces"));
  }
  if ((!spec.uid_mappings.empty() || !spec.gid_mappings.empty()) && !has(Namespace::kUser)) {
    return Fail(place.Mistake("uidMappings and gidMappings need a user namespace in namespaces"));
  }
  return {};
}

}  // namespace cordon
