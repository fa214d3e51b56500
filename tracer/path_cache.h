#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>

#include "observe/path_resolver.h"

namespace cordon {

/// Remembers resolved paths for a short while, so that a server that opens the same file a thousand
/// times a second costs one walk and not a thousand. What another process changes meanwhile is seen
/// when the time is over; what the workload changes, by Clear().
class PathCache {
 public:
  static constexpr std::chrono::milliseconds kLifetime{100};
  static constexpr std::size_t kMaxEntries = 8192;

  struct Entry {
    std::shared_ptr<const ResolvedPath> path;
    std::string noted_for;  ///< the program whose walk is in the recording already
    std::string link_text;  ///< what /proc/PID/fd/N said when this path was last opened
    OpenFile opened;        ///< and what that meant
    std::chrono::steady_clock::time_point made;
  };

  /// The entry for `key` if it is young enough.
  Entry* Find(const std::string& key);
  Entry& Put(const std::string& key, ResolvedPath path);

  void Clear() { entries_.clear(); }

 private:
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace cordon
