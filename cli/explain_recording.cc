#include "cli/explain_recording.h"

#include <fmt/format.h>

#include "common/text.h"
#include "model/recorded_calls.h"
#include "model/recording_names.h"
#include "model/syscall_signature.h"

namespace cordon::cli {
namespace {

std::string Phases(const PhaseSet& phases) {
  return phases.Has(Phase::kStart) ? phases.Has(Phase::kServe) ? "start and serve" : "start"
                                   : "serve";
}

/// "  12 times, first after 3 ms, last after 48 ms, in phase start, by '/usr/bin/cat'"
std::string Provenance(const Seen& seen) {
  std::string text =
      fmt::format("  {} times in one run, first after {} ms, last after {} ms, in phase {}",
                  seen.count, seen.first_ms, seen.last_ms, Phases(seen.phases));
  std::string who;
  for (const std::string& executable : seen.executables) {
    who += (who.empty() ? ", by " : ", ") + Quote(executable);
  }
  return text + who + "\n";
}

std::string Arguments(Syscall call, const ArgumentTuple& tuple) {
  std::string text;
  std::size_t position = 0;
  for (const ScalarArgument& scalar : RecordedScalars(call.arch, SyscallName(call).value_or(""))) {
    if (position < tuple.size()) {
      text += fmt::format("{}{}: {:#x}", position == 0 ? "" : ", ", RecordingKey(scalar),
                          tuple[position]);
      ++position;
    }
  }
  return text;
}

std::string ExplainCall(Syscall call, const SyscallObservation& observation) {
  std::string text = fmt::format("{} on {}: {}\n", SyscallLabel(call), Name(call.arch),
                                 DescribeResults(observation.results));
  text += Provenance(observation.seen);
  for (const auto& [tuple, one] : observation.tuples) {
    text += fmt::format("  ({}): {} times, {}\n", Arguments(call, tuple), one.count,
                        DescribeResults(one.results));
  }
  if (observation.overflow) {
    for (const ScalarRange& range : *observation.overflow) {
      text += fmt::format("  an argument from {:#x} to {:#x}, bits {:#x}\n", range.minimum,
                          range.maximum, range.bits_or);
    }
  }
  return text;
}

std::string ExplainFile(const FileKey& key, const FileObservation& observation) {
  std::string done;
  for (const FileAccess access : observation.access.List()) {
    done += fmt::format("{}{}", done.empty() ? "" : ", ", Name(access));
  }
  std::string text = fmt::format("{} {}: {}\n", Name(key.file_class), Quote(key.path),
                                 done.empty() ? "looked up" : done);
  text += Provenance(observation.seen);
  if (!observation.failures.empty()) {
    text += fmt::format("  failed with {}\n", DescribeResults(observation.failures));
  }
  return text;
}

}  // namespace

std::string ExplainRecording(const Recording& recording, const std::string& subject) {
  std::string text;
  for (const auto& [call, observation] : recording.syscalls) {
    if (SyscallLabel(call) == subject) {
      text += ExplainCall(call, observation);
    }
  }
  for (const auto& [key, observation] : recording.files) {
    if (key.path == subject) {
      text += ExplainFile(key, observation);
    }
  }
  return text;
}

}  // namespace cordon::cli
