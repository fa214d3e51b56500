#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>

#include <csignal>

#include "model/syscall_signature.h"
#include "runtime/file_policy.h"
#include "runtime/flag_names.h"
#include "runtime/violation.h"

namespace cordon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const FilePolicy& Policy() {
  static const FilePolicy policy({{"/srv/data", {"read_file", "write_file", "make_reg"}},
                                  {"/etc/app.conf", {"read_file"}},
                                  {"/usr", {"read_file", "execute"}}});
  return policy;
}

std::vector<LandlockRule> Missing(const std::string& path, FileAccessSet access,
                                  FileClass file_class = FileClass::kFile) {
  return Policy().Missing({{path, file_class}, access, {}});
}

TEST(FilePolicy, GivesAFileTheRightsOfTheDirectoriesAboveIt) {
  EXPECT_THAT(Missing("/srv/data/a/b", {FileAccess::kOpen, FileAccess::kRead, FileAccess::kWrite}),
              IsEmpty());
  EXPECT_THAT(Missing("/etc/app.conf", {FileAccess::kRead}), IsEmpty());
  EXPECT_THAT(Missing("/etc/app.conf2", {FileAccess::kRead}),
              ElementsAre(LandlockRule{"/etc/app.conf2", {"read_file"}}));
  EXPECT_THAT(Missing("/srv/database", {FileAccess::kRead}),
              ElementsAre(LandlockRule{"/srv/database", {"read_file"}}));
  EXPECT_THAT(Missing("/usr/bin/id", {FileAccess::kRead, FileAccess::kExecute}), IsEmpty());
}

TEST(FilePolicy, AsksTheDirectoryForWhatIsMadeAndRemoved) {
  EXPECT_THAT(
      Missing("/srv/data/new", {FileAccess::kOpen, FileAccess::kWrite, FileAccess::kCreate}),
      IsEmpty());
  EXPECT_THAT(Missing("/srv/data/dir", {FileAccess::kCreate}, FileClass::kDirectory),
              ElementsAre(LandlockRule{"/srv/data", {"make_dir"}}));
  EXPECT_THAT(Missing("/srv/data/a", {FileAccess::kUnlink}),
              ElementsAre(LandlockRule{"/srv/data", {"remove_file"}}));
  EXPECT_THAT(Missing("/var/new", {FileAccess::kWrite, FileAccess::kCreate}),
              ElementsAre(LandlockRule{"/var", {"make_reg", "write_file"}}));
}

TEST(FilePolicy, AsksBothDirectoriesOfAMove) {
  EXPECT_THAT(
      Missing("/a/dir", {FileAccess::kRename, FileAccess::kReparent}, FileClass::kDirectory),
      ElementsAre(LandlockRule{"/a", {"refer", "remove_dir"}}));
  const FileKey moved{"/b/dir", FileClass::kDirectory};
  EXPECT_THAT(Policy().Missing({moved, {FileAccess::kArrive}, {}, true}),
              ElementsAre(LandlockRule{"/b", {"make_dir", "refer"}}));
  EXPECT_THAT(Policy().Missing({moved, {FileAccess::kArrive}, {}, false}),
              ElementsAre(LandlockRule{"/b", {"make_dir"}}));
}

TEST(FilePolicy, AsksNothingOfWhatLandlockDoesNotHold) {
  EXPECT_THAT(Missing("/secret", {FileAccess::kGetattr, FileAccess::kSetattr, FileAccess::kSearch}),
              IsEmpty());
}

TEST(FilePolicy, WritesARuleAsTheConfigurationHasIt) {
  EXPECT_EQ(Describe(LandlockRule{"/a", {"read_file", "write_file"}}),
            R"({"path":"/a","access":["read_file","write_file"]})");
}

std::string Named(std::string_view call, std::size_t index, std::uint64_t value,
                  std::uint64_t first = 0) {
  SyscallInvocation invocation{{Architecture::kX86_64, *SyscallNumber(Architecture::kX86_64, call)},
                               {}};
  invocation.arguments[0] = first;
  invocation.arguments.at(index) = value;
  return NamedArgument(invocation, SignatureOf(invocation.call), index).value_or("nothing");
}

TEST(NamedArgument, IsWhatStraceWrites) {
  EXPECT_EQ(Named("openat", 2, O_RDONLY), "O_RDONLY");
  EXPECT_EQ(Named("openat", 2, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC),
            "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC");
  EXPECT_EQ(Named("openat", 2, O_RDWR | O_TMPFILE), "O_RDWR|O_TMPFILE");
  EXPECT_EQ(Named("mprotect", 2, 0), "PROT_NONE");
  EXPECT_EQ(Named("mprotect", 2, 5), "PROT_READ|PROT_EXEC");
  EXPECT_EQ(Named("socket", 0, AF_INET6), "AF_INET6");
  EXPECT_EQ(Named("socket", 1, SOCK_RAW | SOCK_CLOEXEC, AF_INET), "SOCK_RAW|SOCK_CLOEXEC");
  EXPECT_EQ(Named("clone", 0, CLONE_NEWUSER | SIGCHLD), "CLONE_NEWUSER|SIGCHLD");
  EXPECT_EQ(Named("unshare", 0, CLONE_NEWNET | 0x1), "CLONE_NEWNET|0x1");
  EXPECT_EQ(Named("prctl", 0, 4), "PR_SET_DUMPABLE");
  EXPECT_EQ(Named("ioctl", 1, 0x5412), "TIOCSTI");
  EXPECT_EQ(Named("ioctl", 1, 0x12345), "nothing");
  EXPECT_EQ(Named("mount", 3, 0x1000 | 0x4000), "MS_BIND|MS_REC");
}

}  // namespace
}  // namespace cordon
