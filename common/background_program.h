#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"

namespace cordon {

/// A helper program that runs while this lives, and no longer than this process: a process between
/// the two holds the end of a pipe whose other end is here, and kills the program when that closes.
/// PR_SET_PDEATHSIG would not do: the kernel clears it when a program changes its credentials
/// (prctl(2)).
class BackgroundProgram {
 public:
  /// Starts `arguments[0]`, looked up in PATH, in a session of its own with every signal at its
  /// default, without descriptors but stdin and stdout on /dev/null
  /// and stderr on a pipe. The process must have one thread. A program that cannot be executed ends
  /// with a sentence on stderr, as errors() shows.
  static Expected<BackgroundProgram> Start(const std::vector<std::string>& arguments);

  BackgroundProgram(BackgroundProgram&& other) noexcept
      : keeper_(std::exchange(other.keeper_, -1)),
        life_(std::move(other.life_)),
        errors_(std::move(other.errors_)) {}

  BackgroundProgram& operator=(BackgroundProgram&&) = delete;
  BackgroundProgram(const BackgroundProgram&) = delete;
  BackgroundProgram& operator=(const BackgroundProgram&) = delete;

  /// Kills the program and waits until it is gone.
  ~BackgroundProgram();

  /// The read end of its stderr: at its end when the program has ended.
  int errors() const { return errors_.get(); }

  /// From now on nobody reads them: the program's writes fail, with SIGPIPE (which pasta ignores).
  void CloseErrors() { errors_.Reset(); }

 private:
  BackgroundProgram(pid_t keeper, UniqueFd life, UniqueFd errors)
      : keeper_(keeper), life_(std::move(life)), errors_(std::move(errors)) {}

  pid_t keeper_;
  UniqueFd life_;
  UniqueFd errors_;
};

}  // namespace cordon
