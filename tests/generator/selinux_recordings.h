#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "model/recording.h"

/// Recordings made by hand, for tests of the SELinux part.
namespace cordon::testing {

/// Adds `access` to a file of `recording`.
void AddFile(Recording* recording, const std::string& path, FileClass file_class,
             FileAccessSet access, const std::set<std::uint32_t>& ioctls = {});

/// Adds one successful operation on a socket.
void AddSocket(Recording* recording, int family, int type, SocketOperation operation,
               const std::string& address = "", std::uint16_t port = 0);

/// Adds one successful call without scalars.
void AddCall(Recording* recording, const std::string& name);

/// What every dynamically linked program does to start: program, loader, libc, cache.
void AddProgramStart(Recording* recording, const std::string& program);

/// A small server of its own, /usr/sbin/tinyd: reads /etc/tinyd/tinyd.conf and its site files,
/// appends to /var/log/tinyd.log, keeps /var/lib/tinyd, writes /run/tinyd.pid and a socket beside
/// it, uses /tmp, binds TCP 7777, talks to syslog, forks.
Recording TinyServer();

/// Debian's nginx serving files, as a recording would have it.
Recording NginxServer();

/// Debian's redis-server, with a saved database.
Recording RedisServer();

}  // namespace cordon::testing
