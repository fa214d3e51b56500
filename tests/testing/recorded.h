#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "model/recording.h"

namespace cordon::testing {

/// A recording written down by hand, call by call.
class Recorded {
 public:
  /// One run of `command` on x86_64.
  explicit Recorded(std::string command = "/usr/bin/victim");

  /// `name` was called with the recorded scalars `tuple` and ended with `error` (0: ok).
  Recorded& Call(std::string_view name, ArgumentTuple tuple = {}, int error = 0,
                 Architecture arch = Architecture::kX86_64);
  /// The same for a number without a name.
  Recorded& Number(std::int32_t number, int error, Architecture arch = Architecture::kX86_64);
  /// A call that never returned.
  Recorded& NoReturn(std::string_view name);
  Recorded& Calls(std::initializer_list<std::string_view> names);
  /// Here was the boundary, marked by a listen(2).
  Recorded& Serves();

  const Recording& recording() const { return recording_; }

 private:
  void Note(Syscall call, const ArgumentTuple& tuple, const ResultCounts& results);

  std::string command_;
  Phase phase_ = Phase::kStart;
  Recording recording_;
};

}  // namespace cordon::testing
