#include "observe/process_memory.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace cordon {
namespace {

/// Nearly all strings that programs pass are shorter, and one read of this size costs the same as
/// one of a byte.
constexpr std::size_t kChunkBytes = 256;

/// No architecture's pages are smaller, so a read that stays within this does not fail for what
/// lies behind the string.
constexpr std::size_t kPageBytes = 4096;

void* Pointer(RemoteAddress address) {
  // The kernel takes remote addresses as pointers; this one is never used here.
  return reinterpret_cast<void*>(address.value);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace

Status ProcessMemory::Read(RemoteAddress from, void* into, std::size_t size) const {
  const iovec local{into, size};
  const iovec remote{Pointer(from), size};
  const ssize_t got = ::process_vm_readv(task_, &local, 1, &remote, 1, 0);
  if (got < 0) {
    return Fail(SystemError(errno, "read the memory of a process"));
  }
  if (static_cast<std::size_t>(got) != size) {  // the end of the mapping
    return Fail(SystemError(EFAULT, "read the memory of a process"));
  }
  return {};
}

Expected<std::string> ProcessMemory::ReadString(RemoteAddress from, std::size_t limit) const {
  std::string text;
  std::array<char, kChunkBytes> chunk;
  while (text.size() < limit) {
    const RemoteAddress at = from + text.size();
    const std::size_t to_page_end = kPageBytes - (at.value % kPageBytes);
    const std::size_t size = std::min({chunk.size(), to_page_end, limit - text.size()});
    RETURN_IF_ERROR(Read(at, chunk.data(), size));
    const std::string_view part(chunk.data(), size);
    text.append(part.substr(0, part.find('\0')));
    if (part.contains('\0')) {
      return text;
    }
  }
  return Fail(MakeError(ErrorCode::kLimit, "a string in the memory of a process has no end"));
}

Status ProcessMemory::Write(RemoteAddress to, const void* bytes, std::size_t size) const {
  const iovec local{const_cast<void*>(bytes), size};  // only read
  const iovec remote{Pointer(to), size};
  const ssize_t put = ::process_vm_writev(task_, &local, 1, &remote, 1, 0);
  if (put < 0) {
    return Fail(SystemError(errno, "write the memory of a process"));
  }
  if (static_cast<std::size_t>(put) != size) {
    return Fail(SystemError(EFAULT, "write the memory of a process"));
  }
  return {};
}

}  // namespace cordon
