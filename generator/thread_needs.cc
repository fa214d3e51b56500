#include "generator/thread_needs.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <optional>

namespace cordon {
namespace {

/// malloc/arena.c: shrink_heap() with malloc-sysdep.h's check_may_shrink_heap(), and arena_get2()
/// from the ninth arena on (glibc BZ 30945; before that by sched_getaffinity(2), as a fall-back
/// still).
constexpr auto kFiles = std::to_array<ThreadFile>({
    {"/proc/sys/vm/overcommit_memory", "which glibc reads when a thread first gives memory back"},
    {"/sys/devices/system/cpu/online", "which glibc reads when many threads want memory"},
});

/// The only recorded scalar of both calls is their flags, whose lower 32 bits CLONE_THREAD is in.
bool HasThreadFlag(const SyscallObservation& observation) {
  const auto is_set = [](std::uint64_t flags) { return (flags & CLONE_THREAD) != 0; };
  if (observation.overflow.has_value()) {
    return !observation.overflow->empty() && is_set(observation.overflow->front().bits_or);
  }
  return std::ranges::any_of(observation.tuples, [&](const auto& one) {
    const auto& [tuple, seen] = one;
    return !tuple.empty() && is_set(tuple.front()) && seen.results.contains(0);
  });
}

}  // namespace

bool MakesThreads(const Recording& recording) {
  return std::ranges::any_of(recording.syscalls, [](const auto& one) {
    const auto& [call, observation] = one;
    const std::optional<std::string_view> name = SyscallName(call);
    return (name == "clone" || name == "clone3") && observation.results.contains(0) &&
           HasThreadFlag(observation);
  });
}

std::span<const ThreadFile> FilesOfThreads() {
  return kFiles;
}

}  // namespace cordon
