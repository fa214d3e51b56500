#include <fmt/format.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "model/json_members.h"
#include "model/oci_spec_json.h"
#include "model/read_oci_parts.h"

namespace cordon {
namespace {

Expected<std::vector<OciHook>> ReadHookList(const JsonCursor& place) {
  constexpr std::uint64_t kMostSeconds = std::numeric_limits<std::uint32_t>::max();
  std::vector<OciHook> hooks;
  RETURN_IF_ERROR(EachElement(place, [&](const JsonCursor& element) -> Status {
    OciHook hook;
    RETURN_IF_ERROR(element.At("path"));
    RETURN_IF_ERROR(EachGivenMember(
        element, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
          if (name == "path") {
            return Take(hook.path, ReadAbsolutePath(member));
          }
          if (name == "args") {
            return Take(hook.arguments, ReadPlainStrings(member));
          }
          if (name == "env") {
            return Take(hook.environment, ReadPlainStrings(member));
          }
          if (name != "timeout") {
            return false;
          }
          ASSIGN_OR_RETURN(hook.timeout_seconds, member.Unsigned(kMostSeconds));
          if (*hook.timeout_seconds == 0) {
            return Fail(member.Mistake("a timeout must be greater than zero"));
          }
          return true;
        }));
    hooks.push_back(std::move(hook));
    return {};
  }));
  return hooks;
}

Expected<OciHooks> ReadHooks(const JsonCursor& place) {
  constexpr std::array<std::pair<std::string_view, std::vector<OciHook> OciHooks::*>, 6> kKinds{
      {{"prestart", &OciHooks::prestart},
       {"createRuntime", &OciHooks::create_runtime},
       {"createContainer", &OciHooks::create_container},
       {"startContainer", &OciHooks::start_container},
       {"poststart", &OciHooks::poststart},
       {"poststop", &OciHooks::poststop}}};
  OciHooks hooks;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        for (const auto& [known, list] : kKinds) {
          if (name == known) {
            return Take(hooks.*list, ReadHookList(member));
          }
        }
        return false;
      }));
  return hooks;
}

Expected<OciMount> ReadMount(const JsonCursor& place) {
  OciMount mount;
  RETURN_IF_ERROR(place.At("destination"));
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "destination") {
          return Take(mount.destination, ReadAbsolutePath(member));
        }
        if (name == "type") {
          return Take(mount.type, ReadPlainString(member));
        }
        if (name == "source") {
          return Take(mount.source, ReadPlainString(member));
        }
        if (name == "options") {
          return Take(mount.options, ReadPlainStrings(member));
        }
        if (name == "uidMappings") {
          return Take(mount.uid_mappings, ReadOciIdMappings(member));
        }
        return name == "gidMappings" ? Take(mount.gid_mappings, ReadOciIdMappings(member))
                                     : Expected<bool>(false);
      }));
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty()) {
    return Fail(place.Mistake("uidMappings and gidMappings come together"));
  }
  return mount;
}

Status ReadRoot(const JsonCursor& place, OciSpec& spec) {
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "path") {
          return Take(spec.root_path, ReadPlainString(member));
        }
        return name == "readonly" ? Take(spec.root_readonly, member.Boolean())
                                  : Expected<bool>(false);
      }));
  if (spec.root_path.empty()) {
    return Fail(place.Mistake("\"path\" is missing"));
  }
  return {};
}

Status ReadAnnotations(const JsonCursor& place, OciSpec& spec) {
  ASSIGN_OR_RETURN(const auto members, place.Members());
  for (const auto& [name, member] : members) {
    if (name.empty()) {
      return Fail(member.Mistake("an annotation without a name"));
    }
    ASSIGN_OR_RETURN(spec.annotations[name], member.String());
  }
  return {};
}

Expected<std::string> ReadVersion(const JsonCursor& place) {
  ASSIGN_OR_RETURN(std::string version, place.String());
  if (!version.starts_with("1.")) {
    return Fail(place.Mistake("cordon-runtime knows versions 1.x of the specification"));
  }
  return version;
}

Expected<bool> ReadPart(std::string_view name, const JsonCursor& member, OciSpec& spec) {
  if (name == "ociVersion") {
    return Take(spec.version, ReadVersion(member));
  }
  if (name == "process") {
    return Take(spec.process, ReadOciProcess(member));
  }
  if (name == "root") {
    return Known(ReadRoot(member, spec));
  }
  if (name == "hostname") {
    return Take(spec.hostname, ReadPlainString(member));
  }
  if (name == "domainname") {
    return Take(spec.domainname, ReadPlainString(member));
  }
  if (name == "mounts") {
    return Known(EachElement(member, [&](const JsonCursor& element) -> Status {
      ASSIGN_OR_RETURN(OciMount mount, ReadMount(element));
      spec.mounts.push_back(std::move(mount));
      return {};
    }));
  }
  if (name == "hooks") {
    return Take(spec.hooks, ReadHooks(member));
  }
  if (name == "annotations") {
    return Known(ReadAnnotations(member, spec));
  }
  return name == "linux" ? Known(ReadOciLinux(member, spec)) : Expected<bool>(false);
}

Status CheckSize(std::string_view text, std::string_view source) {
  if (text.size() <= kMaxOciSpecBytes) {
    return {};
  }
  return Fail(MakeError(ErrorCode::kLimit,
                        fmt::format("{}: longer than {} bytes", source, kMaxOciSpecBytes)));
}

}  // namespace

Expected<std::string> ReadPlainString(const JsonCursor& place) {
  ASSIGN_OR_RETURN(std::string text, place.String());
  if (text.find('\0') != std::string::npos) {
    return Fail(place.Mistake("holds a zero byte"));
  }
  return text;
}

Expected<std::vector<std::string>> ReadPlainStrings(const JsonCursor& place) {
  std::vector<std::string> list;
  RETURN_IF_ERROR(EachElement(place, [&](const JsonCursor& element) -> Status {
    ASSIGN_OR_RETURN(std::string text, ReadPlainString(element));
    list.push_back(std::move(text));
    return {};
  }));
  return list;
}

Expected<std::string> ReadAbsolutePath(const JsonCursor& place) {
  Expected<std::string> path = ReadPlainString(place);
  if (path && !path->starts_with('/')) {
    return Fail(place.Mistake("expected an absolute path"));
  }
  return path;
}

Expected<OciSpec> ReadOciSpec(std::string_view text, std::string_view source) {
  RETURN_IF_ERROR(CheckSize(text, source));
  ASSIGN_OR_RETURN(const nlohmann::json document, JsonCursor::Parse(text, source));
  const JsonCursor root(document, source);
  OciSpec spec;
  RETURN_IF_ERROR(EachGivenMember(root, [&](std::string_view name, const JsonCursor& member) {
    return ReadPart(name, member, spec);
  }));
  for (const char* const name : {"ociVersion", "root"}) {
    RETURN_IF_ERROR(root.At(name));
  }
  if (spec.version.empty() || spec.root_path.empty()) {
    return Fail(root.Mistake("ociVersion and root are needed"));
  }
  return spec;
}

Expected<OciProcess> ReadOciProcess(std::string_view text, std::string_view source) {
  RETURN_IF_ERROR(CheckSize(text, source));
  ASSIGN_OR_RETURN(const nlohmann::json document, JsonCursor::Parse(text, source));
  return ReadOciProcess(JsonCursor(document, source));
}

}  // namespace cordon
