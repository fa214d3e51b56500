#include "cli/print_document.h"

#include <cerrno>
#include <cstdio>

#include "cli/report_error.h"
#include "common/error.h"

namespace cordon::cli {

int PrintDocument(std::string_view document, int exit_code) {
  // Flushed here: what a full disk refuses shows only then.
  if (std::fwrite(document.data(), 1, document.size(), stdout) != document.size() ||
      std::fflush(stdout) != 0) {
    return ReportError(SystemError(errno, "write to standard output"));
  }
  return exit_code;
}

}  // namespace cordon::cli
