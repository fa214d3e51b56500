#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>

#include "cli/oci/oci_call.h"
#include "cli/oci/oci_time.h"
#include "common/printable.h"
#include "common/text.h"
#include "common/unique_fd.h"
#include "model/oci_state.h"

namespace cordon::cli {
namespace {

void Log(const OciCall& call, std::string_view level, std::string_view message) {
  if (call.log.empty()) {
    return;
  }
  const std::string line = call.log_format == "json" ? WriteOciLogLine(level, message, UtcNow())
                                                     : fmt::format("time=\"{}\" level={} msg={}\n",
                                                                   UtcNow(), level, Quote(message));
  const UniqueFd file(::open(call.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  // One write: others may log to the same file.
  if (file.valid()) {
    (void)!::write(file.get(), line.data(), line.size());
  }
}

void Print(std::string_view kind, std::string_view message) {
  const std::string line = fmt::format("cordon-runtime: {}{}\n", kind, Printable(message));
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

std::string UtcNow() {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  (void)::gmtime_r(&now.tv_sec, &parts);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:09}Z", text.data(), now.tv_nsec);
}

int ReportOciError(const OciCall& call, const Error& error) {
  Log(call, "error", error.message);
  Print("", error.message);
  return kFailed;
}

void ReportOciWarning(const OciCall& call, std::string_view message) {
  Log(call, "warning", message);
  if (call.debug) {
    Print("warning: ", message);
  }
}

}  // namespace cordon::cli
