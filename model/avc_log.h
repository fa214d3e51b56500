#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/error.h"
#include "model/recording.h"

namespace cordon {

inline constexpr std::size_t kMaxAvcLogBytes = std::size_t{256} << 20;

/// In Seen::executables this stands before the path of a program of which only denials are known.
inline constexpr std::string_view kDeniedMark = "denied: ";

/// What SELinux denied to the domain `domain` ("nginx_t"; empty: the only one in the log) by
/// `text`: audit.log, what ausearch(8) prints, raw or interpreted, or the kernel's messages.
/// Records of one event (SYSCALL, CWD, PATH) say program and path. A single run, with an id made of
/// `text` and `domain`, so that reading it twice adds nothing; with a limitation "denials" that
/// says how many there were, and "denials-not-understood" for what a recording has no word for or
/// whose path the log does not tell. Fails with kInvalidInput in one sentence that names `source`
/// and the line: a denial that is cut off or malformed, several domains and none chosen, no denial
/// at all.
Expected<Recording> ReadAvcLog(std::string_view text, std::string_view source,
                               std::string_view domain);

}  // namespace cordon
