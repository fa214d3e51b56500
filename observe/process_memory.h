#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "common/error.h"

namespace cordon {

/// An address in another process: never to be dereferenced here.
struct RemoteAddress {
  std::uint64_t value = 0;

  bool null() const { return value == 0; }

  RemoteAddress operator+(std::uint64_t offset) const { return {value + offset}; }
};

/// Reads the memory of one task by process_vm_readv(2). The caller must be allowed to ptrace it,
/// and it must be stopped or waiting for us, else what is read may change meanwhile. All reads fail
/// with ESRCH when the task is gone and EFAULT when the address is not readable.
class ProcessMemory {
 public:
  explicit ProcessMemory(pid_t task) : task_(task) {}

  /// Exactly `size` bytes.
  Status Read(RemoteAddress from, void* into, std::size_t size) const;

  /// A value of a trivially copyable type.
  template <typename T>
  Expected<T> ReadValue(RemoteAddress from) const {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    RETURN_IF_ERROR(Read(from, &value, sizeof value));
    return value;
  }

  /// The bytes before the next NUL. Fails with kLimit when there is none within `limit` bytes.
  Expected<std::string> ReadString(RemoteAddress from, std::size_t limit) const;

  /// Replaces exactly `size` bytes by process_vm_writev(2).
  Status Write(RemoteAddress to, const void* bytes, std::size_t size) const;

 private:
  pid_t task_;
};

}  // namespace cordon
