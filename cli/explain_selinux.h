#pragma once

#include <cstdint>
#include <string>

#include "common/error.h"

namespace cordon::cli {

enum class ExplanationForm : std::uint8_t { kText, kJson };

/// What the bundle in `folder` says of a type ("nginx_t", "etc_t") or of a path: what it is, which
/// rules name it, and for each rule which program needed what, where and how often. Empty when
/// nothing in the bundle is about `subject`. Fails with kInvalidInput naming the file for a bundle
/// whose reasons cannot be read.
Expected<std::string> ExplainSelinux(const std::string& folder, const std::string& subject,
                                     ExplanationForm form);

}  // namespace cordon::cli
