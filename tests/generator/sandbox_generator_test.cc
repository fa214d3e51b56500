#include "generator/sandbox_generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "model/sandbox_config_json.h"
#include "tests/testing/random_recording.h"

namespace cordon {
namespace {

using enum FileAccess;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// A recording put together file by file.
class Seen {
 public:
  Seen& File(const std::string& path, FileAccessSet access,
             FileClass file_class = FileClass::kFile) {
    recording.files[{path, file_class}].access.Add(access);
    return *this;
  }

  Seen& Folder(const std::string& path, FileAccessSet access) {
    return File(path, access, FileClass::kDirectory);
  }

  Seen& Socket(SocketOperation operation, const std::string& address, std::uint16_t port,
               int family = AF_INET, int type = SOCK_STREAM, int result = 0) {
    recording.sockets[{family, type, 0, operation, address, port}].results[result] = 1;
    return *this;
  }

  SandboxConfig Config() const {
    const Expected<SandboxConfig> config = GenerateSandbox(recording, "web_1");
    EXPECT_TRUE(config.has_value());
    return config.value_or(SandboxConfig{});
  }

  /// "PATH ro|rw" of every bind mount.
  std::vector<std::string> Binds() const {
    std::vector<std::string> binds;
    for (const Mount& mount : Config().mounts) {
      if (mount.type == "bind") {
        EXPECT_EQ(mount.source, mount.destination);
        binds.push_back(mount.destination + " " + mount.options.back());
      }
    }
    return binds;
  }

  /// The rights of the Landlock rule on `path`.
  std::set<std::string> Rights(const std::string& path) const {
    const SandboxConfig config = Config();
    EXPECT_TRUE(config.landlock.has_value());
    for (const LandlockRule& rule : config.landlock.value_or(std::vector<LandlockRule>{})) {
      if (rule.path == path) {
        return rule.access;
      }
    }
    return {};
  }

  Recording recording;
};

TEST(GenerateSandbox, IsDeterministicAndAnOciConfiguration) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    Recording one = testing::RandomRecording(seed);
    Recording two = testing::RandomRecording(seed + 1000);
    Recording merged = one;
    merged.Merge(two);
    two.Merge(one);
    const Expected<SandboxConfig> forward = GenerateSandbox(merged, "x");
    const Expected<SandboxConfig> backward = GenerateSandbox(two, "x");
    ASSERT_TRUE(forward.has_value() && backward.has_value());
    EXPECT_EQ(WriteSandboxConfig(*forward), WriteSandboxConfig(*backward));
    EXPECT_TRUE(ReadSandboxConfig(WriteSandboxConfig(*forward), "x").has_value());
  }
}

TEST(GenerateSandbox, WritesNothingWhereNothingWasWritten) {
  EXPECT_THAT(Seen().File("/etc/web/conf", {kOpen, kRead}).File("/usr/bin/web", {kExecute}).Binds(),
              IsEmpty());
}

TEST(GenerateSandbox, BindsTheFileThatWasWritten) {
  EXPECT_THAT(Seen().File("/var/log/web.log", {kOpen, kAppend}).Binds(),
              ElementsAre("/var/log/web.log rw"));
}

TEST(GenerateSandbox, BindsTheFolderWhereEntriesComeAndGo) {
  EXPECT_THAT(Seen()
                  .File("/var/lib/web/db.tmp", {kOpen, kCreate, kWrite, kRename})
                  .File("/var/lib/web/db", {kArrive})
                  .Binds(),
              ElementsAre("/var/lib/web rw"));
  EXPECT_THAT(Seen().File("/var/lib/web/old", {kUnlink}).Binds(), ElementsAre("/var/lib/web rw"));
  EXPECT_THAT(Seen().File("/run/web/socket", {kCreate}, FileClass::kSocket).Binds(),
              ElementsAre("/run/web rw"));
}

TEST(GenerateSandbox, CountsFoldersOfTheWorkloadsOwnToTheOneThatWasThere) {
  const Seen seen = Seen()
                        .Folder("/var/cache/web/a", {kCreate})
                        .Folder("/var/cache/web/a/b", {kCreate})
                        .File("/var/cache/web/a/b/page", {kOpen, kCreate, kWrite, kRead});
  EXPECT_THAT(seen.Binds(), ElementsAre("/var/cache/web rw"));
  EXPECT_THAT(seen.Rights("/var/cache/web"),
              UnorderedElementsAre("make_dir", "make_reg", "read_file", "write_file"));
}

TEST(GenerateSandbox, OuterMountsCoverInnerOnes) {
  EXPECT_THAT(
      Seen().File("/srv/web/x", {kCreate, kOpen}).File("/srv/web/sub/y", {kCreate, kOpen}).Binds(),
      ElementsAre("/srv/web rw"));
}

TEST(GenerateSandbox, WhatOnlyCameAsAnOpenDescriptorNeedsNothing) {
  const Seen seen = Seen().File("/home/me/out.log", {kWrite, kGetattr});
  EXPECT_THAT(seen.Binds(), IsEmpty());
  EXPECT_THAT(seen.Rights("/home/me/out.log"), IsEmpty());
}

TEST(GenerateSandbox, TmpIsPrivateButForWhatWasThere) {
  EXPECT_THAT(
      Seen().File("/tmp/own", {kOpen, kCreate, kWrite}).File("/tmp/own2", {kArrive}).Binds(),
      IsEmpty());
  EXPECT_THAT(Seen().File("/tmp/given/conf", {kOpen, kRead}).Binds(), ElementsAre("/tmp/given ro"));
  EXPECT_THAT(Seen()
                  .File("/tmp/given/conf", {kOpen, kRead})
                  .File("/tmp/given/log/new", {kCreate, kOpen})
                  .Binds(),
              ElementsAre("/tmp/given ro", "/tmp/given/log rw"));
  EXPECT_THAT(Seen().Folder("/tmp/made", {kCreate}).File("/tmp/made/x", {kOpen, kCreate}).Binds(),
              IsEmpty());
}

TEST(GenerateSandbox, TheSandboxsOwnFileSystemsAreNotBound) {
  EXPECT_THAT(Seen()
                  .File("/dev/null", {kOpen, kWrite}, FileClass::kCharacter)
                  .File("/dev/pts/3", {kOpen, kWrite}, FileClass::kCharacter)
                  .File("/dev/shm/x", {kOpen, kCreate})
                  .File("/proc/self/oom_score_adj", {kOpen, kWrite})
                  .Binds(),
              IsEmpty());
  EXPECT_THAT(Seen().File("/dev/fuse", {kOpen, kWrite, kIoctl}, FileClass::kCharacter).Binds(),
              ElementsAre("/dev/fuse rw"));
}

TEST(GenerateSandbox, NothingIsEverBoundOverTheRoot) {
  EXPECT_THAT(Seen().File("/core", {kOpen, kCreate, kWrite}).Binds(), IsEmpty());
}

TEST(GenerateSandbox, RulesFollowFilesThatMayBeReplaced) {
  const Seen seen = Seen()
                        .File("/etc/web/conf", {kOpen, kRead})
                        .File("/etc/passwd", {kOpen, kRead})
                        .File("/etc/ssl/openssl.cnf", {kOpen, kRead})
                        .File("/usr/lib/libc.so.6", {kOpen, kRead, kMapExecute})
                        .File("/home/me/notes", {kOpen, kRead});
  EXPECT_THAT(seen.Rights("/etc/web"), ElementsAre("read_file"));
  EXPECT_THAT(seen.Rights("/etc/passwd"), ElementsAre("read_file"));
  EXPECT_THAT(seen.Rights("/etc"), IsEmpty());
  EXPECT_THAT(seen.Rights("/etc/ssl"), IsEmpty());
  EXPECT_THAT(seen.Rights("/usr/lib/libc.so.6"), ElementsAre("read_file"));
  EXPECT_THAT(seen.Rights("/home/me"), IsEmpty());
}

TEST(GenerateSandbox, EveryKindOfEntryHasItsRight) {
  const Seen seen = Seen()
                        .File("/srv/d/f", {kCreate})
                        .Folder("/srv/d/dir", {kCreate, kUnlink})
                        .File("/srv/d/s", {kCreate}, FileClass::kSymlink)
                        .File("/srv/d/p", {kCreate, kUnlink}, FileClass::kFifo)
                        .File("/srv/d/u", {kCreate}, FileClass::kSocket);
  EXPECT_THAT(seen.Rights("/srv/d"),
              UnorderedElementsAre("make_reg", "read_file", "make_dir", "make_sym", "make_fifo",
                                   "make_sock", "remove_dir", "remove_file"));
}

TEST(GenerateSandbox, MovesAcrossFoldersNeedReferEqualRightsAndOneMount) {
  const Seen across = Seen()
                          .File("/srv/x/a/f", {kRename, kReparent})
                          .File("/srv/x/b/f", {kArrive, kReparent, kOpen, kRead});
  EXPECT_THAT(across.Rights("/srv/x/a"),
              UnorderedElementsAre("remove_file", "refer", "make_reg", "read_file"));
  EXPECT_EQ(across.Rights("/srv/x/b"), across.Rights("/srv/x/a"));
  EXPECT_THAT(across.Binds(), ElementsAre("/srv/x rw"));
  const Seen within = Seen().File("/srv/a/x", {kRename}).File("/srv/a/y", {kArrive});
  EXPECT_THAT(within.Rights("/srv/a"), UnorderedElementsAre("remove_file", "make_reg"));
  EXPECT_THAT(within.Binds(), ElementsAre("/srv/a rw"));
  const Seen folder =
      Seen().Folder("/srv/x/a/d", {kRename, kReparent}).Folder("/srv/x/b/d", {kArrive});
  EXPECT_THAT(folder.Rights("/srv/x/b"), UnorderedElementsAre("remove_dir", "refer", "make_dir"));
  EXPECT_THAT(folder.Binds(), ElementsAre("/srv/x rw"));
}

TEST(GenerateSandbox, AMoveNeverOpensASharedFolder) {
  EXPECT_THAT(Seen()
                  .File("/var/lib/web/f", {kRename, kReparent})
                  .File("/var/log/web/f", {kArrive, kReparent})
                  .Binds(),
              ElementsAre("/var/lib/web rw", "/var/log/web rw"));
}

TEST(GenerateSandbox, ProgramsAndTheirInterpretersMayBeExecuted) {
  Seen seen;
  seen.recording.processes[{"/usr/bin/tool", ""}].interpreters = {"/usr/lib/ld.so"};
  EXPECT_THAT(seen.Rights("/usr/bin/tool"), UnorderedElementsAre("execute", "read_file"));
  EXPECT_THAT(seen.Rights("/usr/lib/ld.so"), UnorderedElementsAre("execute", "read_file"));
}

TEST(GenerateSandbox, ProcIsOneRule) {
  const Seen seen =
      Seen().File("/proc/self/status", {kOpen, kRead}).File("/proc/meminfo", {kOpen, kRead});
  EXPECT_THAT(seen.Rights("/proc"), ElementsAre("read_file"));
}

TEST(GenerateSandbox, WhatHasNoPathHasNoRule) {
  const Seen seen = Seen()
                        .File("pipe:", {kRead, kWrite}, FileClass::kFifo)
                        .File("anon_inode:[eventpoll]", {kRead}, FileClass::kAnonymous);
  EXPECT_THAT(*seen.Config().landlock, IsEmpty());
}

TEST(GenerateSandbox, AWorkloadThatMountsHasNoLandlockRules) {
  EXPECT_EQ(Seen().Folder("/mnt", {kMount}).Config().landlock, std::nullopt);
}

TEST(GenerateSandbox, ServersGetTheirPortsPublished) {
  const SandboxConfig config = Seen()
                                   .Socket(SocketOperation::kBind, "0.0.0.0", 8080)
                                   .Socket(SocketOperation::kBind, "::", 8080, AF_INET6)
                                   .Socket(SocketOperation::kBind, "127.0.0.1", 9000)
                                   .Socket(SocketOperation::kConnect, "127.0.0.1", 9000)
                                   .Config();
  EXPECT_EQ(config.network, NetworkMode::kNone);
  EXPECT_EQ(config.published, (std::vector<PublishedPort>{{8080, 8080}, {9000, 9000}}));
  EXPECT_TRUE(config.namespaces.contains(Namespace::kNetwork));
}

TEST(GenerateSandbox, WhatReachesOutNeedsTheHostsNetwork) {
  const auto mode = [](const Seen& seen) { return seen.Config().network; };
  EXPECT_EQ(mode(Seen()), NetworkMode::kNone);
  EXPECT_EQ(mode(Seen().Socket(SocketOperation::kConnect, "10.0.0.1", 443)), NetworkMode::kHost);
  EXPECT_EQ(mode(Seen().Socket(SocketOperation::kConnect, "10.0.0.1", 443, AF_INET, SOCK_STREAM,
                               EINPROGRESS)),
            NetworkMode::kHost);
  EXPECT_EQ(mode(Seen().Socket(SocketOperation::kConnect, "10.0.0.1", 443, AF_INET, SOCK_STREAM,
                               ECONNREFUSED)),
            NetworkMode::kNone);
  EXPECT_EQ(mode(Seen().Socket(SocketOperation::kConnect, "127.0.0.1", 6379)), NetworkMode::kHost);
  EXPECT_EQ(mode(Seen().Socket(SocketOperation::kSend, "127.0.0.53", 53, AF_INET, SOCK_DGRAM)),
            NetworkMode::kHost);
  EXPECT_EQ(mode(Seen().Socket(SocketOperation::kBind, "0.0.0.0", 53, AF_INET, SOCK_DGRAM)),
            NetworkMode::kHost);
  EXPECT_EQ(mode(Seen().Socket(SocketOperation::kBind, "10.0.0.2", 80)), NetworkMode::kHost);
  EXPECT_EQ(mode(Seen().Socket(SocketOperation::kConnect, "@foreign", 0, AF_UNIX)),
            NetworkMode::kHost);
  EXPECT_EQ(mode(Seen().Socket(SocketOperation::kConnect, "/run/nscd", 0, AF_UNIX)),
            NetworkMode::kNone);
  const SandboxConfig host = Seen()
                                 .Socket(SocketOperation::kBind, "0.0.0.0", 80)
                                 .Socket(SocketOperation::kConnect, "10.0.0.1", 443)
                                 .Config();
  EXPECT_THAT(host.published, IsEmpty());
  EXPECT_FALSE(host.namespaces.contains(Namespace::kNetwork));
}

TEST(GenerateSandbox, LimitsAreThePeaksWithHeadroom) {
  Seen seen;
  EXPECT_EQ(seen.Config().limits, ResourceLimits{});
  EXPECT_THAT(seen.Config().rlimits, IsEmpty());
  seen.recording.resources = {.peak_memory_bytes = std::uint64_t{100} << 20,
                              .peak_tasks = 20,
                              .cpu_time_ms = 5,
                              .open_files = 600};
  EXPECT_EQ(seen.Config().limits.memory_bytes, std::uint64_t{400} << 20);
  EXPECT_EQ(seen.Config().limits.pids, 80U);
  EXPECT_EQ(seen.Config().rlimits, (std::vector<Rlimit>{{"RLIMIT_NOFILE", 16384, 2400}}));
  seen.recording.resources = {
      .peak_memory_bytes = 1, .peak_tasks = 1, .cpu_time_ms = 0, .open_files = 1};
  EXPECT_EQ(seen.Config().limits.memory_bytes, std::uint64_t{256} << 20);
  EXPECT_EQ(seen.Config().limits.pids, 64U);
}

TEST(GenerateSandbox, TakesUserCommandCapabilitiesAndName) {
  Seen seen;
  seen.recording.runs["a"].command = {"/usr/bin/web", "-x"};
  seen.recording.runs["a"].host.effective_uid = 33;
  seen.recording.processes[{"/usr/bin/web", ""}].uids = {33};
  seen.recording.processes[{"/usr/bin/web", ""}].gids = {34};
  seen.recording.capabilities["CAP_NET_BIND_SERVICE"];
  const SandboxConfig config = seen.Config();
  EXPECT_EQ(config.uid, 33U);
  EXPECT_EQ(config.gid, 34U);
  EXPECT_THAT(config.arguments, ElementsAre("/usr/bin/web", "-x"));
  EXPECT_THAT(config.capabilities, ElementsAre("CAP_NET_BIND_SERVICE"));
  EXPECT_EQ(config.hostname, "web-1");
  EXPECT_TRUE(config.no_new_privileges);
}

}  // namespace
}  // namespace cordon
