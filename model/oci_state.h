#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace cordon {

/// What is kept of a container between two calls of the runtime.
struct OciRecord {
  std::string id;
  std::int32_t pid = 0;  ///< as the creator's pid namespace numbers it; 0: there is none yet
  std::uint64_t start_time = 0;  ///< of that process, in clock ticks since boot (proc(5), stat 22)
  std::string bundle;            ///< absolute
  std::string root;              ///< absolute
  std::string created;           ///< RFC 3339, UTC
  std::uint32_t owner = 0;       ///< the creator's user id
  std::vector<std::string> cgroups;  ///< folders, parents are not among them
  std::map<std::string, std::string> annotations;
  bool operator==(const OciRecord&) const = default;
};

std::string WriteOciRecord(const OciRecord& record);

/// Fails with kInvalidInput, naming `source`, for what WriteOciRecord() does not write.
Expected<OciRecord> ReadOciRecord(std::string_view text, std::string_view source);

enum class OciStatus : std::uint8_t { kCreating, kCreated, kRunning, kPaused, kStopped };

std::string_view OciStatusName(OciStatus status);

/// The specification's own state (runtime.md, "State"), as hooks read it.
std::string WriteOciState(const OciRecord& record, OciStatus status);

/// The same with what runc's and crun's `state` and `list` say beside it: rootfs, created, owner.
std::string WriteOciStateDetails(const OciRecord& record, OciStatus status);

/// An array of those.
std::string WriteOciStateList(const std::vector<std::pair<OciRecord, OciStatus>>& containers);

/// What a seccomp agent gets with the listener (config-linux.md, "The Container Process State").
std::string WriteOciProcessState(const OciRecord& record, OciStatus status, std::int32_t pid,
                                 const std::string& metadata);

/// One line of a runtime's --log: {"level":…,"msg":…,"time":…} and a newline.
std::string WriteOciLogLine(std::string_view level, std::string_view message,
                            std::string_view time);

/// The version of the specification that this build follows.
inline constexpr std::string_view kOciVersion = "1.2.0";

}  // namespace cordon
