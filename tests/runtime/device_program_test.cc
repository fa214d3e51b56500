#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "common/file.h"
#include "common/forked_task.h"
#include "runtime/cgroup_file.h"
#include "runtime/device_rules.h"
#include "runtime/host_features.h"
#include "tests/runtime/sandbox_fixture.h"
#include "tests/testing/skip.h"

namespace cordon {
namespace {

struct Opening {
  const char* path;
  DeviceNumber device;
  int flags;
  std::uint8_t access;
};

constexpr std::array<Opening, 6> kOpenings{{
    {"/dev/null", {1, 3}, O_RDONLY, kReadDevice},
    {"/dev/null", {1, 3}, O_WRONLY, kWriteDevice},
    {"/dev/null", {1, 3}, O_RDWR, kReadDevice | kWriteDevice},
    {"/dev/zero", {1, 5}, O_RDONLY, kReadDevice},
    {"/dev/full", {1, 7}, O_RDWR, kReadDevice | kWriteDevice},
    {"/dev/urandom", {1, 9}, O_RDONLY, kReadDevice},
}};

/// A v2 cgroup of this test, while it lives.
class Cgroup {
 public:
  explicit Cgroup(const std::string& parent)
      : folder_(parent + "/cordon-test-" + std::to_string(::getpid())) {
    made_ = ::mkdir(folder_.c_str(), 0755) == 0;
  }

  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  ~Cgroup() {
    if (made_) {
      RemoveCgroup(folder_);
    }
  }

  bool made() const { return made_; }

  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  bool made_ = false;
};

/// A letter for each of kOpenings that a process in `cgroup` tries: 'y' or 'n'; '?' for an errno
/// other than EPERM.
std::string TryIn(const std::string& cgroup) {
  return RunForked(
             [&] {
               std::string answers;
               if (!WriteControl(cgroup + "/cgroup.procs", "0")) {
                 return std::string("the cgroup cannot be joined");
               }
               for (const Opening& opening : kOpenings) {
                 const int file = ::open(opening.path, opening.flags | O_CLOEXEC);
                 answers += file >= 0 ? 'y' : errno == EPERM ? 'n' : '?';
                 if (file >= 0) {
                   (void)::close(file);
                 }
               }
               return answers;
             },
             "opening devices")
      .value_or("no answer");
}

TEST(AttachDeviceProgram, TheKernelAnswersAsTheRulesDo) {
  if (!testing::IsRoot()) {
    SKIP_BECAUSE("cgroups need root");
  }
  const Expected<HostFeatures> host = ProbeHost();
  ASSERT_TRUE(host.has_value());
  if (!host->cgroups.v2) {
    SKIP_BECAUSE("no cgroup v2 is mounted");
  }
  const std::vector<std::vector<DeviceRule>> lists{
      {{DeviceAnswer::kAllow, DeviceKind::kAny, {}, {}, kAnyDeviceAccess}},
      {},
      {{DeviceAnswer::kAllow, DeviceKind::kCharacter, 1, 3, kReadDevice}},
      {{DeviceAnswer::kAllow, DeviceKind::kCharacter, 1, {}, kAnyDeviceAccess},
       {DeviceAnswer::kDeny, DeviceKind::kCharacter, 1, 3, kWriteDevice},
       {DeviceAnswer::kDeny, DeviceKind::kAny, {}, 9, kReadDevice}},
      {{DeviceAnswer::kAllow, DeviceKind::kBlock, {}, {}, kAnyDeviceAccess}},
      OrdinaryDevices(),
  };
  for (const std::vector<DeviceRule>& rules : lists) {
    const Cgroup cgroup(*host->cgroups.v2);
    if (!cgroup.made()) {
      SKIP_BECAUSE("no cgroup can be made in " + *host->cgroups.v2);
    }
    ASSERT_EQ(TryIn(cgroup.folder()), "yyyyyy") << "control: without a program";
    const Expected<UniqueFd> folder = OpenAt(AT_FDCWD, cgroup.folder(), O_RDONLY | O_DIRECTORY);
    ASSERT_TRUE(folder.has_value());
    const Status attached = AttachDeviceProgram(folder->get(), rules);
    ASSERT_TRUE(attached.has_value()) << attached.error().message;
    std::string expected;
    for (const Opening& opening : kOpenings) {
      expected += EvaluateDevice(rules, {DeviceKind::kCharacter, opening.device, opening.access}) ==
                          DeviceAnswer::kAllow
                      ? 'y'
                      : 'n';
    }
    EXPECT_EQ(TryIn(cgroup.folder()), expected);
  }
}

}  // namespace
}  // namespace cordon
