#include "cli/report_error.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "common/printable.h"

namespace cordon::cli {
namespace {

/// What `message` repeats of workloads and files does nothing to a terminal.
void Print(std::string_view kind, std::string_view message) {
  // One write, so that the line stays whole beside what a workload prints.
  const std::string line = fmt::format("cordon: {}{}\n", kind, Printable(message));
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

int ReportError(const Error& error) {
  Print("", error.message);
  return error.code == ErrorCode::kInvalidInput || error.code == ErrorCode::kLimit ? kUsage
                                                                                   : kCannot;
}

int ReportInputError(const Error& error) {
  Print("", error.message);
  return kUsage;
}

void PrintLine(std::string_view line) {
  Print("", line);
}

void ReportWarning(std::string_view message) {
  Print("warning: ", message);
}

}  // namespace cordon::cli
