#pragma once

#include <string_view>

namespace cordon::cli {

/// Writes all of `document` to standard output, which may be a file that a policy is kept in.
/// Returns `exit_code`; or, after reporting it, kCannot when not all of it could be written.
int PrintDocument(std::string_view document, int exit_code);

}  // namespace cordon::cli
