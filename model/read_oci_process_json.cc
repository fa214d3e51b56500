#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "model/json_members.h"
#include "model/read_oci_parts.h"

namespace cordon {
namespace {

constexpr std::uint64_t kMax16 = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();

Expected<std::set<std::string>> ReadSet(const JsonCursor& place) {
  ASSIGN_OR_RETURN(const std::vector<std::string> list, ReadPlainStrings(place));
  return std::set<std::string>(list.begin(), list.end());
}

Expected<OciConsoleSize> ReadConsoleSize(const JsonCursor& place) {
  OciConsoleSize size;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "height") {
          return Take(size.height, member.Unsigned(kMax16));
        }
        return name == "width" ? Take(size.width, member.Unsigned(kMax16)) : Expected<bool>(false);
      }));
  return size;
}

Expected<OciUser> ReadUser(const JsonCursor& place) {
  constexpr std::uint64_t kMaxUmask = 0777;
  OciUser user;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        // The largest is -1, which set*id(2) take for "as it is".
        if (name == "uid") {
          return Take(user.uid, member.Unsigned(kMax32 - 1));
        }
        if (name == "gid") {
          return Take(user.gid, member.Unsigned(kMax32 - 1));
        }
        if (name == "umask") {
          return Take(user.umask, member.Unsigned(kMaxUmask));
        }
        if (name == "username") {
          std::string ignored;  // for Windows only (config.md)
          return Take(ignored, member.String());
        }
        if (name != "additionalGids") {
          return false;
        }
        return Known(EachElement(member, [&](const JsonCursor& element) -> Status {
          ASSIGN_OR_RETURN(const std::uint64_t gid, element.Unsigned(kMax32 - 1));
          user.additional_gids.push_back(static_cast<std::uint32_t>(gid));
          return {};
        }));
      }));
  return user;
}

Expected<OciCapabilities> ReadCapabilities(const JsonCursor& place) {
  OciCapabilities sets;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        constexpr std::array<std::pair<std::string_view, std::set<std::string> OciCapabilities::*>,
                             5>
            kSets{{{"bounding", &OciCapabilities::bounding},
                   {"effective", &OciCapabilities::effective},
                   {"inheritable", &OciCapabilities::inheritable},
                   {"permitted", &OciCapabilities::permitted},
                   {"ambient", &OciCapabilities::ambient}}};
        for (const auto& [known, set] : kSets) {
          if (name == known) {
            return Take(sets.*set, ReadSet(member));
          }
        }
        return false;
      }));
  return sets;
}

Expected<Rlimit> ReadRlimit(const JsonCursor& place) {
  Rlimit limit;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "type") {
          return Take(limit.type, ReadPlainString(member));
        }
        if (name == "hard") {
          return Take(limit.hard, member.Unsigned());
        }
        return name == "soft" ? Take(limit.soft, member.Unsigned()) : Expected<bool>(false);
      }));
  if (limit.soft > limit.hard) {
    return Fail(place.Mistake("the soft limit is above the hard one"));
  }
  return limit;
}

Status ReadRlimits(const JsonCursor& place, std::vector<Rlimit>& limits) {
  return EachElement(place, [&](const JsonCursor& element) -> Status {
    ASSIGN_OR_RETURN(const Rlimit limit, ReadRlimit(element));
    if (std::ranges::find(limits, limit.type, &Rlimit::type) != limits.end()) {
      return Fail(element.Mistake("a second limit of one type"));
    }
    limits.push_back(limit);
    return {};
  });
}

Expected<OciScheduler> ReadScheduler(const JsonCursor& place) {
  OciScheduler scheduler;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "policy") {
          return Take(scheduler.policy, ReadPlainString(member));
        }
        if (name == "nice") {
          return Take(scheduler.nice, member.Integer(-20, 19));
        }
        if (name == "priority") {
          return Take(scheduler.priority, member.Integer(0, 99));
        }
        if (name == "flags") {
          return Take(scheduler.flags, ReadSet(member));
        }
        if (name == "runtime") {
          return Take(scheduler.runtime, member.Unsigned());
        }
        if (name == "deadline") {
          return Take(scheduler.deadline, member.Unsigned());
        }
        return name == "period" ? Take(scheduler.period, member.Unsigned()) : Expected<bool>(false);
      }));
  if (scheduler.policy.empty()) {
    return Fail(place.Mistake("\"policy\" is missing"));
  }
  return scheduler;
}

Expected<OciIoPriority> ReadIoPriority(const JsonCursor& place) {
  OciIoPriority priority;
  RETURN_IF_ERROR(EachGivenMember(
      place, [&](std::string_view name, const JsonCursor& member) -> Expected<bool> {
        if (name == "class") {
          return Take(priority.io_class, ReadPlainString(member));
        }
        return name == "priority" ? Take(priority.priority, member.Integer(0, 7))
                                  : Expected<bool>(false);
      }));
  if (priority.io_class.empty()) {
    return Fail(place.Mistake("\"class\" is missing"));
  }
  return priority;
}

Expected<bool> ReadMember(std::string_view name, const JsonCursor& member, OciProcess& process) {
  if (name == "terminal") {
    return Take(process.terminal, member.Boolean());
  }
  if (name == "consoleSize") {
    return Take(process.console_size, ReadConsoleSize(member));
  }
  if (name == "user") {
    return Take(process.user, ReadUser(member));
  }
  if (name == "args") {
    return Take(process.arguments, ReadPlainStrings(member));
  }
  if (name == "env") {
    return Take(process.environment, ReadPlainStrings(member));
  }
  if (name == "cwd") {
    return Take(process.working_directory, ReadAbsolutePath(member));
  }
  if (name == "capabilities") {
    return Take(process.capabilities, ReadCapabilities(member));
  }
  if (name == "rlimits") {
    return Known(ReadRlimits(member, process.rlimits));
  }
  if (name == "noNewPrivileges") {
    return Take(process.no_new_privileges, member.Boolean());
  }
  if (name == "apparmorProfile") {
    return Take(process.apparmor_profile, ReadPlainString(member));
  }
  if (name == "selinuxLabel") {
    return Take(process.selinux_label, ReadPlainString(member));
  }
  if (name == "oomScoreAdj") {
    return Take(process.oom_score_adj, member.Integer(-1000, 1000));
  }
  if (name == "scheduler") {
    return Take(process.scheduler, ReadScheduler(member));
  }
  if (name == "ioPriority") {
    return Take(process.io_priority, ReadIoPriority(member));
  }
  return false;
}

}  // namespace

Expected<OciProcess> ReadOciProcess(const JsonCursor& place) {
  OciProcess process;
  RETURN_IF_ERROR(EachGivenMember(place, [&](std::string_view name, const JsonCursor& member) {
    return ReadMember(name, member, process);
  }));
  if (process.working_directory.empty()) {
    return Fail(place.Mistake("\"cwd\" is missing"));
  }
  if (process.arguments.empty() || process.arguments.front().empty()) {
    return Fail(place.Mistake("\"args\" names no command"));
  }
  return process;
}

}  // namespace cordon
