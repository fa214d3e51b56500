#pragma once

#include <sys/types.h>

#include <cstddef>

namespace cordon {

/// The home of `user` as the /etc/passwd of the caller's root says it (passwd(5)), "/" where it
/// says none, with its final zero byte into `home` of `size` bytes. False, with errno, when the
/// file is there and cannot be read: it is the container's own, so it is opened only where it is a
/// regular file, and read no further than a mebibyte. Async-signal-safe.
bool ReadUserHome(uid_t user, char* home, std::size_t size);

}  // namespace cordon
