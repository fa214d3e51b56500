#include "common/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace cordon {

Error Error::WithContext(std::string_view context) const {
  return {.code = code, .sys_errno = sys_errno, .message = fmt::format("{}: {}", context, message)};
}

Error SystemError(int positive_errno, std::string what) {
  ErrorCode code = ErrorCode::kSystem;
  if (positive_errno == EPERM || positive_errno == EACCES) {
    code = ErrorCode::kPermission;
  } else if (positive_errno == ENOENT) {
    code = ErrorCode::kNotFound;
  } else if (positive_errno == ENOSYS || positive_errno == EOPNOTSUPP) {
    code = ErrorCode::kUnsupported;
  }
  // strerrordesc_np() is thread safe and does not depend on the locale (glibc 2.32).
  const char* text = strerrordesc_np(positive_errno);
  return {.code = code,
          .sys_errno = positive_errno,
          .message = fmt::format("{}: {}", what, text != nullptr ? text : "unknown error")};
}

Error InvalidInput(std::string message) {
  return {.code = ErrorCode::kInvalidInput, .sys_errno = 0, .message = std::move(message)};
}

Error MakeError(ErrorCode code, std::string message) {
  return {.code = code, .sys_errno = 0, .message = std::move(message)};
}

}  // namespace cordon
