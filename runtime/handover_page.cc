#include "runtime/handover_page.h"

#include <sys/mman.h>

#include <cerrno>
#include <new>
#include <utility>

namespace cordon {

Expected<SharedHandover> SharedHandover::Create() {
  void* memory = ::mmap(nullptr, sizeof(HandoverPage), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    const int mmap_errno = errno;
    return Fail(SystemError(mmap_errno, "mapping the page shared with the workload"));
  }
  return SharedHandover(::new (memory) HandoverPage);
}

SharedHandover::SharedHandover(SharedHandover&& other) noexcept
    : page_(std::exchange(other.page_, nullptr)) {}

SharedHandover::~SharedHandover() {
  if (page_ != nullptr) {
    (void)::munmap(page_, sizeof(HandoverPage));
  }
}

}  // namespace cordon
