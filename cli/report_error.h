#pragma once

#include "common/error.h"

namespace cordon::cli {

/// Prints "cordon: MESSAGE" to stderr and returns the exit code that the failure means: 2 for
/// malformed input, 125 for what cordon could not do.
int ReportError(const Error& error);

/// The same for a file that the user named as input or output and that cannot be read or written:
/// always 2.
int ReportInputError(const Error& error);

/// Prints "cordon: LINE" to stderr.
void PrintLine(std::string_view line);

/// Prints "cordon: warning: MESSAGE" to stderr.
void ReportWarning(std::string_view message);

}  // namespace cordon::cli
