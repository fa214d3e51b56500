#include "tracer/extended_attribute.h"

#include <linux/limits.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "observe/process_memory.h"

namespace cordon {
namespace {

/// Calls of which argument `index` is the name.
struct NameRow {
  std::string_view call;
  std::size_t index;
};

constexpr auto kNames = std::to_array<NameRow>({
    {"fgetxattr", 1},
    {"fremovexattr", 1},
    {"fsetxattr", 1},
    {"getxattr", 1},
    {"getxattrat", 3},
    {"lgetxattr", 1},
    {"lremovexattr", 1},
    {"lsetxattr", 1},
    {"removexattr", 1},
    {"removexattrat", 3},
    {"setxattr", 1},
    {"setxattrat", 3},
});

}  // namespace

std::optional<std::string> ExtendedAttribute(const TaskState& task, const CallFrame& frame) {
  const auto* const row = std::ranges::find(kNames, frame.signature->name, &NameRow::call);
  if (row == kNames.end()) {
    return std::nullopt;
  }
  Expected<std::string> name = ProcessMemory(task.id).ReadString(
      RemoteAddress{frame.meant.arguments[row->index]}, XATTR_NAME_MAX);
  return name.has_value() ? std::optional(std::move(*name)) : std::nullopt;
}

}  // namespace cordon
