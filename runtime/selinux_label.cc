#include "runtime/selinux_label.h"

#include <selinux/selinux.h>

#include <cerrno>

namespace cordon {

SelinuxState ProbeSelinux() {
  if (::is_selinux_enabled() <= 0) {
    return SelinuxState::kAbsent;
  }
  return ::security_getenforce() == 1 ? SelinuxState::kEnforcing : SelinuxState::kPermissive;
}

Status CheckSelinuxLabel(const std::string& label) {
  if (::security_check_context(label.c_str()) == 0) {
    return {};
  }
  const int check_errno = errno;
  if (check_errno == EINVAL) {
    return Fail(MakeError(ErrorCode::kNotFound,
                          "the loaded SELinux policy does not know the label '" + label + "'"));
  }
  return Fail(SystemError(check_errno, "checking the SELinux label '" + label + "'"));
}

}  // namespace cordon
