#include "model/avc_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/recording_json.h"

namespace cordon {
namespace {

using ::testing::_;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using enum FileAccess;

constexpr const char* kOpenDenied =
    "type=AVC msg=audit(1700000000.123:456): avc:  denied  { read open } for  pid=1 comm=\"cat\" "
    "name=\"my file\" dev=\"dm-0\" ino=77 scontext=system_u:system_r:app_t:s0 "
    "tcontext=system_u:object_r:etc_t:s0 tclass=file permissive=1\n"
    "type=SYSCALL msg=audit(1700000000.123:456): arch=c000003e syscall=257 success=yes exit=3 "
    "comm=\"cat\" exe=\"/usr/bin/cat\" subj=system_u:system_r:app_t:s0\n"
    "type=CWD msg=audit(1700000000.123:456): cwd=\"/srv/app\"\n"
    "type=PATH msg=audit(1700000000.123:456): item=0 name=6D792066696C65 inode=77 dev=fd:00 "
    "mode=0100644 nametype=NORMAL\n";

std::string Denied(const std::string& permissions, const std::string& what,
                   const std::string& target = "app_t") {
  return "audit: type=1400 audit(1.2:3): avc:  denied  { " + permissions +
         " } for  pid=9 comm=\"app\" " + what + " scontext=u:r:app_t:s0 tcontext=u:r:" + target +
         ":s0 tclass=";
}

Recording Read(const std::string& text, const std::string& domain = "") {
  Expected<Recording> recording = ReadAvcLog(text, "audit.log", domain);
  EXPECT_TRUE(recording.has_value()) << recording.error().message;
  return recording.value_or(Recording{});
}

std::string Refusal(const std::string& text, const std::string& domain = "") {
  const Expected<Recording> recording = ReadAvcLog(text, "audit.log", domain);
  EXPECT_FALSE(recording.has_value());
  return recording.has_value() ? "" : recording.error().message;
}

TEST(ReadAvcLog, PutsTheRecordsOfOneEventTogether) {
  const Recording recording = Read(kOpenDenied);
  ASSERT_EQ(recording.files.size(), 1U);
  const auto& [key, file] = *recording.files.begin();
  EXPECT_EQ(key.path, "/srv/app/my file");
  EXPECT_EQ(key.file_class, FileClass::kFile);
  EXPECT_EQ(file.access, FileAccessSet({kRead, kOpen}));
  EXPECT_THAT(file.seen.executables, ElementsAre("denied: /usr/bin/cat"));
  EXPECT_EQ(file.seen.count, 1U);
}

TEST(ReadAvcLog, MarksTheRunAndIsTheSameTwice) {
  Recording recording = Read(kOpenDenied);
  ASSERT_EQ(recording.runs.size(), 1U);
  const auto& [id, run] = *recording.runs.begin();
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(run.tier, "denials");
  ASSERT_EQ(run.limitations.size(), 1U);
  EXPECT_EQ(run.limitations.begin()->kind, "denials");
  const Recording once = recording;
  recording.Merge(Read(kOpenDenied));
  EXPECT_EQ(recording, once);
}

TEST(ReadAvcLog, TakesTheKernelsMessagesAndPathsOfOpenFiles) {
  const Recording recording =
      Read("[   12.5] " + Denied("append", "path=\"/var/log/a.log\" dev=\"vda\" ino=5", "log_t") +
           "file permissive=0\n[   12.6] Linux version 6.1\n[   12.7] avc:  granted  { read }\n");
  EXPECT_EQ(recording.files.at({"/var/log/a.log", FileClass::kFile}).access,
            FileAccessSet({kAppend}));
}

TEST(ReadAvcLog, TakesWhatAusearchInterprets) {
  const Recording recording = Read(
      "----\ntime->Tue Nov 24 00:00:00 2026\n"
      "type=PATH msg=audit(11/24/2026 00:00:00.123:9) : item=0 name=/etc/app.conf inode=8 \n"
      "type=CWD msg=audit(11/24/2026 00:00:00.123:9) : cwd=/ \n"
      "type=SYSCALL msg=audit(11/24/2026 00:00:00.123:9) : arch=x86_64 syscall=openat "
      "success=no exit=EACCES(Permission denied) exe=/usr/sbin/app \n"
      "type=AVC msg=audit(11/24/2026 00:00:00.123:9) : avc:  denied  { read } for  pid=4 comm=app "
      "name=app.conf dev=\"vda1\" ino=8 scontext=system_u:system_r:app_t:s0 "
      "tcontext=system_u:object_r:etc_t:s0 tclass=file permissive=0 \n");
  EXPECT_THAT(recording.files.at({"/etc/app.conf", FileClass::kFile}).seen.executables,
              ElementsAre("denied: /usr/sbin/app"));
}

TEST(ReadAvcLog, KnowsPortsIoctlsCapabilitiesAndCalls) {
  const Recording recording =
      Read(Denied("name_bind", "src=8081", "port_t") + "tcp_socket\n" +
           Denied("name_connect", "dest=25", "smtp_port_t") + "tcp_socket\n" +
           Denied("ioctl", "path=\"/dev/tty\" dev=\"devtmpfs\" ino=1 ioctlcmd=0x5401", "devtty_t") +
           "chr_file\n" + Denied("net_bind_service", "capability=10") + "capability\n" +
           Denied("fork", "") + "process\n");
  EXPECT_TRUE(recording.sockets.contains(
      {AF_INET, SOCK_STREAM, 0, SocketOperation::kBind, "0.0.0.0", 8081}));
  EXPECT_TRUE(recording.sockets.contains(
      {AF_INET, SOCK_STREAM, 0, SocketOperation::kConnect, "0.0.0.0", 25}));
  EXPECT_THAT(recording.files.at({"/dev/tty", FileClass::kCharacter}).ioctls, ElementsAre(0x5401));
  EXPECT_TRUE(recording.capabilities.contains("CAP_NET_BIND_SERVICE"));
  ASSERT_EQ(recording.syscalls.size(), 1U);
  EXPECT_THAT(recording.syscalls.begin()->second.tuples, ElementsAre(Pair(ArgumentTuple{0}, _)))
      << "the clone of a fork, with no flag that makes a namespace";
}

TEST(ReadAvcLog, TakesNoBrokenNameForACapability) {
  const Recording recording = Read(Denied("net_\x88raw", "capability=13") + "capability\n");
  EXPECT_TRUE(recording.capabilities.empty());
  EXPECT_TRUE(ReadRecording(WriteRecording(recording), "f").has_value());
  const auto& run = recording.runs.begin()->second;
  EXPECT_TRUE(std::ranges::any_of(run.limitations, [](const Limitation& limitation) {
    return limitation.detail.contains("'net_\\x88raw' on ");
  })) << "no byte that a terminal could act on";
}

TEST(ReadAvcLog, SaysWhatItCannotUse) {
  const Recording recording =
      Read(Denied("read", "name=\"where\" dev=\"vda\" ino=3", "etc_t") + "file\n" +
           Denied("brew", "") + "teapot\n" +
           "type=USER_AVC msg=audit(1.2:9): pid=1 msg='avc:  denied  { send_msg } for x'\n");
  std::vector<std::string> kinds;
  for (const Limitation& limitation : recording.runs.begin()->second.limitations) {
    kinds.push_back(limitation.kind + " " + limitation.detail);
  }
  EXPECT_THAT(kinds,
              Contains(HasSubstr("denials-not-understood line 1: read on etc_t:file 'where'")));
  EXPECT_THAT(kinds, Contains(HasSubstr("line 2: brew on app_t:teapot")));
  EXPECT_THAT(kinds, Contains(HasSubstr("USER_AVC")));
  EXPECT_THAT(recording.files, IsEmpty());
}

TEST(ReadAvcLog, WantsADomainWhereThereAreSeveral) {
  const std::string both = std::string(kOpenDenied) +
                           "avc:  denied  { read } for path=\"/x\" scontext=u:r:b_t:s0 "
                           "tcontext=u:r:etc_t:s0 tclass=file\n";
  EXPECT_THAT(Refusal(both), HasSubstr("app_t, b_t: choose one with --domain"));
  EXPECT_TRUE(Read(both, "b_t").files.contains({"/x", FileClass::kFile}));
  EXPECT_EQ(Read(both, "b_t").files.size(), 1U);
  EXPECT_THAT(Refusal(both, "c_t"), HasSubstr("no denial of 'c_t'"));
}

TEST(ReadAvcLog, NamesTheLineOfWhatIsBroken) {
  const std::string good(kOpenDenied);
  const std::string cut = good.substr(0, good.find(" tclass"));
  EXPECT_THAT(Refusal(good + cut), HasSubstr("audit.log line 5: a denial that is cut off"));
  EXPECT_THAT(Refusal(good + "avc:  denied  { read"), HasSubstr("audit.log line 5"));
  EXPECT_THAT(Refusal("\n\n" + std::string(70000, 'x')), HasSubstr("audit.log line 3: longer"));
  EXPECT_THAT(Refusal("nothing\nhere\n"), HasSubstr("no SELinux denial"));
  EXPECT_THAT(Refusal(""), HasSubstr("audit.log"));
}

TEST(ReadAvcLog, TakesNoPathThatIsNotPlain) {
  for (const std::string path : {"/a/../etc/shadow", "relative", "/a//b", "2F610062"}) {
    const std::string value = path.starts_with("2F") ? path : "\"" + path + "\"";
    EXPECT_THAT(Read(Denied("read", "path=" + value, "etc_t") + "file\n").files, IsEmpty()) << path;
  }
}

}  // namespace
}  // namespace cordon
