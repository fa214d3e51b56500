#pragma once

#include <optional>

#include "common/error.h"
#include "common/unique_fd.h"

namespace cordon::cli {

/// A process that goes on when the command that began it has ended: in a session of its own,
/// without that command's descriptors. Until it has said that it is well under way, what it prints
/// to standard error is printed by the command, and its death is the command's failure.
class Detachment {
 public:
  /// Forks. In the child: a Detachment. In the parent, which waits for the child's word or end:
  /// nothing, and `exit_code` is 0 for the word and the child's exit status for its end. The caller
  /// must be single-threaded.
  static Expected<std::optional<Detachment>> Begin(int& exit_code);

  /// In the child: lets the parent go, and standard error with it. Fails where the parent is gone:
  /// nobody was told that there is a child.
  Status Detach();

  bool detached() const { return !report_.valid(); }

 private:
  explicit Detachment(UniqueFd report) : report_(std::move(report)) {}

  UniqueFd report_;
};

}  // namespace cordon::cli
