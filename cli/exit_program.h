#pragma once

#include <cstdint>
#include <string>

#include "common/error.h"

namespace cordon::cli {

/// The bytes of a static executable for this machine that makes no call but exit_group(`status`):
/// what runs in a container when only its runtime is looked at. 120 to 200 bytes (elf(5): a header,
/// one program header, a few instructions). Fails with kUnsupported on an architecture whose
/// instructions are not known here.
Expected<std::string> ExitProgram(std::uint8_t status);

/// The same for one that makes no call but ppoll, for ever.
Expected<std::string> WaitProgram();

}  // namespace cordon::cli
