#include "runtime/readonly_program.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "common/file.h"
#include "runtime/guard.h"
#include "runtime/linux_calls.h"

namespace cordon {
namespace {

constexpr const char* kSelf = "/proc/self/exe";
constexpr int kAllSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool IsSealed() {
  const Expected<UniqueFd> self = OpenAt(AT_FDCWD, kSelf, O_RDONLY);
  const int seals = self ? ::fcntl(self->get(), F_GET_SEALS) : -1;
  return seals >= 0 && (seals & F_SEAL_WRITE) != 0;
}

/// Returns only where it cannot be executed.
void Execute(int program, char* const* arguments) {
  (void)::syscall(SYS_execveat, program, "", arguments, environ, AT_EMPTY_PATH);
}

UniqueFd ReadonlyClone() {
  UniqueFd mount(linux_calls::OpenTree(AT_FDCWD, kSelf, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (mount.valid() && linux_calls::SetMountAttributes(mount.get(), 0, MOUNT_ATTR_RDONLY, 0) != 0) {
    mount.Reset();
  }
  return mount;
}

Expected<UniqueFd> SealedCopy() {
  ASSIGN_OR_RETURN(const UniqueFd self, OpenAt(AT_FDCWD, kSelf, O_RDONLY));
  UniqueFd copy(::memfd_create("cordon", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const int create_errno = errno;
  if (!copy.valid()) {
    return Fail(SystemError(create_errno, "making a copy of cordon in memory"));
  }
  ssize_t copied = 0;
  while ((copied = ::sendfile(copy.get(), self.get(), nullptr,
                              std::numeric_limits<std::int32_t>::max())) > 0) {
  }
  if (copied < 0 || ::fcntl(copy.get(), F_ADD_SEALS, kAllSeals) != 0) {
    const int copy_errno = errno;
    return Fail(SystemError(copy_errno, "making a copy of cordon in memory"));
  }
  return copy;
}

}  // namespace

Status EnsureReadonlyProgram(char* const* arguments) {
  // EROFS and EACCES alike: nobody with these ids can open it for writing.
  if (!Holds(Guard::kProgramIsReadonly) || ::access(kSelf, W_OK) != 0 || IsSealed()) {
    // The kernel takes the number of a descriptor, or its own word, for the name of what was
    // executed by one (execveat(2)).
    (void)::prctl(PR_SET_NAME, "cordon");
    return {};
  }
  if (const UniqueFd clone = ReadonlyClone(); clone.valid()) {
    Execute(clone.get(), arguments);
  }
  ASSIGN_OR_RETURN(const UniqueFd copy, SealedCopy());
  Execute(copy.get(), arguments);
  const int execute_errno = errno;
  return Fail(SystemError(execute_errno,
                          "cordon's own file could be written through /proc by what it launches, "
                          "and a copy of it in memory cannot be executed"));
}

}  // namespace cordon
