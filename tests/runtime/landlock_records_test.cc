#include "runtime/landlock_records.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "runtime/oci_folder.h"

namespace cordon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint16_t kAccess = 1423;
constexpr std::uint16_t kDomain = 1424;
constexpr std::uint16_t kSyscall = 1300;
constexpr std::uint16_t kEnd = 1320;

/// As Linux 6.18 writes them.
void TakeFirst(LandlockRecords& records) {
  records.Take(kAccess, R"(audit(1795882229.202:102): domain=135b9bfd0 blockers=fs.read_file )"
                        R"(path="/etc/shells" dev="vda" ino=943)");
  records.Take(kDomain,
               R"(audit(1795882229.202:102): domain=135b9bfd0 status=allocated mode=enforcing )"
               R"(pid=7299 uid=0 exe="/usr/bin/python3.11" comm="python3")");
}

void TakeFirstCall(LandlockRecords& records) {
  records.Take(
      kSyscall,
      R"(audit(1795882229.202:102): arch=c000003e syscall=257 success=no exit=-13 )"
      R"(a0=ffffff9c a1=7ffc26fb5da0 a2=80000 a3=0 items=0 ppid=7299 pid=7300 auid=1 uid=0 )"
      R"(tty=(none) ses=1 comm="cat" exe="/usr/bin/cat" key=(null))");
  records.Take(kEnd, "audit(1795882229.202:102): ");
}

TEST(LandlockRecords, AreARefusalWhenItsCallHasCome) {
  LandlockRecords records;
  records.NoteLauncher(7299, {});
  TakeFirst(records);
  EXPECT_THAT(records.Give(LandlockRecords::Which::kComplete), IsEmpty());
  TakeFirstCall(records);
  const std::vector<Violation> given = records.Give(LandlockRecords::Which::kComplete);
  ASSERT_THAT(given, SizeIs(1));
  EXPECT_TRUE(given[0].is_refusal());
  EXPECT_THAT(given[0].missing, ElementsAre(LandlockRule{"/etc/shells", {"read_file"}}));
  EXPECT_EQ(Describe(given[0]),
            R"(refused openat(…), read_file of '/etc/shells' = EACCES by 'cat' (pid 7300, )"
            R"('/usr/bin/cat'); the file rule that allows it: )"
            R"({"path":"/etc/shells","access":["read_file"]})");
  EXPECT_THAT(records.Give(LandlockRecords::Which::kAll), IsEmpty());
}

TEST(LandlockRecords, OfALauncherWhoseNumberIsAnothersAreNot) {
  const auto given_for = [](pid_t launcher, std::uint64_t started) {
    LandlockRecords records;
    records.NoteLauncher(launcher, started);
    records.Take(kAccess, "audit(1.2:3): domain=1 blockers=fs.read_file path=\"/etc/shells\"");
    records.Take(kDomain, fmt::format("audit(1.2:3): domain=1 status=allocated pid={}", launcher));
    return records.Give(LandlockRecords::Which::kAll).size();
  };
  const std::optional<std::uint64_t> started = StartTimeOf(::getpid());
  ASSERT_TRUE(started.has_value());
  EXPECT_EQ(given_for(::getpid(), *started - 1), 0U);
  EXPECT_EQ(given_for(::getpid(), *started), 1U);  // the control
  const pid_t ended = ::fork();
  if (ended == 0) {
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(ended, nullptr, 0), ended);
  EXPECT_EQ(given_for(ended, *started), 1U);  // processes that it left may still be there
}

TEST(LandlockRecords, OfAnothersDomainAreNot) {
  LandlockRecords records;
  records.NoteLauncher(7300, {});
  TakeFirst(records);
  TakeFirstCall(records);
  EXPECT_THAT(records.Give(LandlockRecords::Which::kAll), IsEmpty());
}

TEST(LandlockRecords, OfTwoPlacesHaveTwoRules) {
  LandlockRecords records;
  records.NoteLauncher(7299, {});
  TakeFirst(records);
  records.Take(kAccess, R"(audit(1795882229.222:116): domain=135b9bfd0 blockers=fs.refer )"
                        R"(path=2F7661722F6120622F dev="vda" ino=1)");
  records.Take(kAccess,
               R"(audit(1795882229.222:116): domain=135b9bfd0 blockers=fs.make_reg,fs.refer )"
               R"(path="/tmp" dev="vda" ino=2)");
  records.Take(
      kSyscall,
      R"(audit(1795882229.222:116): arch=c000003e syscall=265 success=no exit=-18 pid=7306 )"
      R"(comm="ln" exe="/usr/bin/ln")");
  records.Take(kEnd, "audit(1795882229.222:116): ");
  const std::vector<Violation> given = records.Give(LandlockRecords::Which::kComplete);
  ASSERT_THAT(given, SizeIs(1));
  EXPECT_EQ(given[0].file_errno, EXDEV);
  EXPECT_THAT(given[0].missing, ElementsAre(LandlockRule{"/var/a b/", {"refer"}},
                                            LandlockRule{"/tmp", {"make_reg", "refer"}}));
  EXPECT_THAT(Describe(given[0]), HasSubstr("linkat(…), refer of '/var/a b/'; make_reg,refer of"));
}

TEST(LandlockRecords, WithoutTheirCallAreGivenAtTheEnd) {
  LandlockRecords records;
  records.NoteLauncher(7299, {});
  TakeFirst(records);
  records.Take(kDomain, "audit(1795882229.282:117): domain=135b9bfd0 status=deallocated denials=1");
  const std::vector<Violation> given = records.Give(LandlockRecords::Which::kAll);
  ASSERT_THAT(given, SizeIs(1));
  EXPECT_THAT(Describe(given[0]), HasSubstr("refused read_file of '/etc/shells' = EACCES by a "));
}

TEST(LandlockRecords, AreBoundedAndTakeAnything) {
  LandlockRecords records;
  records.NoteLauncher(7299, {});
  TakeFirst(records);
  std::size_t given = 0;
  for (int i = 0; i < 1000; ++i) {
    records.Take(kAccess, "audit(1.0:" + std::to_string(i) +
                              R"(): domain=135b9bfd0 blockers=fs.read_file path="/x" dev="vda")");
    records.Take(kSyscall, "audit(" + std::to_string(i));
    given += records.Give(LandlockRecords::Which::kComplete).size();
  }
  EXPECT_GT(given, 900U);
  records.Take(kAccess, "");
  records.Take(kAccess, R"(audit(1.0:1): domain= blockers=ptrace opid=1 ocomm="x)");
  records.Take(kDomain, "audit(1.0:1): domain=x status=allocated pid=999999999999999999999");
  EXPECT_FALSE(records.Give(LandlockRecords::Which::kAll).empty());
}

}  // namespace
}  // namespace cordon
