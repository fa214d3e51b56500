#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "model/json_members.h"
#include "model/oci_spec_json.h"
#include "model/read_oci_parts.h"

namespace cordon {
namespace {

constexpr std::uint64_t kMax16 = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kMin64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax64 = std::numeric_limits<std::int64_t>::max();

/// -1 stands for every number, as leaving it out does.
Expected<std::optional<std::uint32_t>> ReadDeviceNumber(const JsonCursor& place) {
  ASSIGN_OR_RETURN(const std::int64_t number, place.Integer(-1, static_cast<std::int64_t>(kMax32)));
  return number < 0 ? std::nullopt : std::optional(static_cast<std::uint32_t>(number));
}

Expected<char> ReadDeviceType(const JsonCursor& place) {
  ASSIGN_OR_RETURN(const std::string type, place.String());
  if (type.empty()) {
    return 'a';
  }
  const char letter = type.size() == 1 ? type.front() : '?';
  if (letter != 'a' && letter != 'b' && letter != 'c' && letter != 'u') {
    return Fail(place.Mistake("expected a, b or c"));
  }
  return letter == 'u' ? 'c' : letter;
}

Expected<OciDeviceRule> ReadDeviceRule(const JsonCursor& place) {
  OciDeviceRule rule;
  RETURN_IF_ERROR(place.At("allow"));
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "allow") {
          return Take(rule.allow, member.Boolean());
        }
        if (name == "type") {
          return Take(rule.type, ReadDeviceType(member));
        }
        if (name == "major") {
          return Take(rule.major, ReadDeviceNumber(member));
        }
        if (name == "minor") {
          return Take(rule.minor, ReadDeviceNumber(member));
        }
        if (name != "access") {
          return false;
        }
        ASSIGN_OR_RETURN(rule.access, member.String());
        if (rule.access.empty() || rule.access.find_first_not_of("rwm") != std::string::npos) {
          return Fail(member.Mistake("expected letters of rwm"));
        }
        return true;
      }));
  if (rule.type == 'a' && (rule.major || rule.minor || rule.access.size() < 3)) {
    return Fail(place.Mistake("a rule for all types must be for all numbers and for rwm"));
  }
  return rule;
}

using MemberReader = Expected<bool> (*)(std::string_view, const JsonCursor&, OciResources&);

Expected<bool> ReadMemory(std::string_view name, const JsonCursor& member, OciResources& to) {
  constexpr std::array<std::pair<std::string_view, std::optional<std::int64_t> OciResources::*>, 5>
      kLimits{{{"limit", &OciResources::memory_limit},
               {"reservation", &OciResources::memory_reservation},
               {"swap", &OciResources::memory_swap},
               {"kernel", &OciResources::memory_kernel},
               {"kernelTCP", &OciResources::memory_kernel_tcp}}};
  for (const auto& [known, limit] : kLimits) {
    if (name == known) {
      return Take(to.*limit, member.Integer(-1, kMax64));
    }
  }
  if (name == "swappiness") {
    return Take(to.memory_swappiness, member.Unsigned(100));
  }
  if (name == "disableOOMKiller") {
    return Take(to.memory_disable_oom_killer, member.Boolean());
  }
  if (name == "useHierarchy") {
    return Take(to.memory_use_hierarchy, member.Boolean());
  }
  return name == "checkBeforeUpdate" ? Take(to.memory_check_before_update, member.Boolean())
                                     : Expected<bool>(false);
}

/// "0-2,7": what a cpuset takes, and no line more.
Expected<std::string> ReadNumberList(const JsonCursor& place) {
  ASSIGN_OR_RETURN(std::string list, place.String());
  if (list.find_first_not_of("0123456789,-") != std::string::npos) {
    return Fail(place.Mistake("expected numbers as in 0-2,7"));
  }
  return list;
}

Expected<bool> ReadCpu(std::string_view name, const JsonCursor& member, OciResources& to) {
  if (name == "shares") {
    return Take(to.cpu_shares, member.Unsigned());
  }
  if (name == "quota") {
    return Take(to.cpu_quota, member.Integer(kMin64, kMax64));
  }
  if (name == "burst") {
    return Take(to.cpu_burst, member.Unsigned());
  }
  if (name == "period") {
    return Take(to.cpu_period, member.Unsigned());
  }
  if (name == "realtimeRuntime") {
    return Take(to.cpu_realtime_runtime, member.Integer(kMin64, kMax64));
  }
  if (name == "realtimePeriod") {
    return Take(to.cpu_realtime_period, member.Unsigned());
  }
  if (name == "cpus") {
    return Take(to.cpuset_cpus, ReadNumberList(member));
  }
  if (name == "mems") {
    return Take(to.cpuset_mems, ReadNumberList(member));
  }
  return name == "idle" ? Take(to.cpu_idle, member.Integer(0, 1)) : Expected<bool>(false);
}

Expected<OciDeviceWeight> ReadDeviceWeight(const JsonCursor& place) {
  OciDeviceWeight weight;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "major") {
          return Take(weight.major, member.Unsigned(kMax32));
        }
        if (name == "minor") {
          return Take(weight.minor, member.Unsigned(kMax32));
        }
        if (name == "weight") {
          return Take(weight.weight, member.Unsigned(kMax16));
        }
        return name == "leafWeight" ? Take(weight.leaf_weight, member.Unsigned(kMax16))
                                    : Expected<bool>(false);
      }));
  return weight;
}

Expected<OciDeviceRate> ReadDeviceRate(const JsonCursor& place) {
  OciDeviceRate rate;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "major") {
          return Take(rate.major, member.Unsigned(kMax32));
        }
        if (name == "minor") {
          return Take(rate.minor, member.Unsigned(kMax32));
        }
        return name == "rate" ? Take(rate.rate, member.Unsigned()) : Expected<bool>(false);
      }));
  return rate;
}

template <typename Value>
Expected<bool> TakeElements(std::vector<Value>& list, const JsonCursor& place,
                            Expected<Value> (*read)(const JsonCursor&)) {
  return Known(EachElement(place, [&](const JsonCursor& element) -> Status {
    ASSIGN_OR_RETURN(Value value, read(element));
    list.push_back(std::move(value));
    return {};
  }));
}

Expected<bool> ReadBlockIo(std::string_view name, const JsonCursor& member, OciResources& to) {
  constexpr std::array<std::pair<std::string_view, std::vector<OciDeviceRate> OciResources::*>, 4>
      kRates{{{"throttleReadBpsDevice", &OciResources::read_bps},
              {"throttleWriteBpsDevice", &OciResources::write_bps},
              {"throttleReadIOPSDevice", &OciResources::read_iops},
              {"throttleWriteIOPSDevice", &OciResources::write_iops}}};
  for (const auto& [known, rates] : kRates) {
    if (name == known) {
      return TakeElements(to.*rates, member, ReadDeviceRate);
    }
  }
  if (name == "weight") {
    return Take(to.io_weight, member.Unsigned(kMax16));
  }
  if (name == "leafWeight") {
    return Take(to.io_leaf_weight, member.Unsigned(kMax16));
  }
  return name == "weightDevice" ? TakeElements(to.io_device_weights, member, ReadDeviceWeight)
                                : Expected<bool>(false);
}

Expected<bool> ReadPids(std::string_view name, const JsonCursor& member, OciResources& to) {
  return name == "limit" ? Take(to.pids_limit, member.Integer(kMin64, kMax64))
                         : Expected<bool>(false);
}

/// A word that becomes part of a file's name or of a line in a control file.
Expected<std::string> ReadWord(const JsonCursor& place) {
  ASSIGN_OR_RETURN(std::string word, ReadPlainString(place));
  if (word.empty() || word.find_first_of("/ \n") != std::string::npos) {
    return Fail(place.Mistake("expected a name without '/' and blanks"));
  }
  return word;
}

Expected<bool> ReadNetwork(std::string_view name, const JsonCursor& member, OciResources& to) {
  if (name == "classID") {
    return Take(to.network_class, member.Unsigned(kMax32));
  }
  if (name != "priorities") {
    return false;
  }
  return Known(EachElement(member, [&](const JsonCursor& element) -> Status {
    RETURN_IF_ERROR(element.OnlyMembers({"name", "priority"}));
    ASSIGN_OR_RETURN(const JsonCursor name_place, element.At("name"));
    ASSIGN_OR_RETURN(const std::string interface, ReadWord(name_place));
    ASSIGN_OR_RETURN(const JsonCursor priority_place, element.At("priority"));
    ASSIGN_OR_RETURN(const std::uint64_t priority, priority_place.Unsigned(kMax32));
    to.network_priorities[interface] = static_cast<std::uint32_t>(priority);
    return {};
  }));
}

Status ReadHugepageLimit(const JsonCursor& place, OciResources& to) {
  RETURN_IF_ERROR(place.OnlyMembers({"pageSize", "limit"}));
  ASSIGN_OR_RETURN(const JsonCursor size_place, place.At("pageSize"));
  ASSIGN_OR_RETURN(const std::string size, ReadWord(size_place));
  ASSIGN_OR_RETURN(const JsonCursor limit_place, place.At("limit"));
  ASSIGN_OR_RETURN(const std::uint64_t limit, limit_place.Unsigned());
  if (size.find_first_not_of("0123456789KMGTB") != std::string::npos || !size.ends_with('B')) {
    return Fail(size_place.Mistake("expected a size as 64KB, 2MB or 1GB"));
  }
  to.hugepage_limits[size] = limit;
  return {};
}

Expected<OciRdmaLimit> ReadRdmaLimit(const JsonCursor& place) {
  OciRdmaLimit limit;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "hcaHandles") {
          return Take(limit.handles, member.Unsigned(kMax32));
        }
        return name == "hcaObjects" ? Take(limit.objects, member.Unsigned(kMax32))
                                    : Expected<bool>(false);
      }));
  return limit;
}

Status ReadRdma(const JsonCursor& place, OciResources& to) {
  ASSIGN_OR_RETURN(const auto members, place.Members());
  for (const auto& [device, member] : members) {
    if (device.empty() || device.find_first_of("/ \n") != std::string::npos) {
      return Fail(member.Mistake("expected the name of a device"));
    }
    ASSIGN_OR_RETURN(to.rdma[device], ReadRdmaLimit(member));
  }
  return {};
}

Status ReadUnified(const JsonCursor& place, OciResources& to) {
  ASSIGN_OR_RETURN(const auto members, place.Members());
  for (const auto& [file, member] : members) {
    if (file.find('.') == std::string::npos || file.front() == '.' ||
        file.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
      return Fail(member.Mistake("expected the name of a cgroup's file, such as memory.high"));
    }
    ASSIGN_OR_RETURN(to.unified[file], ReadPlainString(member));
  }
  return {};
}

struct Group {
  std::string_view name;
  MemberReader read;
};

constexpr std::array<Group, 5> kGroups{{{"memory", ReadMemory},
                                        {"cpu", ReadCpu},
                                        {"pids", ReadPids},
                                        {"blockIO", ReadBlockIo},
                                        {"network", ReadNetwork}}};

}  // namespace

Expected<OciResources> ReadOciResources(const JsonCursor& place) {
  OciResources resources;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        for (const Group& group : kGroups) {
          if (name == group.name) {
            return Known(EachGivenMember(
                member, [&](std::string_view inner, const JsonCursor& inner_member) {
                  return group.read(inner, inner_member, resources);
                }));
          }
        }
        if (name == "devices") {
          return TakeElements(resources.devices, member, ReadDeviceRule);
        }
        if (name == "hugepageLimits") {
          return Known(EachElement(member, [&](const JsonCursor& element) {
            return ReadHugepageLimit(element, resources);
          }));
        }
        if (name == "rdma") {
          return Known(ReadRdma(member, resources));
        }
        return name == "unified" ? Known(ReadUnified(member, resources)) : Expected<bool>(false);
      }));
  return resources;
}

Expected<OciResources> ReadOciResources(std::string_view text, std::string_view source) {
  ASSIGN_OR_RETURN(const nlohmann::json document, JsonCursor::Parse(text, source));
  return ReadOciResources(JsonCursor(document, source));
}

}  // namespace cordon
