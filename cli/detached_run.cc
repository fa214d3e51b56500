#include "cli/detached_run.h"

#include <cstdio>
#include <utility>

#include "cli/report_error.h"
#include "runtime/sandbox_record.h"

namespace cordon::cli {

Expected<DetachedRun> DetachedRun::Prepare(SandboxPlace& place, Detachment detachment,
                                           AfterEnd after_end, std::uint64_t log_bytes) {
  ASSIGN_OR_RETURN(OutputLog output, OutputLog::Create(place.folder(), log_bytes));
  return DetachedRun(place, std::move(detachment), after_end, std::move(output));
}

void DetachedRun::Attach(SandboxOptions& options) {
  options.streams = output_.streams();
  options.output = &output_;
  options.on_executed = [this](const SandboxState& state) { return Executed(state); };
  options.on_ended = [this](const SandboxState& state) { Ended(state); };
}

void DetachedRun::Say(const std::string& line) {
  if (detachment_.detached()) {
    output_.Say(line);
  } else {
    PrintLine(line);
  }
}

/// First the record, then the word: what somebody was told of is found.
Status DetachedRun::Executed(const SandboxState& state) {
  if (after_end_ == AfterEnd::kKeep) {
    RETURN_IF_ERROR(RecordBeginning(place_.folder(), state));
  }
  RETURN_IF_ERROR(detachment_.Detach());
  if (after_end_ == AfterEnd::kKeep) {
    place_.KeepRecord();
  }
  return {};
}

void DetachedRun::Ended(const SandboxState& state) {
  if (after_end_ == AfterEnd::kRemove || !detachment_.detached()) {
    return;
  }
  if (const Status recorded = RecordEnd(place_.folder(), state); !recorded) {
    Say("how the sandbox ended could not be recorded: " + recorded.error().message);
  }
}

}  // namespace cordon::cli
