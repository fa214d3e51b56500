#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/error.h"
#include "model/sandbox_config.h"
#include "runtime/volume_label.h"

namespace cordon::cli {

/// Bytes in "256M", "1G", "65536", "512k" (powers of 1024, as Docker's), kUnlimited for "max" and
/// "-1". kInvalidInput naming `option`.
Expected<std::uint64_t> ParseSize(const std::string& option, const std::string& text);

/// A whole number in a range. kInvalidInput naming `option`.
Expected<std::uint64_t> ParseNumber(const std::string& option, const std::string& text,
                                    std::uint64_t least, std::uint64_t most);

/// "/dev/vda:10M", "/dev/vda:max": the block device that the file is, and a rate, in `ParseSize`'s
/// words. kInvalidInput naming `option`.
Expected<DeviceRate> ParseDeviceRate(const std::string& option, const std::string& text);

/// The quota per `period_us` that "1.5" processors are, kUnlimited for "max". kInvalidInput naming
/// --cpus; at least 0.01.
Expected<std::uint64_t> ParseCpus(const std::string& text, std::uint64_t period_us);

/// A number of tasks of at least 1, kUnlimited for "max" and "-1".
Expected<std::uint64_t> ParsePids(const std::string& text);

/// "8080:80", "127.0.0.1:5353:53/udp".
Expected<PublishedPort> ParsePublish(const std::string& text);

/// "boottime=86400,monotonic=-1.5": seconds by clock. kInvalidInput naming --time-offset.
Expected<std::map<std::string, ClockOffset>> ParseTimeOffset(const std::string& text);

/// A value of --volume.
struct Volume {
  Mount mount;  ///< a bind mount
  std::optional<VolumeSharing> relabel;
};

/// "/srv/data:/data:ro,z" as a bind mount; SRC may be relative to the working directory. A folder's
/// device nodes open nothing, unless dev is among the options.
Expected<Volume> ParseVolume(const std::string& text);

/// "/run:size=64m,mode=755" as a tmpfs: writable, noexec, nosuid and nodev unless it says
/// otherwise, as Docker's.
Expected<Mount> ParseTmpfs(const std::string& text);

/// A number from -1000 to 1000.
Expected<int> ParseOomScoreAdj(const std::string& text);

}  // namespace cordon::cli
