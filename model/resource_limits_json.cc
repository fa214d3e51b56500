#include "model/resource_limits_json.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/json_members.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostBytes = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kMaxDeviceNumber = 0xffffffff;

using RateList = std::vector<DeviceRate> ResourceLimits::*;

/// Add a row, and both directions know it.
constexpr std::array<std::pair<std::string_view, RateList>, 4> kRates{{
    {"throttleReadBpsDevice", &ResourceLimits::read_bps},
    {"throttleWriteBpsDevice", &ResourceLimits::write_bps},
    {"throttleReadIOPSDevice", &ResourceLimits::read_iops},
    {"throttleWriteIOPSDevice", &ResourceLimits::write_iops},
}};

struct NumberMember {
  std::string_view group;
  std::string_view name;
  std::optional<std::uint64_t> ResourceLimits::* limit;
  std::int64_t least;  ///< -1: may be lifted
  std::int64_t most;
};

constexpr std::array<NumberMember, 7> kNumbers{{
    {"memory", "limit", &ResourceLimits::memory_bytes, -1, kMostBytes},
    {"memory", "swap", &ResourceLimits::memory_swap_bytes, -1, kMostBytes},
    {"memory", "reservation", &ResourceLimits::memory_reservation_bytes, -1, kMostBytes},
    {"cpu", "quota", &ResourceLimits::cpu_quota_us, -1, kMostBytes},
    {"cpu", "shares", &ResourceLimits::cpu_shares, 2, 262'144},
    {"pids", "limit", &ResourceLimits::pids, -1, kMostBytes - 1},
    {"blockIO", "weight", &ResourceLimits::io_weight, 10, 1000},
}};

struct AccessLetter {
  char letter;
  std::uint8_t bit;
};

constexpr std::array<AccessLetter, 3> kAccess{
    {{'r', kReadDevice}, {'w', kWriteDevice}, {'m', kMakeDevice}}};

Json NumberJson(std::uint64_t value) {
  return value == kUnlimited ? Json(-1) : Json(value);
}

Json RuleJson(const DeviceRule& rule) {
  Json json;
  json["allow"] = rule.answer == DeviceAnswer::kAllow;
  json["type"] = rule.kind == DeviceKind::kAny ? "a" : rule.kind == DeviceKind::kBlock ? "b" : "c";
  if (rule.major) {
    json["major"] = *rule.major;
  }
  if (rule.minor) {
    json["minor"] = *rule.minor;
  }
  std::string access;
  for (const AccessLetter& entry : kAccess) {
    if ((rule.access & entry.bit) != 0) {
      access += entry.letter;
    }
  }
  json["access"] = access;
  return json;
}

Expected<std::uint64_t> ReadNumber(const JsonCursor& value, std::int64_t least, std::int64_t most) {
  ASSIGN_OR_RETURN(const std::int64_t number, value.Integer(least, most));
  return number < 0 ? kUnlimited : static_cast<std::uint64_t>(number);
}

Expected<std::vector<DeviceRate>> ReadRates(const JsonCursor& place) {
  std::vector<DeviceRate> rates;
  RETURN_IF_ERROR(EachElement(place, [&](const JsonCursor& element) -> Status {
    DeviceRate rate;
    RETURN_IF_ERROR(
        EachMember(element, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
          if (name == "major") {
            return Take(rate.device.major, value.Unsigned(kMaxDeviceNumber));
          }
          if (name == "minor") {
            return Take(rate.device.minor, value.Unsigned(kMaxDeviceNumber));
          }
          return name == "rate" ? Take(rate.rate, ReadNumber(value, -1, kMostBytes))
                                : Expected<bool>(false);
        }));
    if (rate.rate == 0) {
      return Fail(element.Mistake("a rate of at least 1, or of -1 for none"));
    }
    rates.push_back(rate);
    return {};
  }));
  return rates;
}

Expected<DeviceKind> ReadKind(const JsonCursor& place) {
  ASSIGN_OR_RETURN(const std::string type, place.String());
  if (type == "a") {
    return DeviceKind::kAny;
  }
  if (type == "b") {
    return DeviceKind::kBlock;
  }
  if (type == "c" || type == "u") {
    return DeviceKind::kCharacter;
  }
  return Fail(place.Mistake("expected a, b or c"));
}

Expected<std::uint8_t> ReadAccess(const JsonCursor& place) {
  ASSIGN_OR_RETURN(const std::string text, place.String());
  std::uint8_t access = 0;
  for (const char letter : text) {
    const auto* const known = std::ranges::find(kAccess, letter, &AccessLetter::letter);
    if (known == kAccess.end()) {
      return Fail(place.Mistake("expected letters of rwm"));
    }
    access |= known->bit;
  }
  if (access == 0) {
    return Fail(place.Mistake("expected letters of rwm"));
  }
  return access;
}

/// -1 stands for every number, as leaving it out does.
Expected<bool> TakeNumber(std::optional<std::uint32_t>& number, const JsonCursor& place) {
  ASSIGN_OR_RETURN(const std::int64_t value,
                   place.Integer(-1, static_cast<std::int64_t>(kMaxDeviceNumber)));
  number = value < 0 ? std::nullopt : std::optional(static_cast<std::uint32_t>(value));
  return true;
}

Status ReadDeviceRule(const JsonCursor& place, std::vector<DeviceRule>& rules) {
  DeviceRule rule;
  bool answered = false;
  RETURN_IF_ERROR(
      EachMember(place, [&](std::string_view name, const JsonCursor& value) -> Expected<bool> {
        if (name == "allow") {
          ASSIGN_OR_RETURN(const bool allow, value.Boolean());
          rule.answer = allow ? DeviceAnswer::kAllow : DeviceAnswer::kDeny;
          answered = true;
          return true;
        }
        if (name == "type") {
          return Take(rule.kind, ReadKind(value));
        }
        if (name == "major") {
          return TakeNumber(rule.major, value);
        }
        if (name == "minor") {
          return TakeNumber(rule.minor, value);
        }
        return name == "access" ? Take(rule.access, ReadAccess(value)) : Expected<bool>(false);
      }));
  if (!answered) {
    return Fail(place.Mistake("a device rule without allow"));
  }
  rules.push_back(rule);
  return {};
}

/// "memory.high": a controller, and what it has in a cgroup's folder. What begins with "cgroup." is
/// how the sandbox itself is managed.
bool IsControllerFile(std::string_view name) {
  return name.size() < 64 && name.find('.') != std::string_view::npos && name.front() >= 'a' &&
         name.front() <= 'z' && !name.starts_with("cgroup.") &&
         std::ranges::all_of(
             name,
             [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_';
             });
}

Status ReadUnified(const JsonCursor& place, ResourceLimits& limits) {
  ASSIGN_OR_RETURN(const auto members, place.Members());
  for (const auto& [name, member] : members) {
    if (!IsControllerFile(name)) {
      return Fail(member.Mistake("expected the file of a controller, such as memory.high"));
    }
    ASSIGN_OR_RETURN(std::string value, member.String());
    if (value.empty()) {
      return Fail(member.Mistake("expected what to write"));
    }
    limits.unified[name] = std::move(value);
  }
  return {};
}

Expected<bool> ReadMember(std::string_view group, std::string_view name, const JsonCursor& value,
                          ResourceLimits& limits) {
  for (const NumberMember& number : kNumbers) {
    if (number.group == group && number.name == name) {
      return Take(limits.*number.limit, ReadNumber(value, number.least, number.most));
    }
  }
  if (group == "cpu" && name == "period") {
    return Take(limits.cpu_period_us, value.Unsigned(1'000'000));
  }
  if (group == "cpu" && name == "cpus") {
    return Take(limits.cpuset_cpus, value.String());
  }
  if (group == "cpu" && name == "mems") {
    return Take(limits.cpuset_mems, value.String());
  }
  for (const auto& [rate, list] : kRates) {
    if (group == "blockIO" && name == rate) {
      return Take(limits.*list, ReadRates(value));
    }
  }
  return false;
}

}  // namespace

std::string WriteResourceLimits(const ResourceLimits& limits) {
  Json json = Json::object();
  for (const NumberMember& number : kNumbers) {
    if (const std::optional<std::uint64_t>& limit = limits.*number.limit) {
      json[std::string(number.group)][std::string(number.name)] = NumberJson(*limit);
    }
  }
  if (limits.cpu_quota_us || limits.cpu_period_us != ResourceLimits().cpu_period_us) {
    json["cpu"]["period"] = limits.cpu_period_us;
  }
  if (!limits.cpuset_cpus.empty()) {
    json["cpu"]["cpus"] = limits.cpuset_cpus;
  }
  if (!limits.cpuset_mems.empty()) {
    json["cpu"]["mems"] = limits.cpuset_mems;
  }
  for (const auto& [name, list] : kRates) {
    for (const DeviceRate& rate : limits.*list) {
      json["blockIO"][std::string(name)].push_back({{"major", rate.device.major},
                                                    {"minor", rate.device.minor},
                                                    {"rate", NumberJson(rate.rate)}});
    }
  }
  for (const DeviceRule& rule : limits.devices) {
    json["devices"].push_back(RuleJson(rule));
  }
  for (const auto& [file, value] : limits.unified) {
    json["unified"][file] = value;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Expected<ResourceLimits> ReadResourceLimits(const JsonCursor& place) {
  ResourceLimits limits;
  RETURN_IF_ERROR(
      EachMember(place, [&](std::string_view group, const JsonCursor& members) -> Expected<bool> {
        if (group == "devices") {
          return Known(EachElement(members, [&](const JsonCursor& element) {
            return ReadDeviceRule(element, limits.devices);
          }));
        }
        if (group == "unified") {
          return Known(ReadUnified(members, limits));
        }
        if (group != "memory" && group != "cpu" && group != "pids" && group != "blockIO") {
          return false;
        }
        return Known(EachMember(members, [&](std::string_view name, const JsonCursor& value) {
          return ReadMember(group, name, value, limits);
        }));
      }));
  return limits;
}

}  // namespace cordon
