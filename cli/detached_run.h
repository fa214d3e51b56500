#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cli/detachment.h"
#include "common/error.h"
#include "runtime/output_log.h"
#include "runtime/sandbox_options.h"
#include "runtime/sandbox_place.h"

namespace cordon::cli {

/// What becomes of the place of a detached sandbox when that has ended.
enum class AfterEnd : std::uint8_t { kKeep, kRemove };

inline constexpr std::uint64_t kDefaultLogBytes = std::uint64_t{8} << 20;

/// The supervisor's side of `cordon run --detach`: the log, the record of how it ended, and the
/// word to the command that began it.
class DetachedRun {
 public:
  /// `place` must outlive this. `log_bytes`: SandboxLog::Create().
  static Expected<DetachedRun> Prepare(SandboxPlace& place, Detachment detachment,
                                       AfterEnd after_end, std::uint64_t log_bytes);

  /// Lets `options` use this, which must outlive the run.
  void Attach(SandboxOptions& options);

  /// A message for who looks after the sandbox: to standard error until the command that began it
  /// has its answer, then to the log.
  void Say(const std::string& line);

 private:
  DetachedRun(SandboxPlace& place, Detachment detachment, AfterEnd after_end, OutputLog output)
      : place_(place),
        detachment_(std::move(detachment)),
        after_end_(after_end),
        output_(std::move(output)) {}

  Status Executed(const SandboxState& state);
  void Ended(const SandboxState& state);

  SandboxPlace& place_;
  Detachment detachment_;
  AfterEnd after_end_;
  OutputLog output_;
};

}  // namespace cordon::cli
