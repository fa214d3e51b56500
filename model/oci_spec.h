#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/oci_resources.h"
#include "model/sandbox_config.h"

/// A container as an engine describes it: the whole Linux config.json of the OCI runtime-spec 1.2.
/// SandboxConfig is the part of that which cordon itself writes.
namespace cordon {

/// One line of a user namespace's map.
struct OciIdMapping {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  bool operator==(const OciIdMapping&) const = default;
};

struct OciConsoleSize {
  std::uint16_t height = 0;
  std::uint16_t width = 0;
  bool operator==(const OciConsoleSize&) const = default;
};

struct OciUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
  bool operator==(const OciUser&) const = default;
};

/// Names as capabilities(7) has them.
struct OciCapabilities {
  std::set<std::string> bounding;
  std::set<std::string> effective;
  std::set<std::string> inheritable;
  std::set<std::string> permitted;
  std::set<std::string> ambient;
  bool operator==(const OciCapabilities&) const = default;
};

/// sched_setattr(2).
struct OciScheduler {
  std::string policy;  ///< "SCHED_FIFO"
  std::int32_t nice = 0;
  std::int32_t priority = 0;
  std::set<std::string> flags;  ///< "SCHED_FLAG_RESET_ON_FORK"
  std::uint64_t runtime = 0;    ///< nanoseconds, as the next two
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
  bool operator==(const OciScheduler&) const = default;
};

/// ioprio_set(2).
struct OciIoPriority {
  std::string io_class;  ///< "IOPRIO_CLASS_BE"
  std::int32_t priority = 0;
  bool operator==(const OciIoPriority&) const = default;
};

struct OciProcess {
  bool terminal = false;
  std::optional<OciConsoleSize> console_size;
  OciUser user;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string working_directory;         ///< absolute
  OciCapabilities capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<std::int32_t> oom_score_adj;
  std::optional<OciScheduler> scheduler;
  std::optional<OciIoPriority> io_priority;
  bool operator==(const OciProcess&) const = default;
};

struct OciMount {
  std::string destination;  ///< absolute
  std::string type;
  std::string source;
  std::vector<std::string> options;
  std::vector<OciIdMapping> uid_mappings;
  std::vector<OciIdMapping> gid_mappings;
  bool operator==(const OciMount&) const = default;
};

struct OciHook {
  std::string path;  ///< absolute
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::optional<std::uint32_t> timeout_seconds;
  bool operator==(const OciHook&) const = default;
};

struct OciHooks {
  std::vector<OciHook> prestart;
  std::vector<OciHook> create_runtime;
  std::vector<OciHook> create_container;
  std::vector<OciHook> start_container;
  std::vector<OciHook> poststart;
  std::vector<OciHook> poststop;
  bool operator==(const OciHooks&) const = default;
};

struct OciNamespace {
  Namespace type = Namespace::kPid;
  std::string path;  ///< empty: a new one
  bool operator==(const OciNamespace&) const = default;
};

struct OciDevice {
  std::string path;  ///< absolute
  char type = 'c';   ///< 'b', 'c' or 'p'
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t mode = 0666;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool operator==(const OciDevice&) const = default;
};

enum class OciPropagation : std::uint8_t { kPrivate, kSlave, kShared, kUnbindable };

/// linux.rootfsPropagation and the mount options of those names; with "r" for all below too.
struct OciPropagationMode {
  OciPropagation propagation = OciPropagation::kPrivate;
  bool recursive = false;
  bool operator==(const OciPropagationMode&) const = default;
};

/// linux.seccomp as it stands in the document, which a filter is compiled from when there is none
/// in the cache.
struct OciSeccomp {
  std::string profile_json;
  std::string listener_path;
  std::string listener_metadata;
  bool operator==(const OciSeccomp&) const = default;
};

struct OciSpec {
  std::string version;
  std::optional<OciProcess> process;
  std::string root_path;  ///< absolute, or relative to the bundle
  bool root_readonly = false;
  std::string hostname;
  std::string domainname;
  std::vector<OciMount> mounts;
  OciHooks hooks;
  std::map<std::string, std::string> annotations;

  std::vector<OciNamespace> namespaces;  ///< no type twice
  std::vector<OciIdMapping> uid_mappings;
  std::vector<OciIdMapping> gid_mappings;
  std::map<std::string, ClockOffset> time_offsets;  ///< "boottime", "monotonic"
  std::vector<OciDevice> devices;
  std::string cgroups_path;
  OciResources resources;
  std::map<std::string, std::string> sysctl;
  std::optional<OciPropagationMode> root_propagation;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  std::optional<OciSeccomp> seccomp;
  std::string personality;  ///< "LINUX" or "LINUX32"; empty: as it is

  bool operator==(const OciSpec&) const = default;
};

}  // namespace cordon
