#include "model/recording_comparison.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"
#include "model/errno_name.h"
#include "model/recorded_calls.h"
#include "model/recording_names.h"
#include "model/socket_names.h"
#include "model/syscall_signature.h"

namespace cordon {
namespace {

std::string ResultName(int error) {
  return error == 0 ? "ok" : std::string(ErrnoName(error));
}

/// The observation of `key` in `map`, or an empty one.
template <typename Map>
const typename Map::mapped_type& Find(const Map& map, const typename Map::key_type& key) {
  static const typename Map::mapped_type kNothing;
  const auto found = map.find(key);
  return found == map.end() ? kNothing : found->second;
}

bool LiesIn(const std::vector<ScalarRange>& ranges, const ArgumentTuple& tuple) {
  return ranges.size() == tuple.size() &&
         std::ranges::equal(ranges, tuple, [](const ScalarRange& range, std::uint64_t value) {
           return range.minimum <= value && value <= range.maximum && (value & ~range.bits_or) == 0;
         });
}

bool LieIn(const std::vector<ScalarRange>& ranges, const std::vector<ScalarRange>& inner) {
  return ranges.size() == inner.size() &&
         std::ranges::equal(ranges, inner, [](const ScalarRange& range, const ScalarRange& one) {
           return range.minimum <= one.minimum && one.maximum <= range.maximum &&
                  (one.bits_or & ~range.bits_or) == 0;
         });
}

class Missing {
 public:
  std::vector<std::string> Between(const Recording& left, const Recording& right);

 private:
  void Calls(const Recording& left, const Recording& right);
  void Files(const Recording& left, const Recording& right);
  void Sockets(const Recording& left, const Recording& right);
  void Programs(const Recording& left, const Recording& right);

  /// The results that only `left` has, as lines about `what`.
  void Results(const std::string& what, const ResultCounts& left, const ResultCounts& right) {
    for (const auto& [error, count] : left) {
      if (!right.contains(error)) {
        lines_.push_back(fmt::format("{}: {}", what, ResultName(error)));
      }
    }
  }

  std::vector<std::string> lines_;
};

std::string CallName(Syscall call) {
  return fmt::format("{} on {}", SyscallLabel(call), Name(call.arch));
}

/// "socket(0: 0x2, 1: 0x1) on x86_64", each value by its key in the recording.
std::string CallText(Syscall call, const ArgumentTuple& tuple) {
  std::string arguments;
  std::size_t position = 0;
  for (const ScalarArgument& scalar : RecordedScalars(call.arch, SyscallName(call).value_or(""))) {
    if (position < tuple.size()) {
      arguments += fmt::format("{}{}: {:#x}", position == 0 ? "" : ", ", RecordingKey(scalar),
                               tuple[position]);
      ++position;
    }
  }
  return fmt::format("{}({}) on {}", SyscallLabel(call), arguments, Name(call.arch));
}

void Missing::Calls(const Recording& left, const Recording& right) {
  for (const auto& [call, mine] : left.syscalls) {
    const auto found = right.syscalls.find(call);
    if (found == right.syscalls.end()) {
      lines_.push_back(CallName(call));
      continue;
    }
    const SyscallObservation& other = found->second;
    for (const auto& [tuple, seen] : mine.tuples) {
      if (other.overflow) {
        if (!LiesIn(*other.overflow, tuple)) {
          lines_.push_back(CallText(call, tuple));
        }
      } else if (!other.tuples.contains(tuple)) {
        lines_.push_back(CallText(call, tuple));
      } else {
        Results(CallText(call, tuple), seen.results, other.tuples.at(tuple).results);
      }
    }
    if (mine.overflow && !(other.overflow && LieIn(*other.overflow, *mine.overflow))) {
      lines_.push_back(fmt::format("{}: more arguments", CallName(call)));
    }
    if (mine.tuples.empty() || other.overflow) {
      Results(CallName(call), mine.results, other.results);
    }
  }
}

void Missing::Files(const Recording& left, const Recording& right) {
  for (const auto& [key, mine] : left.files) {
    const FileObservation& other = Find(right.files, key);
    const std::string what = fmt::format("{} {}", Name(key.file_class), Quote(key.path));
    if (mine.access.empty() && mine.failures.empty() && !right.files.contains(key)) {
      lines_.push_back(what);
    }
    for (const FileAccess access : mine.access.List()) {
      if (!other.access.Has(access)) {
        lines_.push_back(fmt::format("{}: {}", what, Name(access)));
      }
    }
    for (const std::uint32_t request : mine.ioctls) {
      if (!other.ioctls.contains(request)) {
        lines_.push_back(fmt::format("{}: ioctl {:#x}", what, request));
      }
    }
    Results(what, mine.failures, other.failures);
  }
}

void Missing::Sockets(const Recording& left, const Recording& right) {
  for (const auto& [key, mine] : left.sockets) {
    const auto family = SocketFamilyName(key.family);
    const auto type = SocketTypeName(key.type);
    std::string what =
        fmt::format("{} of {} {} {}", Name(key.operation),
                    family ? std::string(*family) : std::to_string(key.family),
                    type ? std::string(*type) : std::to_string(key.type), key.protocol);
    if (!key.address.empty() || key.port != 0) {
      what += fmt::format(" {} port {}", Quote(key.address), key.port);
    }
    if (mine.results.empty() && !right.sockets.contains(key)) {
      lines_.push_back(what);
    }
    Results(what, mine.results, Find(right.sockets, key).results);
  }
}

void Missing::Programs(const Recording& left, const Recording& right) {
  for (const auto& [key, mine] : left.processes) {
    const auto found = right.processes.find(key);
    const std::string what = key.parent.empty()
                                 ? Quote(key.executable)
                                 : Quote(key.executable) + " from " + Quote(key.parent);
    if (found == right.processes.end()) {
      lines_.push_back("program " + what);
      continue;
    }
    for (const std::uint32_t uid : mine.uids) {
      if (!found->second.uids.contains(uid)) {
        lines_.push_back(fmt::format("program {}: user {}", what, uid));
      }
    }
    for (const std::uint32_t gid : mine.gids) {
      if (!found->second.gids.contains(gid)) {
        lines_.push_back(fmt::format("program {}: group {}", what, gid));
      }
    }
  }
  for (const auto& [capability, use] : left.capabilities) {
    if (!right.capabilities.contains(capability)) {
      lines_.push_back("capability " + capability);
    }
  }
}

std::vector<std::string> Missing::Between(const Recording& left, const Recording& right) {
  Calls(left, right);
  Files(left, right);
  Sockets(left, right);
  Programs(left, right);
  return std::move(lines_);
}

}  // namespace

std::vector<std::string> MissingBehaviours(const Recording& left, const Recording& right) {
  return Missing().Between(left, right);
}

}  // namespace cordon
