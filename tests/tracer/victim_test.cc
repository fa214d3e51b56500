#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>

#include "common/text.h"
#include "tests/testing/skip.h"
#include "tests/testing/temp_dir.h"
#include "tests/tracer/learned.h"

namespace cordon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

constexpr int kSkipStatus = 77;  // of a victim that the kernel lacks something for

/// What a victim does, and what must be recorded of it in every tier.
struct Expectation {
  std::string victim;
  std::string scenario;
  int exit_status = 0;
  std::vector<std::string> calls;  ///< "name arch result"
  std::vector<std::string> marks;  ///< /cordon-victim/NAME was looked for
  std::vector<std::pair<std::string, std::string>>
      files{};                            ///< beneath the victim's folder, or absolute -> accesses
  std::vector<std::string> behaviours{};  ///< parts of lines of Behaviours()
  std::uint64_t least_hits = 0;           ///< calls that stubs make in the fast tier
  std::uint64_t silent_stops = 1;         ///< before there are stubs
};

/// Without the results of futex(2): whether a lock of the C library is found taken is up to chance.
std::set<std::string> Comparable(const Recording& recording) {
  std::set<std::string> lines;
  for (const std::string& line : testing::Behaviours(recording)) {
    const bool lock = line.starts_with("call futex ");
    lines.insert(lock ? "call futex" + line.substr(std::min(line.find(" by "), line.size()))
                      : line);
  }
  return lines;
}

std::string TestName(const ::testing::TestParamInfo<Expectation>& info) {
  return info.param.victim + "_" + info.param.scenario;
}

void PrintTo(const Expectation& expectation, std::ostream* out) {
  *out << expectation.victim << " " << expectation.scenario;
}

class Victim : public ::testing::TestWithParam<Expectation> {
 protected:
  /// The victim in an empty folder of the same name each time.
  testing::Learned LearnFresh(TraceTier tier) {
    std::filesystem::remove_all(folder());
    std::filesystem::create_directory(folder());
    RecordOptions options;
    options.silent_stops_before_stubs = GetParam().silent_stops;
    return testing::Learn({GetParam().victim, GetParam().scenario, folder()}, tier, options);
  }

  std::string folder() const { return std::filesystem::canonical(temp_.path()).string() + "/work"; }

  std::string Absolute(const std::string& path) const {
    const bool named = path.starts_with('/') || path.starts_with("memfd:");
    return named ? path : path == "." ? folder() : folder() + "/" + path;
  }

  void Check(const testing::Learned& learned) {
    const Expectation& expected = GetParam();
    const Recording& recording = learned.run.recording;
    EXPECT_EQ(learned.exit_status, expected.exit_status);
    EXPECT_THAT(testing::Calls(recording), IsSupersetOf(expected.calls));
    for (const std::string& mark : expected.marks) {
      EXPECT_THAT(testing::FailuresOf(recording, "/cordon-victim/" + mark), Contains(ENOENT))
          << mark;
    }
    for (const auto& [path, access] : expected.files) {
      EXPECT_EQ(testing::AccessOf(recording, Absolute(path)), access) << path;
    }
    const std::set<std::string> behaviours = testing::Behaviours(recording);
    for (const std::string& part : expected.behaviours) {
      EXPECT_THAT(behaviours, Contains(HasSubstr(part)));
    }
  }

  testing::TempDir temp_;
};

TEST_P(Victim, IsRecordedAlikeInEveryTier) {
  if (!std::filesystem::exists(std::string(CORDON_VICTIMS "/") + GetParam().victim)) {
    SKIP_BECAUSE("no compiler for it: gcc-12-multilib for 32-bit programs, musl-tools for musl");
  }
  const testing::Learned exact = LearnFresh(TraceTier::kExact);
  if (exact.exit_status == kSkipStatus) {
    SKIP_BECAUSE("this kernel or user lacks what the victim needs");
  }
  {
    SCOPED_TRACE("exact");
    Check(exact);
  }
  for (const TraceTier tier : {TraceTier::kFiltered, TraceTier::kFast}) {
    SCOPED_TRACE(Name(tier));
    const testing::Learned learned = LearnFresh(tier);
    Check(learned);
    if (learned.run.tier == TraceTier::kExact) {
      SKIP_BECAUSE("no trace filter can be installed here");
    }
    EXPECT_EQ(Comparable(exact.run.recording), Comparable(learned.run.recording));
    EXPECT_GE(learned.run.counts.stubs.hits, GetParam().least_hits * (tier == TraceTier::kFast));
  }
}

const Expectation kTasks[] = {
    {"tasks", "fork", 0, {"access x86_64 ENOENT", "wait4 x86_64 ok"}, {"fork-child"}},
    {"tasks", "vfork", 0, {"vfork x86_64 ok"}, {"vfork-child", "vfork-parent"}},
    {"tasks", "clone", 0, {"clone x86_64 ok"}, {"clone-child"}},
    {"tasks", "clone_untraced", 0, {"clone x86_64 ok"}, {"untraced-child"}},
    {"tasks", "clone3", 0, {"clone3 x86_64 ok"}, {"clone3-child"}},
    {"tasks", "clone3_untraced", 0, {"clone3 x86_64 ok"}, {"untraced-child"}},
    {"tasks", "threads", 0, {"exit x86_64 -"}, {"thread-0", "thread-3", "thread-7"}},
    {"tasks", "exec_from_thread", 3, {"execve x86_64 ok"}, {"executed"}},
    {"tasks", "daemonise", 5, {"setsid x86_64 ok"}, {"daemon"}},
    {"tasks", "clone_parent", 0, {"clone x86_64 ok"}, {"sibling"}},
    {"tasks", "clone_vm", 0, {"clone x86_64 ok"}, {"shared-memory-child"}},
    {"tasks",
     "new_pid_namespace",
     0,
     {"clone x86_64 ok"},
     {"first-of-namespace", "second-of-namespace"},
     {{"/proc/self/comm", "test_access"}}},
    {"tasks", "stopped_job", 0, {"setpgid x86_64 ok"}, {"job-stopped", "second-continued"}},
    {"tasks", "killed_in_call", 0, {"kill x86_64 ok"}, {"before-kill"}},
};

/// Where a task may run is what it would be without a tracer.
const Expectation kProcessors[] = {
    {"processors", "asked", 0, {"sched_getaffinity x86_64 ok"}, {}},
    {"processors", "in_child", 0, {"sched_getaffinity x86_64 ok"}, {}},
    {"processors", "in_thread", 0, {"sched_getaffinity x86_64 ok"}, {}},
    {"processors", "chosen", 0, {"sched_setaffinity x86_64 ok"}, {}},
    {"processors", "shown", 0, {}, {}, {{"/proc/self/status", "open read"}}},
};

const Expectation kSignals[] = {
    {"signals", "trap", 0, {"rt_sigreturn x86_64 -"}, {}},
    {"signals", "restart", 0, {"read x86_64 ok"}, {}},
    {"signals", "interrupt", 0, {"read x86_64 ok"}, {}},
    {"signals", "stop_in_sleep", 0, {"restart_syscall x86_64 ok"}, {}},
    {"signals", "realtime", 0, {"rt_sigqueueinfo x86_64 ok"}, {}},
    {"signals", "every_signal", 0, {"kill x86_64 ok", "rt_sigreturn x86_64 -"}, {}},
    {"signals", "alternate_stack", 0, {"sigaltstack x86_64 ok"}, {}},
    {"signals", "die", 128 + 11, {}, {}},
};

const Expectation kPaths[] = {
    {"paths",
     "relative",
     0,
     {},
     {},
     {{".", "search add_name"},
      {"sub", "create search add_name"},
      {"sub/file", "open read write create"}}},
    {"paths",
     "links",
     0,
     {"openat x86_64 ELOOP"},
     {},
     {{"two", "create readlink"}, {"one", "create readlink"}, {"real", "open read write create"}}},
    {"paths", "directory_fd", 0, {}, {}, {{"sub/file", "open read write append create"}}},
    {"paths",
     "empty_path",
     0,
     {"newfstatat x86_64 ok"},
     {},
     {{"file", "open write create getattr setattr"}}},
    {"paths",
     "names",
     0,
     {},
     {},
     {{"first", "open write create rename"},
      {"second", "rename arrive"},
      {"victim", "open write create unlink link arrive"},
      {"hard", "open write truncate unlink arrive"},
      {"empty", "create unlink"},
      {"fifo", "create"},
      {".", "search add_name remove_name"}}},
    {"paths",
     "attributes",
     0,
     {"openat x86_64 ENXIO"},
     {},
     {{"touched", "open write create"},
      {"dated", "open write create setattr"},
      {"one", "open write create unlink rename"},
      {"other", "open write create unlink rename arrive"},
      {"fifo", "open write create"}}},
    {"paths", "maps", 0, {}, {}, {{"file", "open read write create map map_write map_exec"}}},
    {"paths",
     "deleted",
     0,
     {},
     {},
     {{"file", "open read write create getattr unlink"}, {"/proc/self/fd", "search"}}},
    {"paths",
     "own_process",
     0,
     {},
     {},
     {{"/proc/self/status", "open read"},
      {"/proc/self/comm", "open read"},
      {"/proc/thread-self/stat", "test_access"}}},
    {"paths",
     "new_root",
     0,
     {"chroot x86_64 ok"},
     {},
     {{"/etc/link", "readlink"}, {"/etc/inside", "open read"}},
     {"capability CAP_SYS_CHROOT"}},
};

const Expectation kSockets[] = {
    // families, types, protocols and operations by number: 2 is inet, 1 is unix and stream, 16
    // netlink
    {"sockets",
     "inet",
     0,
     {"bind x86_64 ok", "connect x86_64 ok"},
     {},
     {},
     {"socket 2/1/0 0 :0 ok", "socket 2/1/6 1 127.0.0.1:0 ok", "socket 2/1/6 3 :0 ok",
      "socket 2/1/6 4 :0 ok", "tuple socket x86_64 0x2,0x80001,0x0 ok"}},
    {"sockets", "datagram", 0, {}, {}, {}, {"socket 2/2/17 5 127.0.0.1:9 ok"}},
    {"sockets",
     "several",
     0,
     {},
     {},
     {},
     {"socket 2/2/17 5 127.0.0.1:9 ok", "socket 2/2/17 5 127.0.0.1:10 ok"}},
    {"sockets",
     "unix_path",
     0,
     {"connect x86_64 ENOENT"},
     {},
     {{"socket", "create connect"}, {".", "search add_name"}},
     {"/work/socket:0 ok", "/work/missing sock  ioctls  failed ENOENT"}},
    {"sockets",
     "others",
     0,
     {},
     {},
     {},
     {"socket 1/2/0 1 @cordon-victim:0 ok", "socket 16/3/0 0", "socket 1/5/0 0"}},
};

const Expectation kAbis[] = {
    {"abi", "int80", 0, {"getppid x86 ok"}, {}},
    {"abi", "x32", 0, {}, {}, {}, {"call getppid x32 "}},
    {"abi", "unknown", 0, {"syscall_5000 x86_64 ENOSYS"}, {}},
    {"abi", "minus_one", 0, {"syscall_-1 x86_64 ENOSYS"}, {}},
    {"narrow",
     "",
     0,
     {"access x86 ENOENT", "socketcall x86 ok"},
     {"narrow"},
     {},
     {"socket 2/1/0 0 :0 ok"}},
};

const Expectation kFilters[] = {
    {"own_filter",
     "own",
     0,
     {"getpgrp x86_64 EACCES"},
     {},
     {},
     {"limitation inner-seccomp-filter"}},
    {"own_filter",
     "thread",
     0,
     {"getpgrp x86_64 EACCES"},
     {},
     {},
     {"limitation inner-seccomp-filter"}},
};

const Expectation kBlind[] = {
    {"blind", "ring", 0, {"io_uring_setup x86_64 ok"}, {}, {}, {"limitation io_uring"}},
    {"blind", "trace", 0, {"ptrace x86_64 EPERM"}, {}, {}, {"limitation ptrace"}},
    {"blind",
     "own_trace",
     0,
     {"getpgrp x86_64 ENOSYS"},
     {},
     {},
     {"limitation inner-seccomp-filter"}},
    {"blind",
     "notification",
     0,
     {"getpgrp x86_64 EXDEV"},
     {},
     {},
     {"limitation inner-seccomp-filter", "limitation seccomp-notification"}},
    {"blind",
     "by_prctl",
     0,
     {"getpgrp x86_64 EACCES"},
     {},
     {},
     {"limitation inner-seccomp-filter"}},
    {"blind", "unreadable", 0, {"openat2 x86_64 ok"}, {}, {}, {"limitation unreadable-memory"}},
    {"blind",
     "addresses",
     0,
     {"connect x86_64 ok"},
     {},
     {},
     {"limitation truncated", "socket 2/2/17 2 *:0 ok"}},
};

const Expectation kArguments[] = {
    {"arguments",
     "handle",
     0,
     {"name_to_handle_at x86_64 ok"},
     {},
     {{"kept", "create"}, {"followed", "create readlink"}}},
    {"arguments",
     "dont_follow",
     0,
     {},
     {},
     {{"link", "create watch"}, {"file", "open write create"}}},
    {"arguments", "empty_link", 0, {"readlinkat x86_64 ok"}, {}, {{"link", "create readlink"}}},
    {"arguments", "memory_file", 0, {}, {}, {{"memfd:victim", "write map map_exec"}}},
    {"arguments",
     "kinds",
     0,
     {},
     {},
     {{"locked", "open read write create lock"},
      {"region", "open read write append create lock"},
      {"asked", "open read write create ioctl"},
      {"refused", "open read write create ioctl"},
      {"taken", "open read write create lock"},
      {"listed", "open write create getattr"}},
     {"/asked file open read write create ioctl ioctls 0x541b",
      "/refused file open read write create ioctl ioctls 0x5413"}},
    {"arguments", "rights", 0, {"recvmsg x86_64 ok"}, {}, {{"memfd:passed", "read write"}}},
    {"arguments",
     "several_rights",
     0,
     {"recvmmsg x86_64 ok"},
     {},
     {{"memfd:passed", "read write"}}},
    {"arguments",
     "attributes",
     0,
     {"lremovexattr x86_64 ENODATA", "lgetxattr x86_64 ENODATA"},
     {},
     {{"asked", "open write create getattr"},
      {"link", "create getattr"},
      {"changed", "open write create setattr"},
      {"by_fd", "open read write create getattr setattr"}}},
    {"arguments",
     "mounts",
     0,
     {"move_mount x86_64 ok"},
     {},
     {{"bound", "create mount"}, {"fresh", "create mount"}},
     {"tuple mount_setattr x86_64 0x1,0x0,0x0 ok"}},
    {"arguments",
     "watch",
     0,
     {"fanotify_mark x86_64 ok"},
     {},
     {{"file", "open write create watch"}},
     {"tuple fanotify_init x86_64 0x1,0x0 ok"}},
    {"arguments",
     "options",
     0,
     {},
     {},
     {},
     {"tuple prctl x86_64 0x4,0x1 ok", "tuple prctl x86_64 0xf,0x0 ok"}},
    {"arguments", "map_type", 0, {}, {}, {}, {"tuple bpf x86_64 0x0,0x2 ok"}},
    {"arguments", "quota", 0, {"quotactl x86_64 ENOENT"}, {"quota"}},
    {"arguments", "execute_empty", 0, {"execveat x86_64 ok"}, {"executed-empty"}},
};

#if defined(__x86_64__)
constexpr std::uint64_t kWarm = 700;  ///< of the 900 calls that each scenario begins with
/// musl's read(2) compares where it is with a range, and is left alone.
constexpr std::uint64_t kWarmMusl = 400;
#else
constexpr std::uint64_t kWarm = 0;
constexpr std::uint64_t kWarmMusl = 0;
#endif

/// What must be seen although the call site has a stub.
const Expectation kStubs[] = {
    {"stubs",
     "arguments",
     0,
     {},
     {},
     {},
     {"tuple mprotect x86_64 0x0 ok", "tuple setsockopt x86_64 0x1,0x9 ok",
      "tuple fcntl x86_64 0x2 ok"},
     kWarm},
    {"stubs",
     "descriptors",
     0,
     {},
     {},
     {{"first", "open read write create"},
      {"second", "open read create getattr"},
      {"third", "open read write create getattr"},
      {"last", "open read write create getattr lock"}},
     {},
     kWarm},
    {"stubs",
     "borrowed",
     0,
     {},
     {"borrowed"},
     {{"mine", "open read write create getattr"}, {"other", "open read write create"}},
     {},
     kWarm},
    {"stubs", "forked", 0, {"getsid x86_64 ok"}, {}, {{"after", "read arrive"}}, {}, kWarm},
    {"stubs", "executed", 0, {}, {"again"}, {}, {}, 3 * kWarm},
    {"stubs", "storm", 0, {"rt_sigreturn x86_64 -"}, {}, {}, {}, 30 * kWarm},
    {"stubs", "interrupted", 0, {"rt_sigreturn x86_64 -"}, {}, {}, {}, kWarm},
    {"stubs", "stopped", 0, {"restart_syscall x86_64 ok"}, {}, {}, {}, 200},
    {"stubs", "left", 0, {}, {}, {}, {}, kWarm},
    {"stubs", "cancelled", 0, {"tgkill x86_64 ok"}, {}, {}, {}, kWarm},
    {"stubs", "threads", 0, {"getsid x86_64 ok"}, {}, {}, {}, 30 * kWarm},
    {"stubs", "filtered", 0, {"prctl x86_64 ok"}, {}, {}, {}, kWarm},
    {"stubs", "trapped", 0, {}, {}, {}, {}, kWarm},
    {"stubs",
     "names",
     0,
     {"newfstatat x86_64 ok", "access x86_64 ok", "access x86_64 ENOENT"},
     {},
     {{"missing", "open write create getattr unlink test_access"},
      {"other", "open read write create getattr"}},
     {"/work/file dir create getattr"},
     kWarm},
    {"stubs",
     "places",
     0,
     {"faccessat2 x86_64 ok"},
     {},
     {{"a/file", "open read write create getattr test_access"},
      {"b/file", "open read write create test_access"}},
     {"/work/a/link file  ioctls  failed ENOENT"},
     kWarm},
    {"stubs",
     "numbers",
     0,
     {},
     {},
     {{"first", "open read write create getattr"},
      {"second", "open read write append create getattr lock"}},
     {},
     kWarm},
    {"stubs", "nonsense", 0, {}, {}, {}, {}, kWarm},
    {"stubs", "name_storm", 0, {"rt_sigreturn x86_64 -"}, {}, {}, {}, 10 * kWarm},
    {"stubs", "name_threads", 0, {}, {}, {{"d", "open read write create getattr"}}, {}, kWarm},
    {"stubs",
     "synced",
     0,
     {"newfstatat x86_64 ENOENT"},
     {},
     {},
     {"/work/missing-3-299 file  ioctls  failed ENOENT", "limitation inner-seccomp-filter"},
     kWarm},
    {"stubs", "dispatched", 0, {"prctl x86_64 ok"}, {}, {}, {}, kWarm},
    {"stubs",
     "arrived",
     0,
     {},
     {},
     {{"before", "open write create rename"}, {"after", "arrive"}},
     {},
     200,
     100},
    {"stubs", "middle", 0, {}, {}, {{"folder", "create search"}}, {}, 200},
    {"stubs", "cramped", 0, {"prlimit64 x86_64 ok"}, {}, {}, {}, 0},
    {"unseen",
     "duplicated",
     0,
     {"fcntl x86_64 ok", "fcntl x86_64 EINVAL"},
     {},
     {{"first", "open read write create"}, {"second", "open read write create getattr lock"}},
     {},
     2 * kWarm},
    {"unseen",
     "unknown",
     0,
     {"readlink x86_64 ok"},
     {},
     {{"name0", "open read write create getattr"}, {"name297", "open read write create getattr"}},
     {"name298 file  ioctls  failed ENOENT", "/work/link lnk"},
     kWarm},
    {"unseen",
     "slept",
     0,
     {},
     {},
     {{"other", "open read write create"}},
     {"/work/last", "/work/299 file  ioctls  failed ENOENT"},
     kWarm},
    {"unseen",
     "half_shared",
     0,
     {"dup2 x86_64 ok"},
     {},
     {{"mine", "open read write create"}, {"other", "open read write create getattr"}},
     {},
     kWarm},
    {"unseen", "unloaded", 0, {"getuid x86_64 ok", "getpgrp x86_64 ok"}, {}, {}, {}, 3 * kWarm},
    {"unseen", "made_code", 0, {"getuid x86_64 ok"}, {}, {}, {}, kWarm},
    {"unseen", "mapped", 0, {}, {}, {{"/proc/self/maps", "open read getattr"}}, {}, kWarm},
    {"unseen", "crashed", 0, {"rt_sigprocmask x86_64 ok"}, {}, {}, {}, 3 * kWarm},
    {"unseen", "any_number", 0, {"rt_sigreturn x86_64 -"}, {}, {}, {}, 30 * kWarm},
    {"unseen", "alike", 0, {"ioctl x86_64 ok"}, {}, {}, {}, 2 * kWarm},
    {"unseen", "appended", 0, {}, {}, {{"file", "open write append create"}}, {}, 2 * kWarm},
    {"unseen",
     "overmapped",
     0,
     {"munmap x86_64 ok"},
     {},
     {{"after", "open read write create"}},
     {},
     kWarm},
    {"unseen",
     "unmapped",
     0,
     {"munmap x86_64 ok"},
     {},
     {{"after", "open read write create"}},
     {},
     kWarm},
    {"unseen", "unmapped_gaps", 0, {"munmap x86_64 ok"}, {}, {}, {}, kWarm},
    {"stubs_static", "dispatched", 0, {"prctl x86_64 ok"}, {}, {}, {}, kWarm},
    {"unseen_static", "unmapped", 0, {}, {}, {}, {}, kWarm},
    {"stubs_static", "descriptors", 0, {}, {}, {}, {}, kWarm},
    {"stubs_static", "storm", 0, {"rt_sigreturn x86_64 -"}, {}, {}, {}, 30 * kWarm},
    {"stubs_static", "names", 0, {"newfstatat x86_64 ok"}, {}, {}, {}, kWarm},
    {"stubs_static", "cancelled", 0, {"tgkill x86_64 ok"}, {}, {}, {}, kWarm},
    {"stubs_static", "threads", 0, {"getsid x86_64 ok"}, {}, {}, {}, 30 * kWarm},
    {"unseen_static", "unloaded", 0, {"getuid x86_64 ok"}, {}, {}, {}, 3 * kWarm},
    {"stubs_musl", "descriptors", 0, {}, {}, {}, {}, kWarmMusl},
    {"stubs_musl", "storm", 0, {"rt_sigreturn x86_64 -"}, {}, {}, {}, 30 * kWarmMusl},
    {"stubs_musl", "names", 0, {}, {}, {}, {}, kWarmMusl},
    {"stubs_musl", "cancelled", 0, {"tkill x86_64 ok"}, {}, {}, {}, kWarmMusl},
    {"stubs_musl", "threads", 0, {"getsid x86_64 ok"}, {}, {}, {}, 30 * kWarmMusl},
    {"unseen_static", "unknown", 0, {"readlink x86_64 ok"}, {}, {}, {}, kWarm},
    {"unseen_musl", "unknown", 0, {"readlink x86_64 ok"}, {}, {}, {}, kWarmMusl},
    {"unseen_musl", "duplicated", 0, {"fcntl x86_64 EINVAL"}, {}, {}, {}, kWarmMusl},
    {"unseen_musl", "unloaded", 0, {"getuid x86_64 ok"}, {}, {}, {}, 3 * kWarmMusl},
};

INSTANTIATE_TEST_SUITE_P(Stubs, Victim, ::testing::ValuesIn(kStubs), TestName);
INSTANTIATE_TEST_SUITE_P(Arguments, Victim, ::testing::ValuesIn(kArguments), TestName);
INSTANTIATE_TEST_SUITE_P(Blind, Victim, ::testing::ValuesIn(kBlind), TestName);
INSTANTIATE_TEST_SUITE_P(Tasks, Victim, ::testing::ValuesIn(kTasks), TestName);
INSTANTIATE_TEST_SUITE_P(Processors, Victim, ::testing::ValuesIn(kProcessors), TestName);
INSTANTIATE_TEST_SUITE_P(Signals, Victim, ::testing::ValuesIn(kSignals), TestName);
INSTANTIATE_TEST_SUITE_P(Paths, Victim, ::testing::ValuesIn(kPaths), TestName);
INSTANTIATE_TEST_SUITE_P(Sockets, Victim, ::testing::ValuesIn(kSockets), TestName);
INSTANTIATE_TEST_SUITE_P(Abis, Victim, ::testing::ValuesIn(kAbis), TestName);
INSTANTIATE_TEST_SUITE_P(Filters, Victim, ::testing::ValuesIn(kFilters), TestName);

TEST(IoUringTest, IsWithheldWhereThatIsAskedFor) {
  for (const TraceTier tier : {TraceTier::kExact, TraceTier::kFiltered, TraceTier::kFast}) {
    const testing::Learned allowed = testing::Learn({"blind", "ring"}, tier);
    if (allowed.exit_status == kSkipStatus) {
      SKIP_BECAUSE("this kernel allows no io_uring");
    }
    EXPECT_EQ(allowed.exit_status, 0);
    EXPECT_THAT(allowed.run.recording.runs.begin()->second.withheld, IsEmpty());
    RecordOptions options;
    options.io_uring = IoUring::kWithheld;
    const testing::Learned withheld = testing::Learn({"blind", "ring"}, tier, options);
    constexpr int kNoSuchCall = 38;
    EXPECT_EQ(withheld.exit_status, kNoSuchCall);
    EXPECT_THAT(testing::Calls(withheld.run.recording), Contains("io_uring_setup x86_64 ENOSYS"));
    EXPECT_THAT(testing::Behaviours(withheld.run.recording),
                Not(Contains(HasSubstr("limitation io_uring"))));
    EXPECT_THAT(withheld.run.recording.runs.begin()->second.withheld,
                ElementsAre("io_uring_setup"));
  }
}

// Not compared between the tiers: only where there are stubs the call is refused.
TEST(OvermappedWindow, HurtsNoProgramOfSeveralThreads) {
  RecordOptions options;
  options.silent_stops_before_stubs = 1;
  const testing::TempDir temp;
  const testing::Learned learned =
      testing::Learn({"unseen", "overmapped_beside", temp.path()}, TraceTier::kFast, options);
  EXPECT_EQ(learned.exit_status, 0);
  if (learned.run.tier != TraceTier::kFast) {
    SKIP_BECAUSE("no trace filter can be installed here");
  }
  EXPECT_THAT(testing::Behaviours(learned.run.recording), Contains("limitation stubs-in-the-way"));
}

// Not compared between the tiers: whether one of them finds a futex taken is up to chance.
TEST(ThousandThreads, AreAllFollowed) {
  for (const TraceTier tier : {TraceTier::kExact, TraceTier::kFiltered, TraceTier::kFast}) {
    const testing::Learned learned = testing::Learn({"tasks", "thousand_threads"}, tier);
    if (learned.exit_status == kSkipStatus) {
      SKIP_BECAUSE("a thousand threads may not be made here");
    }
    EXPECT_EQ(learned.exit_status, 0);
    EXPECT_EQ(learned.run.counts.tasks, 1001U);
    EXPECT_EQ(learned.run.recording.resources.peak_tasks, 1001U);
    EXPECT_THAT(testing::FailuresOf(learned.run.recording, "/cordon-victim/thousand-threads"),
                Contains(ENOENT));
  }
}

TEST(ManyChildren, AreAllFollowed) {
  for (const TraceTier tier : {TraceTier::kExact, TraceTier::kFiltered, TraceTier::kFast}) {
    const testing::Learned learned = testing::Learn({"tasks", "many_children"}, tier);
    EXPECT_EQ(learned.exit_status, 0);
    EXPECT_EQ(learned.run.counts.tasks, 2001U);
    EXPECT_THAT(testing::FailuresOf(learned.run.recording, "/cordon-victim/many-children"),
                Contains(ENOENT));
  }
}

}  // namespace
}  // namespace cordon
