#include "runtime/oci_page.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <new>
#include <utility>

namespace cordon {
namespace {

Expected<void*> MapFile(int file) {
  void* const memory =
      ::mmap(nullptr, sizeof(HandoverPage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) {
    const int map_errno = errno;
    return Fail(SystemError(map_errno, "mapping the page shared with the container"));
  }
  return memory;
}

}  // namespace

Expected<OciPage> OciPage::Create() {
  UniqueFd file(::memfd_create("cordon-start", MFD_CLOEXEC));
  if (!file.valid() || ::ftruncate(file.get(), sizeof(HandoverPage)) != 0) {
    const int file_errno = errno;
    return Fail(SystemError(file_errno, "making the page shared with the container"));
  }
  ASSIGN_OR_RETURN(void* const memory, MapFile(file.get()));
  return OciPage(::new (memory) HandoverPage, std::move(file));
}

Expected<OciPage> OciPage::Map(UniqueFd file) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0 ||
      status.st_size != static_cast<off_t>(sizeof(HandoverPage))) {
    return Fail(MakeError(ErrorCode::kInternal, "the container's page is of another size"));
  }
  ASSIGN_OR_RETURN(void* const memory, MapFile(file.get()));
  return OciPage(static_cast<HandoverPage*>(memory), std::move(file));
}

OciPage::OciPage(OciPage&& other) noexcept
    : page_(std::exchange(other.page_, nullptr)), file_(std::move(other.file_)) {}

OciPage::~OciPage() {
  if (page_ != nullptr) {
    (void)::munmap(page_, sizeof(HandoverPage));
  }
}

}  // namespace cordon
