#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/file_access.h"
#include "model/resource_limits.h"
#include "model/seccomp_policy.h"

/// How a workload is isolated: the values of an OCI runtime configuration (runtime-spec 1.0.2
/// config.json) that cordon writes and reads, plus what OCI has no word for, which the JSON carries
/// in annotations.
namespace cordon {

enum class Namespace : std::uint8_t { kUser, kPid, kMount, kUts, kIpc, kCgroup, kNetwork, kTime };

/// What the network namespace holds.
enum class NetworkMode : std::uint8_t {
  kNone,     ///< a new namespace with nothing but loopback
  kHost,     ///< the host's
  kPrivate,  ///< a new namespace with an address of its own
};

struct Mount {
  std::string destination;  ///< absolute, inside the root
  std::string type;         ///< "bind", "proc", "tmpfs", …
  std::string source;
  std::vector<std::string> options;
  bool operator==(const Mount&) const = default;
};

enum class Transport : std::uint8_t { kTcp, kUdp };

/// A port of the host that reaches one of the sandbox.
struct PublishedPort {
  std::uint16_t host = 0;
  std::uint16_t container = 0;
  Transport transport = Transport::kTcp;
  std::uint32_t address = 0;  ///< of the host, IPv4 in host byte order; 0: all it has
  bool operator==(const PublishedPort&) const = default;
};

/// What a clock of a time namespace is ahead of the host's (time_namespaces(7)); both parts are
/// added, so -1.5 seconds are -2 and 500'000'000.
struct ClockOffset {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;  ///< below 1'000'000'000
  bool operator==(const ClockOffset&) const = default;
};

/// One Landlock rule: what may be done beneath `path` (a directory) or to it (a file), in
/// Landlock's own words ("read_file", "make_reg", …: LANDLOCK_ACCESS_FS_* of linux/landlock.h,
/// lower case).
struct LandlockRule {
  std::string path;
  std::set<std::string> access;
  bool operator==(const LandlockRule&) const = default;
};

struct Rlimit {
  std::string type;  ///< "RLIMIT_NOFILE"
  std::uint64_t hard = 0;
  std::uint64_t soft = 0;
  bool operator==(const Rlimit&) const = default;
};

struct SandboxConfig {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string working_directory = "/";
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> additional_gids;
  std::optional<int> oom_score_adj;  ///< -1000 to 1000; nothing: the caller's
  std::string hostname;
  std::string root_path = "/";
  bool root_readonly = true;
  std::vector<Mount> mounts;
  std::set<Namespace> namespaces;
  std::map<std::string, ClockOffset> time_offsets;  ///< "boottime", "monotonic"
  std::set<std::string> capabilities;  ///< "CAP_CHOWN", …: bounding, permitted and effective alike;
                                       ///< inheritable and ambient stay empty
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = true;
  ResourceLimits limits;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::optional<SeccompPolicy> seccomp;
  std::string selinux_label;  ///< process.selinuxLabel; empty: none

  // In annotations:
  NetworkMode network = NetworkMode::kNone;  ///< dev.cordon.network
  std::vector<PublishedPort> published;      ///< dev.cordon.publish
  std::optional<std::vector<LandlockRule>>
      landlock;  ///< dev.cordon.landlock; nothing: no file policy

  bool operator==(const SandboxConfig&) const = default;
};

}  // namespace cordon
