// The expectations are what Linux 6.1 asked, operation by operation, with every check logged.

#include "generator/selinux_access.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <csignal>

namespace cordon {
namespace {

using enum FileAccess;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

Syscall Call(std::string_view name) {
  return {Architecture::kX86_64, SyscallNumber(Architecture::kX86_64, name).value_or(-1)};
}

SyscallObservation Seen(const ArgumentTuple& tuple) {
  SyscallObservation observation;
  observation.results[0] = 1;
  if (!tuple.empty()) {
    observation.tuples[tuple].count = 1;
  }
  return observation;
}

std::set<std::string> ProcessPermissions(std::string_view name, const ArgumentTuple& tuple) {
  std::set<std::string> permissions;
  for (const CallPermission& permission : CallPermissions(Call(name), Seen(tuple))) {
    if (permission.object_class == "process") {
      permissions.insert(permission.permissions.begin(), permission.permissions.end());
    }
  }
  return permissions;
}

TEST(FilePermissions, OfOpens) {
  EXPECT_THAT(FilePermissions(FileClass::kFile, {kOpen, kRead}),
              ElementsAre("getattr", "open", "read"));
  EXPECT_THAT(FilePermissions(FileClass::kFile, {kOpen, kAppend}),
              ElementsAre("append", "getattr", "open"));
  EXPECT_THAT(FilePermissions(FileClass::kFile, {kOpen, kWrite, kCreate}),
              ElementsAre("create", "getattr", "open", "write"));
  EXPECT_THAT(FilePermissions(FileClass::kFile, {kTruncate}), ElementsAre("open", "write"));
}

TEST(FilePermissions, OfDirectoriesAndLinks) {
  EXPECT_THAT(FilePermissions(FileClass::kDirectory, {kAddName}),
              ElementsAre("add_name", "search", "write"));
  EXPECT_THAT(FilePermissions(FileClass::kDirectory, {kUnlink}), ElementsAre("rmdir"));
  EXPECT_THAT(FilePermissions(FileClass::kDirectory, {kRename, kReparent}),
              ElementsAre("rename", "reparent", "write"));
  EXPECT_THAT(FilePermissions(FileClass::kSymlink, {kReadLink}), ElementsAre("read"));
  EXPECT_THAT(FilePermissions(FileClass::kSocket, {kConnect}), ElementsAre("write"));
}

TEST(FilePermissions, OfMappings) {
  EXPECT_THAT(FilePermissions(FileClass::kFile, {kMap}), ElementsAre("map", "read"));
  EXPECT_THAT(FilePermissions(FileClass::kFile, {kMapExecute}),
              ElementsAre("execute", "map", "read"));
  EXPECT_THAT(FilePermissions(FileClass::kFile, {kExecModified}), ElementsAre("execmod"));
}

TEST(CheckOfIoctl, KnowsTheRequestsThatAreSomethingElse) {
  EXPECT_EQ(CheckOfIoctl(0x5401).permission, "ioctl");
  EXPECT_EQ(CheckOfIoctl(0x5401).request, 0x5401);
  EXPECT_EQ(CheckOfIoctl(0x541B).permission, "getattr");
  EXPECT_EQ(CheckOfIoctl(0x5421).permission, "");
  EXPECT_EQ(CheckOfIoctl(0xC0109428).request, 0x9428);
}

TEST(SocketClass, FollowsFamilyTypeAndProtocol) {
  EXPECT_EQ(SocketClass(AF_INET6, SOCK_STREAM, 0), "tcp_socket");
  EXPECT_EQ(SocketClass(AF_INET, SOCK_STREAM, IPPROTO_SCTP), "sctp_socket");
  EXPECT_EQ(SocketClass(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), "icmp_socket");
  EXPECT_EQ(SocketClass(AF_INET, SOCK_RAW, IPPROTO_ICMP), "rawip_socket");
  EXPECT_EQ(SocketClass(AF_UNIX, SOCK_SEQPACKET, 0), "unix_stream_socket");
  EXPECT_EQ(SocketClass(AF_UNIX, SOCK_DGRAM, 0), "unix_dgram_socket");
  EXPECT_EQ(SocketClass(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT), "netlink_audit_socket");
  EXPECT_EQ(SocketClass(AF_VSOCK, SOCK_STREAM, 0), "vsock_socket");
  EXPECT_EQ(SocketClass(9999, SOCK_STREAM, 0), "socket");
}

TEST(CallPermissions, TellSignalsApart) {
  EXPECT_THAT(ProcessPermissions("kill", {SIGTERM}), ElementsAre("signal"));
  EXPECT_THAT(ProcessPermissions("kill", {0}), ElementsAre("signull"));
  EXPECT_THAT(ProcessPermissions("kill", {SIGKILL}), ElementsAre("sigkill"));
}

TEST(CallPermissions, LetTheOwnerOfAFileBeSignalled) {
  EXPECT_THAT(ProcessPermissions("fcntl", {F_SETOWN}), ElementsAre("signal"));
  EXPECT_THAT(ProcessPermissions("fcntl", {F_GETFL}), IsEmpty());
}

TEST(CallPermissions, SeeMemoryThatIsWritableAndExecutable) {
  EXPECT_THAT(ProcessPermissions("mmap", {PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS}),
              IsEmpty());
  EXPECT_THAT(ProcessPermissions("mmap", {PROT_READ | PROT_EXEC, MAP_PRIVATE}), IsEmpty());
  EXPECT_THAT(
      ProcessPermissions("mmap", {PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS}),
      ElementsAre("execmem"));
  EXPECT_THAT(ProcessPermissions("mprotect", {PROT_READ | PROT_EXEC}), Contains("execmem"));
  EXPECT_THAT(ProcessPermissions("mprotect", {PROT_READ}), IsEmpty());
}

TEST(CallPermissions, SeeHugePages) {
  const auto huge = CallPermissions(
      Call("mmap"), Seen({PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB}));
  ASSERT_EQ(huge.size(), 1U);
  EXPECT_EQ(huge[0].target, "hugetlbfs_t");
  EXPECT_THAT(huge[0].permissions, ElementsAre("map", "read", "write"));
}

TEST(CallPermissions, GiveNothingForACallThatNeverSucceeded) {
  SyscallObservation refused;
  refused.results[1] = 5;
  EXPECT_THAT(CallPermissions(Call("ptrace"), refused), IsEmpty());
  EXPECT_THAT(CallPermissions(Call("ptrace"), Seen({})), Not(IsEmpty()));
}

TEST(PassingPermissions, AreThoseThatNothingDependsOn) {
  const std::vector<CallPermission> passing = PassingPermissions(Call("chmod"), Seen({}));
  ASSERT_EQ(passing.size(), 1U);
  EXPECT_EQ(passing[0].object_class, "capability");
  EXPECT_THAT(passing[0].permissions, ElementsAre("fsetid"));
  // setuid(2) asks even when it changes nothing.
  ASSERT_EQ(PassingPermissions(Call("setuid"), Seen({})).size(), 1U);
  EXPECT_THAT(PassingPermissions(Call("setuid"), Seen({}))[0].permissions, ElementsAre("setuid"));
  EXPECT_THAT(PassingPermissions(Call("setresuid"), Seen({})), IsEmpty());
  EXPECT_THAT(PassingPermissions(Call("getpid"), Seen({})), IsEmpty());
}

TEST(AttributeFilePermission, IsThatOfTheFile) {
  EXPECT_EQ(AttributeFilePermission("/proc/self/attr/exec"), "setexec");
  EXPECT_EQ(AttributeFilePermission("/proc/thread-self/attr/fscreate"), "setfscreate");
  EXPECT_EQ(AttributeFilePermission("/proc/self/attr/prev"), std::nullopt);
  EXPECT_EQ(AttributeFilePermission("/srv/attr/exec"), std::nullopt);
}

TEST(PermissionsOfMarks, TellMountsAndFileSystemsApart) {
  EXPECT_THAT(PermissionsOfMarks(Call("fanotify_mark"), Seen({FAN_MARK_ADD})).file, IsEmpty());
  EXPECT_THAT(PermissionsOfMarks(Call("fanotify_mark"), Seen({FAN_MARK_ADD | FAN_MARK_MOUNT})).file,
              ElementsAre("watch_mount"));
  const MarkPermissions whole =
      PermissionsOfMarks(Call("fanotify_mark"), Seen({FAN_MARK_ADD | FAN_MARK_FILESYSTEM}));
  EXPECT_THAT(whole.file, ElementsAre("watch_sb"));
  EXPECT_THAT(whole.filesystem, ElementsAre("watch"));
}

TEST(IsSocketRequest, GoesByItsType) {
  EXPECT_TRUE(IsSocketRequest(0x8912));
  EXPECT_FALSE(IsSocketRequest(0x5401));
}

TEST(IsModularSocket, KnowsWhatEveryKernelHas) {
  EXPECT_FALSE(IsModularSocket("tcp_socket"));
  EXPECT_TRUE(IsModularSocket("vsock_socket"));
}

TEST(PermissionOfCapability, KnowsBothClasses) {
  EXPECT_EQ(PermissionOfCapability("CAP_NET_BIND_SERVICE")->object_class, "capability");
  EXPECT_EQ(PermissionOfCapability("CAP_NET_BIND_SERVICE")->permission, "net_bind_service");
  EXPECT_EQ(PermissionOfCapability("CAP_BPF")->object_class, "capability2");
  EXPECT_FALSE(PermissionOfCapability("NET_ADMIN").has_value());
}

}  // namespace
}  // namespace cordon
