#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace cordon {

/// A line of /proc/PID/maps.
struct Mapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  ///< exclusive
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool is_private = false;
  std::string path;  ///< empty: anonymous; "[heap]" and its like in brackets
};

/// Parses one line; nothing when it is none.
std::optional<Mapping> ParseMapping(std::string_view line);

/// The mapping of `task` that holds `address`; nothing when there is none.
Expected<std::optional<Mapping>> FindMapping(pid_t task, std::uint64_t address);

/// All mappings of `task`, in ascending order.
Expected<std::vector<Mapping>> ReadMappings(pid_t task);

/// The O_* of descriptor `fd` of `task` (/proc/TID/fdinfo); nothing when that cannot be read.
std::optional<std::uint64_t> DescriptorFlags(pid_t task, int fd);

/// Was it opened with O_APPEND? False when that cannot be read.
bool OpenedForAppend(pid_t task, int fd);

}  // namespace cordon
