#include "tests/testing/recorded.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace cordon::testing {

Recorded::Recorded(std::string command) : command_(std::move(command)) {
  Run run;
  run.command = {command_};
  run.host.architecture = "x86_64";
  run.tier = "exact";
  run.outcome = Exited{0};
  std::string id(32, '0');
  std::ranges::transform(command_.substr(0, 16), id.begin(), [](char c) {
    return "0123456789abcdef"[static_cast<unsigned char>(c) % 16];
  });
  recording_.runs[id] = run;
}

void Recorded::Note(Syscall call, const ArgumentTuple& tuple, const ResultCounts& results) {
  SyscallObservation& observation = recording_.syscalls[call];
  observation.seen.Note(1, command_, phase_);
  for (const auto& [error, count] : results) {
    observation.results[error] += count;
  }
  TupleObservation one{1, results, {}};
  one.phases.Add(phase_);
  observation.AddTuple(tuple, one);
}

Recorded& Recorded::Call(std::string_view name, ArgumentTuple tuple, int error, Architecture arch) {
  const std::optional<std::int32_t> number = SyscallNumber(arch, name);
  if (!number) {
    throw std::invalid_argument(std::string(name));
  }
  Note({arch, *number}, tuple, {{error, 1}});
  return *this;
}

Recorded& Recorded::Number(std::int32_t number, int error, Architecture arch) {
  Note({arch, number}, {}, {{error, 1}});
  return *this;
}

Recorded& Recorded::NoReturn(std::string_view name) {
  Note({Architecture::kX86_64, SyscallNumber(Architecture::kX86_64, name).value()}, {}, {});
  return *this;
}

Recorded& Recorded::Calls(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    Call(name);
  }
  return *this;
}

Recorded& Recorded::Serves() {
  phase_ = Phase::kServe;
  for (auto& [id, run] : recording_.runs) {
    run.serving_when = "listen";
    run.serving_ms = 1;
  }
  return *this;
}

}  // namespace cordon::testing
