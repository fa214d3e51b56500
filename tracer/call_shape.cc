#include "tracer/call_shape.h"

#include <algorithm>
#include <string_view>

#include "model/syscall_signature.h"

namespace cordon {
namespace {

bool IsPath(ArgumentRole role) {
  return role == ArgumentRole::kPath || role == ArgumentRole::kPathNoFollow ||
         role == ArgumentRole::kText || role == ArgumentRole::kOpenHow;
}

/// Which roles' descriptors a rule of this effect looks at; nothing for an effect whose every call
/// must be seen.
struct Looks {
  bool transferred = false;  ///< kReadFd, kWriteFd
  bool itself = false;       ///< kFd
};

std::optional<Looks> LooksOf(const SyscallSignature& signature) {
  switch (signature.effect) {
    case SyscallEffect::kNone:
      return Looks{.transferred = true, .itself = false};
    case SyscallEffect::kGetattr:
      // Of an extended attribute the name, in memory, matters too.
      return signature.name.contains("xattr")
                 ? std::nullopt
                 : std::optional(Looks{.transferred = true, .itself = true});
    case SyscallEffect::kListDirectory:
    case SyscallEffect::kLock:
    case SyscallEffect::kIoctl:
    case SyscallEffect::kDescriptorControl:
    case SyscallEffect::kSend:
    case SyscallEffect::kSendMessage:
    case SyscallEffect::kReceiveMessage:
    case SyscallEffect::kMap:
    case SyscallEffect::kProtect:
      return Looks{.transferred = true, .itself = signature.effect != SyscallEffect::kMap};
    default:
      return std::nullopt;
  }
}

/// Calls with one path, of which path, directory and these registers say everything.
struct PathRow {
  std::string_view name;
  PathPart path;
  std::array<std::int8_t, 2> scalars{-1, -1};
  bool opens = false;
};

constexpr std::uint16_t kStatBytes = 144;   // struct stat of x86-64
constexpr std::uint16_t kStatxBytes = 256;  // struct statx

constexpr auto kPathRows = std::to_array<PathRow>({
    {"access", {0, {}, {}}, {1, -1}},
    {"faccessat", {1, 0, {}}, {2, -1}},
    {"faccessat2", {1, 0, {}}, {2, 3}},
    {"lstat", {0, {}, 1, kStatBytes}},
    {"newfstatat", {1, 0, 2, kStatBytes}, {3, -1}},
    {"open", {0, {}, {}}, {1, -1}, true},
    {"openat", {1, 0, {}}, {2, -1}, true},
    {"readlink", {0, {}, 1}},
    {"readlinkat", {1, 0, 2}},
    {"stat", {0, {}, 1, kStatBytes}},
    {"statx", {1, 0, 4, kStatxBytes}, {2, -1}},
});

void Add(CallShape& shape, KeyPart part) {
  shape.parts.at(shape.size++) = part;
}

}  // namespace

std::optional<CallShape> ShapeOf(Syscall call) {
  const SyscallSignature& signature = SignatureOf(call);
  if (signature.name == "close") {
    CallShape shape;
    shape.closes = true;
    return shape;
  }
  if (const auto* const row = std::ranges::find(kPathRows, signature.name, &PathRow::name);
      row != kPathRows.end()) {
    CallShape shape;
    shape.path = row->path;
    shape.opens = row->opens;
    for (const std::int8_t scalar : row->scalars) {
      if (scalar >= 0) {
        Add(shape, {.kind = KeyPart::Kind::kScalar,
                    .index = static_cast<std::uint8_t>(scalar),
                    .width_bits = 32});
      }
    }
    return shape;
  }
  // restart_syscall(2) goes on with a call that only the kernel knows, mremap(2) may take memory
  // that the program does not know of, and what sched_getaffinity(2) and its kin tell is put right
  // at their stop (ProcessorSharing).
  if (signature.result != ResultKind::kStatus || signature.name == "restart_syscall" ||
      signature.name == "mremap" || signature.name == "sched_getaffinity" ||
      signature.name == "sched_setaffinity" || std::ranges::any_of(signature.roles, IsPath)) {
    return std::nullopt;
  }
  const std::optional<Looks> looks = LooksOf(signature);
  if (!looks) {
    return std::nullopt;
  }
  CallShape shape;
  shape.controls = signature.name == "fcntl";
  if (signature.name == "munmap") {
    shape.small = 1;
  }
  for (const ScalarArgument& scalar : signature.scalars) {
    if (!scalar.member.empty() || scalar.only_for != 0) {
      return std::nullopt;
    }
    Add(shape,
        {.kind = KeyPart::Kind::kScalar, .index = scalar.index, .width_bits = scalar.width_bits});
  }
  for (std::size_t i = 0; i < signature.roles.size(); ++i) {
    const ArgumentRole role = signature.roles[i];
    const bool transferred = role == ArgumentRole::kReadFd || role == ArgumentRole::kWriteFd;
    if ((transferred && looks->transferred) || (role == ArgumentRole::kFd && looks->itself)) {
      Add(shape, {.kind = KeyPart::Kind::kDescriptor,
                  .index = static_cast<std::uint8_t>(i),
                  .width_bits = 32});
    }
  }
  return shape;
}

}  // namespace cordon
