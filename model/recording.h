#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/file_access.h"
#include "model/outcome.h"
#include "model/syscall.h"

/// What learning runs saw: a mergeable set of distinct behaviours with counts and provenance, not a
/// log. Every part merges by union, maximum or minimum, so Merge() is commutative, associative and
/// idempotent, and a recording's size is bounded by distinct behaviour.
namespace cordon {

/// When in a run something was seen. Without a boundary (--serving-when) everything is kStart.
enum class Phase : std::uint8_t { kStart = 1, kServe = 2 };

/// A set of phases.
struct PhaseSet {
  std::uint8_t bits = 0;

  void Add(Phase phase) { bits |= static_cast<std::uint8_t>(phase); }

  bool Has(Phase phase) const { return (bits & static_cast<std::uint8_t>(phase)) != 0; }

  bool operator==(const PhaseSet&) const = default;
};

/// Provenance that every observed item carries.
struct Seen {
  std::uint64_t count = 0;     ///< times in one run; the largest of the merged runs
  std::uint64_t first_ms = 0;  ///< since the start of its run; meaningful when count > 0
  std::uint64_t last_ms = 0;
  std::set<std::string> executables;  ///< canonical paths of the programs that did it
  PhaseSet phases;

  /// One more sighting.
  void Note(std::uint64_t now_ms, const std::string& executable, Phase phase);
  void Merge(const Seen& other);
  bool operator==(const Seen&) const = default;
};

/// Results of a call: 0 for success, else the positive errno -> times (largest of the merged runs).
/// A call that did not return (exit, a task killed inside it) adds none. ERESTART* of the kernel is
/// never here: the call that restarts it has the result. Of calls that name no file, socket or
/// process only what came until the first success with the same arguments: from then on a policy
/// must allow the call, whatever its later results are. So the counts may sum to less than the
/// calls.
using ResultCounts = std::map<int, std::uint64_t>;

/// What one scalar's values collapse to beyond kMaxArgumentTuples.
struct ScalarRange {
  std::uint64_t bits_or = 0;
  std::uint64_t minimum = 0;
  std::uint64_t maximum = 0;
  bool operator==(const ScalarRange&) const = default;
};

/// One distinct tuple of the call's recorded scalars, in the order of RecordedScalars().
using ArgumentTuple = std::vector<std::uint64_t>;

struct TupleObservation {
  std::uint64_t count = 0;
  ResultCounts results;
  PhaseSet phases;
  bool operator==(const TupleObservation&) const = default;
};

inline constexpr std::size_t kMaxArgumentTuples = 64;

struct SyscallObservation {
  Seen seen;
  ResultCounts results;
  /// At most kMaxArgumentTuples; empty when the call has no recorded scalars, or when `overflow` is
  /// set.
  std::map<ArgumentTuple, TupleObservation> tuples;
  /// One range per recorded scalar once there were too many tuples; `results` then stands for all
  /// of them.
  std::optional<std::vector<ScalarRange>> overflow;

  /// Adds one tuple, collapsing the set when it grows over the bound. An empty tuple adds nothing.
  void AddTuple(const ArgumentTuple& tuple, const TupleObservation& observation);
  void Merge(const SyscallObservation& other);
  bool operator==(const SyscallObservation&) const = default;
};

/// A file as the kernel resolved it in the tracee's root.
struct FileKey {
  std::string path;  ///< absolute and canonical; "pipe:", "anon_inode:[eventpoll]", "memfd:NAME"
                     ///< for what has no path
  FileClass file_class = FileClass::kFile;
  auto operator<=>(const FileKey&) const = default;
};

struct FileObservation {
  Seen seen;
  FileAccessSet access;            ///< what succeeded, or was asked of an existing object
  std::set<std::uint32_t> ioctls;  ///< requests, where access has kIoctl
  ResultCounts failures;           ///< errno of failed look-ups and opens -> times
  void Merge(const FileObservation& other);
  bool operator==(const FileObservation&) const = default;
};

enum class SocketOperation : std::uint8_t { kCreate, kBind, kConnect, kListen, kAccept, kSend };

/// One distinct use of a socket. For kCreate, kListen, kAccept the address is empty.
struct SocketKey {
  int family = 0;    ///< AF_*
  int type = 0;      ///< SOCK_* without SOCK_NONBLOCK and SOCK_CLOEXEC
  int protocol = 0;  ///< IPPROTO_*, NETLINK_* …
  SocketOperation operation = SocketOperation::kCreate;
  std::string address;     ///< "127.0.0.1", "::1"; the path for AF_UNIX ('@' first when abstract)
  std::uint16_t port = 0;  ///< host byte order
  auto operator<=>(const SocketKey&) const = default;
};

/// How often a socket was used so, and with what results.
struct SocketObservation {
  Seen seen;
  ResultCounts results;
  void Merge(const SocketObservation& other);
  bool operator==(const SocketObservation&) const = default;
};

/// An executed program, by who executed it.
struct ProcessKey {
  std::string executable;
  std::string
      parent;  ///< the executable that called execve(2); empty for the workload's first program
  auto operator<=>(const ProcessKey&) const = default;
};

struct ProcessObservation {
  Seen seen;
  std::set<std::string> interpreters;  ///< scripts' and ELF interpreters the kernel opened for it
  std::set<std::uint32_t> uids;        ///< effective, at exec and after each change
  std::set<std::uint32_t> gids;
  void Merge(const ProcessObservation& other);
  bool operator==(const ProcessObservation&) const = default;
};

/// A capability that the workload needs ("CAP_NET_BIND_SERVICE"), derived from what it did: ptrace
/// cannot see capability checks.
struct CapabilityUse {
  std::set<std::string> reasons;  ///< "bind port 80", …
  PhaseSet phases;
  void Merge(const CapabilityUse& other);
  bool operator==(const CapabilityUse&) const = default;
};

/// Peaks over the whole process tree; 0 when unknown.
struct Resources {
  std::uint64_t peak_memory_bytes = 0;
  std::uint64_t peak_tasks = 0;
  std::uint64_t cpu_time_ms = 0;
  std::uint64_t open_files = 0;
  void Merge(const Resources& other);
  bool operator==(const Resources&) const = default;
};

/// Something that the run could not see. `kind` is one of the identifiers in
/// docs/recording-format.md ("io_uring", "unreadable-memory", "inner-seccomp-filter", …); `detail`
/// is for people.
struct Limitation {
  std::string kind;
  std::string detail;
  auto operator<=>(const Limitation&) const = default;
};

struct HostFacts {
  std::string kernel;  ///< uname -r
  std::string architecture;
  std::string libc;  ///< "glibc 2.36" where known, else empty
  std::uint32_t effective_uid = 0;
  std::uint64_t effective_capabilities = 0;  ///< CapEff of the tracer when it started the workload
  bool tracer_filtered = false;              ///< the tracer itself ran under a seccomp filter
  auto operator<=>(const HostFacts&) const = default;
};

/// How many distinct behaviours had been seen at a time.
struct DiscoveryPoint {
  std::uint64_t ms = 0;  ///< since the start of the run
  std::uint64_t items = 0;
  auto operator<=>(const DiscoveryPoint&) const = default;
};

inline constexpr std::size_t kMaxDiscoveryPoints = 128;

/// The curves that a merged recording keeps: those of the runs whose ids come first, whatever the
/// order of merging. A fleet's recording would otherwise be nothing but curves.
inline constexpr std::size_t kMaxDiscoveryCurves = 64;

/// What a Good-Turing estimate of the unseen needs: of how many sightings how many were the only
/// one of their kind.
struct Coverage {
  std::uint64_t calls = 0;       ///< system calls made
  std::uint64_t calls_once = 0;  ///< (call, arguments) made once
  std::uint64_t uses = 0;        ///< uses of files taken down
  std::uint64_t files_once = 0;  ///< files with one use
  auto operator<=>(const Coverage&) const = default;
};

/// One learning run.
struct Run {
  std::vector<std::string> command;
  HostFacts host;
  std::int64_t started_unix_s = 0;
  std::uint64_t duration_ms = 0;
  std::string tier;     ///< "exact" or "filtered"
  std::string further;  ///< the name of a further command of a workload that was recorded before
                        ///< (a health check, a reload); empty: the workload itself
  std::string serving_when;  ///< what was to mark the boundary between start and serve: "listen",
                             ///< "ready-fd", "signal:USR1"; empty: nothing
  std::optional<std::uint64_t> serving_ms;  ///< when that came, since the start; nothing: never
  std::set<std::string> withheld;  ///< calls that cordon made fail with ENOSYS (--no-io-uring)
  /// Of a container: path of a bind mount in it -> where that lies on the host.
  std::map<std::string, std::string> binds;
  std::optional<Outcome> outcome;  ///< nothing when the run was ended before the workload ended
  std::set<Limitation> limitations;
  std::vector<DiscoveryPoint> discovery;  ///< at most kMaxDiscoveryPoints, both members ascending
  Coverage coverage;
  auto operator<=>(const Run&) const = default;
};

/// The whole document. Runs are keyed by their id, 16 random bytes as 32 hexadecimal digits.
struct Recording {
  std::map<std::string, Run> runs;
  std::map<Syscall, SyscallObservation> syscalls;
  std::map<FileKey, FileObservation> files;
  std::map<SocketKey, SocketObservation> sockets;
  std::map<ProcessKey, ProcessObservation> processes;
  std::map<std::string, CapabilityUse> capabilities;
  Resources resources;

  /// Adds all of `other`. A run with the same id on both sides is the same run; should they differ,
  /// the greater one stays, so that order does not matter. Over kMaxDiscoveryCurves runs, the later
  /// ones lose Run::discovery.
  void Merge(const Recording& other);
  bool operator==(const Recording&) const = default;
};

}  // namespace cordon
