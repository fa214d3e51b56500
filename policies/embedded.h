#pragma once

#include <string_view>

/// The data files of policies/, inside the program. Each constant has the bytes of the file that
/// policies/CMakeLists.txt names.
namespace cordon::policies {}  // namespace cordon::policies
