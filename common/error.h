#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace cordon {

/// Whose fault a failure is, and so what a caller may branch on. cli/ maps it to an exit code.
enum class ErrorCode : std::uint8_t {
  kInvalidInput,  ///< a file, document or argument is malformed: the user can mend it
  kUnsupported,   ///< this kernel, host or build cannot do it
  kPermission,    ///< the caller lacks a privilege
  kNotFound,      ///< the named thing does not exist
  kLimit,         ///< input or state is over a documented bound
  kSystem,        ///< a system call failed for another reason
  kInternal,      ///< a promise of this code was broken: a bug
};

/// A failure. `message` is one sentence without a final full stop that names the file or object and
/// the place in it. How a traced or sandboxed program ended is never an Error (see
/// model/outcome.h).
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInternal;
  int sys_errno = 0;  ///< positive errno of the call that failed, 0 if none
  std::string message;

  /// The same failure with `context` and ": " before the message.
  Error WithContext(std::string_view context) const;
};

template <typename T>
using Expected = std::expected<T, Error>;
using Status = std::expected<void, Error>;

/// A failed system call: "WHAT: STRERROR". `positive_errno` is captured by the caller in the line
/// of the call; EPERM and EACCES become kPermission, ENOENT kNotFound, ENOSYS and EOPNOTSUPP
/// kUnsupported, all else kSystem.
Error SystemError(int positive_errno, std::string what);

/// Malformed input: `message` names file and place.
Error InvalidInput(std::string message);

/// Any other failure without an errno.
Error MakeError(ErrorCode code, std::string message);

/// Shorthand for returning an Error from a function that returns Expected<T>.
inline std::unexpected<Error> Fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

}  // namespace cordon

#define CORDON_CONCAT_INNER(a, b) a##b
#define CORDON_CONCAT(a, b) CORDON_CONCAT_INNER(a, b)

/// Returns from the enclosing function with the error of `expression`, an Expected<T> or Status, if
/// it has one.
#define RETURN_IF_ERROR(expression)                         \
  if (auto CORDON_CONCAT(status_, __LINE__) = (expression); \
      !CORDON_CONCAT(status_, __LINE__).has_value())        \
  return std::unexpected(std::move(CORDON_CONCAT(status_, __LINE__)).error())

/// Declares `declaration` with the value of `expression`, an Expected<T>, or returns its error.
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses
#define ASSIGN_OR_RETURN(declaration, expression)                                  \
  auto CORDON_CONCAT(expected_, __LINE__) = (expression);                          \
  if (!CORDON_CONCAT(expected_, __LINE__).has_value())                             \
    return std::unexpected(std::move(CORDON_CONCAT(expected_, __LINE__)).error()); \
  declaration = std::move(CORDON_CONCAT(expected_, __LINE__)).value()
// NOLINTEND(bugprone-macro-parentheses)
