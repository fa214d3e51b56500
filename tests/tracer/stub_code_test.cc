#include "tracer/stub_code.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "tests/testing/skip.h"
#include "tracer/call_site.h"
#include "tracer/known_calls.h"

namespace cordon {
namespace {

using Layout = KnownCallsLayout;

Syscall Named(std::string_view name) {
  return {.arch = Architecture::kX86_64,
          .number = SyscallNumber(Architecture::kX86_64, name).value_or(-1)};
}

/// One stub in the memory of this process, for a site that makes a call and returns.
class Stub {
 public:
  explicit Stub(std::string_view call) : call_(Named(call)), shape_(ShapeOf(call_).value()) {
    memory_ = static_cast<std::uint8_t*>(::mmap(nullptr, kCodeBytes + Layout::kBytes,
                                                PROT_READ | PROT_WRITE | PROT_EXEC,
                                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED) {
      return;
    }
    // mov %rcx, %r10; jmp stub: the fourth argument of a function is not that of a call.
    const std::uint8_t entry[] = {0x49, 0x89, 0xca, 0xe9, 0xf8, 0, 0, 0};
    const std::uint8_t site[] = {0x0f, 0x05, 0xc3};
    std::ranges::copy(entry, memory_);
    std::ranges::copy(site, memory_ + kSite);
    code_ = WriteStub({.address = Address(kStub),
                       .known_calls = Address(kCodeBytes),
                       .site = Address(kSite),
                       .number = call_.number,
                       .shape = shape_,
                       .report = Address(kReport)});
    std::ranges::copy(code_.bytes, memory_ + kStub);
    // incq reports(%rip); mov %eax, number(%rip); sar $32, %rax; ret
    const std::uint8_t report[] = {0x48, 0xff, 0x05, 0x19, 0,    0,    0,    0x89, 0x05,
                                   0x1b, 0,    0,    0,    0x48, 0xc1, 0xf8, 32,   0xc3};
    std::ranges::copy(report, memory_ + kReport);
    std::memcpy(Known(Layout::kSeed), &kSeed, sizeof kSeed);
    const std::uint64_t tables[] = {Address(kCodeBytes) + Layout::kNameKeys,
                                    Address(kCodeBytes) + Layout::kPending};
    std::memcpy(Known(Layout::kNameKeysAddress), tables, sizeof tables);
  }

  Stub(const Stub&) = delete;
  Stub& operator=(const Stub&) = delete;

  ~Stub() { ::munmap(memory_, kCodeBytes + Layout::kBytes); }

  bool there() const { return memory_ != MAP_FAILED; }

  const StubCode& code() const { return code_; }

  long Call(std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t d = 0,
            std::uint64_t e = 0, std::uint64_t f = 0) const {
    using Function = long (*)(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
                              std::uint64_t, std::uint64_t);
    Function function = nullptr;
    std::memcpy(static_cast<void*>(&function), static_cast<const void*>(&memory_), sizeof function);
    return function(a, b, c, d, e, f);
  }

  void ReportUnknown() { *Known(Layout::kReportsUnknown) = 1; }

  std::uint64_t reports() const {
    std::uint64_t count = 0;
    std::memcpy(&count, memory_ + kReport + 32, sizeof count);
    return count;
  }

  /// What the kernel would take for the number of the last report.
  std::int32_t reported_number() const {
    std::int32_t number = 0;
    std::memcpy(&number, memory_ + kReport + 40, sizeof number);
    return number;
  }

  std::uint32_t IdentityOf(int fd) const {
    std::uint32_t identity = 0;
    std::memcpy(&identity, Known(Layout::kIdentities + static_cast<std::uint64_t>(fd) * 4), 4);
    return identity;
  }

  void KnowPlain() { *Known(Layout::kPlain + static_cast<std::uint32_t>(call_.number)) = 1; }

  void Know(const std::vector<std::uint64_t>& parts, std::uint64_t beside = 0) {
    const std::uint64_t key = KeyOf(kSeed, call_.number, parts);
    std::memcpy(Known(Layout::kKeys + (SlotOf(key) ^ beside) * sizeof key), &key, sizeof key);
  }

  void Identify(int fd, std::uint32_t identity) {
    std::memcpy(Known(Layout::kIdentities + static_cast<std::uint64_t>(fd) * sizeof identity),
                &identity, sizeof identity);
  }

  std::uint64_t hits() const {
    std::uint64_t all = 0;
    for (std::uint64_t i = 0; i < Layout::kHitCounters; ++i) {
      std::uint64_t one = 0;
      std::memcpy(&one, Known(Layout::kHits + i * Layout::kHitStride), sizeof one);
      all += one;
    }
    return all;
  }

 private:
  static constexpr std::uint64_t kSeed = 0x0123456789abcdef;
  static constexpr std::size_t kStub = 0x100;
  static constexpr std::size_t kSite = 0x40;
  static constexpr std::size_t kReport = 0x60;
  static constexpr std::size_t kCodeBytes = 0x1000;

  std::uint64_t Address(std::size_t offset) const {
    return reinterpret_cast<std::uint64_t>(memory_) + offset;
  }

  std::uint8_t* Known(std::uint64_t offset) const { return memory_ + kCodeBytes + offset; }

  Syscall call_;
  CallShape shape_;
  std::uint8_t* memory_ = nullptr;
  StubCode code_;
};

class StubTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (NativeArchitecture() != Architecture::kX86_64) {
      SKIP_BECAUSE("stubs are x86-64 code");
    }
    if (!Stub("getppid").there()) {
      SKIP_BECAUSE("memory that is both written and executed may not be had here");
    }
  }
};

TEST_F(StubTest, MakesTheCallAtItsSiteUntilItIsKnown) {
  Stub stub("getppid");
  EXPECT_EQ(stub.Call(), ::getppid());
  EXPECT_EQ(stub.hits(), 0U);
  stub.KnowPlain();
  EXPECT_EQ(stub.Call(), ::getppid());
  EXPECT_EQ(stub.hits(), 1U);
}

TEST_F(StubTest, LeavesBigUnmappingsAlone) {
  Stub stub("munmap");
  stub.KnowPlain();
  EXPECT_EQ(stub.Call(1, kLeastOfBig), -22);  // EINVAL, of an address between pages
  EXPECT_EQ(stub.Call(1, 0x2000'0000'0000), -22);
  EXPECT_EQ(stub.hits(), 0U);
  EXPECT_EQ(stub.Call(1, kLeastOfBig - 1), -22);
  EXPECT_EQ(stub.hits(), 1U);
}

TEST_F(StubTest, TellsFilesApart) {
  Stub stub("lseek");
  stub.KnowPlain();
  EXPECT_EQ(stub.Call(~0ULL), -9);  // EBADF: no part of it
  EXPECT_EQ(stub.hits(), 1U);

  Stub read("pread64");
  read.Know({7});
  char byte = 0;
  const auto buffer = reinterpret_cast<std::uint64_t>(&byte);
  EXPECT_EQ(read.Call(5, buffer, 0), -9);
  EXPECT_EQ(read.hits(), 0U) << "of descriptor 5 nothing is known";
  read.Identify(5, 8);
  EXPECT_EQ(read.Call(5, buffer, 0), -9);
  EXPECT_EQ(read.hits(), 0U) << "it is another file";
  read.Identify(5, 7);
  EXPECT_EQ(read.Call(5, buffer, 0), -9);
  EXPECT_EQ(read.hits(), 1U);
  EXPECT_EQ(read.Call(0x1'0000'0005, buffer, 0), -9) << "the kernel looks at 32 bits";
  EXPECT_EQ(read.hits(), 2U);
  EXPECT_EQ(read.Call(Layout::kDescriptors, buffer, 0), -9);
  EXPECT_EQ(read.Call(~0ULL, buffer, 0), -9);
  EXPECT_EQ(read.hits(), 2U) << "beyond the table";
}

TEST_F(StubTest, TellsArgumentsApart) {
  constexpr std::uint64_t kBad = ~0ULL;
  Stub control("fcntl");
  control.Know({2, 0}, 1);
  EXPECT_EQ(control.Call(kBad, 1), -9);
  EXPECT_EQ(control.hits(), 0U);
  EXPECT_EQ(control.Call(kBad, 2), -9);
  EXPECT_EQ(control.hits(), 1U) << "also in the slot beside, whatever the file";
  EXPECT_EQ(control.Call(kBad, 0x1'0000'0002), -9);
  EXPECT_EQ(control.hits(), 2U) << "the upper half means nothing";
  constexpr std::uint64_t kGetOwner = 9;
  control.Know({kGetOwner, 3});
  EXPECT_EQ(control.Call(1023, kGetOwner), -9);
  EXPECT_EQ(control.hits(), 2U) << "of descriptor 1023 nothing is known";
  control.Identify(1023, 3);
  EXPECT_EQ(control.Call(1023, kGetOwner), -9);
  EXPECT_EQ(control.hits(), 3U);

  Stub map("mmap");
  map.Know({0x1'0000'0003, 0x22});
  EXPECT_EQ(map.Call(1, 0, 3, 0x22, ~0ULL, 0), -22);
  EXPECT_EQ(map.hits(), 0U) << "here it does";
  EXPECT_EQ(map.Call(1, 0, 0x1'0000'0003, 0x22, ~0ULL, 0), -22);
  EXPECT_EQ(map.hits(), 1U);

  Stub option("setsockopt");
  option.Know({1, 2});
  EXPECT_EQ(option.Call(~0ULL, 1, 3), -9);
  EXPECT_EQ(option.Call(~0ULL, 2, 2), -9);
  EXPECT_EQ(option.hits(), 0U);
  EXPECT_EQ(option.Call(~0ULL, 1, 2), -9);
  EXPECT_EQ(option.hits(), 1U);
}

TEST_F(StubTest, KnowsNothingOfADuplicate) {
  for (const std::uint64_t command : {0ULL, 1030ULL}) {
    Stub control("fcntl");
    control.Know({command, 0});
    control.Identify(1, 77);
    const int next = ::dup(1);
    ASSERT_GT(next, 1);
    (void)::close(next);
    control.Identify(next, 78);
    const long made = control.Call(1, command, 0);
    ASSERT_EQ(made, next);
    EXPECT_EQ(control.hits(), 1U);
    EXPECT_EQ(control.IdentityOf(next), 0U) << "neither what the number was nor that of 1";
    (void)::close(static_cast<int>(made));
  }
}

TEST_F(StubTest, TellsOfUnknownCallsAfterThem) {
  Stub stat("stat");
  char path[] = "/proc/self/no such file";
  char status[256];
  const auto named = reinterpret_cast<std::uint64_t>(path);
  const auto apart = reinterpret_cast<std::uint64_t>(status) + 8192;  // not written to
  EXPECT_EQ(stat.Call(named, apart), -2);
  EXPECT_EQ(stat.reports(), 0U) << "not asked for";
  stat.ReportUnknown();
  EXPECT_EQ(stat.Call(named, apart), -2);
  EXPECT_EQ(stat.reports(), 1U);
  EXPECT_EQ(stat.reported_number(), Named("stat").number) << "which filters allowed already";
  EXPECT_EQ(stat.Call(named, named + 8), -2);
  EXPECT_EQ(stat.Call(named, named - 100), -2);
  EXPECT_EQ(stat.reports(), 1U) << "the kernel writes to where the path lies";
  EXPECT_EQ(stat.Call(named, named + sizeof path), -2);
  EXPECT_EQ(stat.Call(named, named - 144), -2);
  EXPECT_EQ(stat.reports(), 3U) << "right behind and right before it";

  Stub link("readlink");
  link.ReportUnknown();
  EXPECT_EQ(link.Call(named, named, sizeof path), -2);
  EXPECT_EQ(link.Call(named, named - 7, 8), -2);
  EXPECT_EQ(link.reports(), 0U);
  EXPECT_EQ(link.Call(named, named - 8, 8), -2);
  EXPECT_EQ(link.reports(), 1U);

  Stub open("open");
  open.ReportUnknown();
  EXPECT_EQ(open.Call(named, 0), -2);
  EXPECT_EQ(open.reports(), 1U);
  char there[] = "/proc/self/stat";
  const long opened = open.Call(reinterpret_cast<std::uint64_t>(there), 0);
  EXPECT_GT(opened, 0);
  (void)::close(static_cast<int>(opened));
  EXPECT_EQ(open.reports(), 2U);
  EXPECT_EQ(open.reported_number(), Named("open").number) << "not that of the descriptor";
  for (const std::uint64_t flags : {0100U, 01000U, 010000000U, 020200000U}) {
    EXPECT_LT(open.Call(named, flags), 0);
    EXPECT_EQ(open.reports(), 2U) << "opening with " << flags << " does more";
  }
}

TEST_F(StubTest, ReportsOfAFailedDuplicateAreOfItsOwnNumber) {
  Stub control("fcntl");
  control.Know({0, 0});
  EXPECT_EQ(control.Call(~0ULL, 0, 0), -9);
  EXPECT_EQ(control.reports(), 1U);
  EXPECT_EQ(control.reported_number(), Named("fcntl").number);
}

TEST(ReportTest, FitsBehindItsDetour) {
  EXPECT_LE(kReportOffset + WriteReport(0x7f0000000000).size(), kDetourBytes);
  EXPECT_EQ(ResultInReport(0x1d'00000101), 29);
  EXPECT_EQ(ResultInReport(0xfffffffe'00000106), -2);
}

TEST_F(StubTest, FitsItsPlaceForEveryCall) {
  std::size_t shapes = 0;
  for (const auto& [number, name] : SyscallsOf(Architecture::kX86_64)) {
    const std::optional<CallShape> shape =
        ShapeOf({.arch = Architecture::kX86_64, .number = number});
    if (!shape) {
      continue;
    }
    ++shapes;
    const StubCode stub = WriteStub({.address = 0x200000000000,
                                     .known_calls = 0x200000080000,
                                     .site = 0x7f0000000000,
                                     .number = number,
                                     .shape = *shape});
    EXPECT_LE(stub.bytes.size(), kStubBytes) << name;
  }
  EXPECT_GT(shapes, 100U);
}

TEST(CallShapeTest, IsThereOnlyWhereRegistersSayEverything) {
  for (const std::string_view seen :
       {"dup2",      "execve",          "clone",           "clone3", "vfork",
        "socket",    "accept4",         "connect",         "unlink", "chdir",
        "mount",     "rt_sigreturn",    "restart_syscall", "mremap", "exit_group",
        "bpf",       "prctl",           "seccomp",         "kill",   "setuid",
        "fgetxattr", "recvmmsg_time64", "io_uring_setup",  "ptrace", "openat2",
        "prlimit64", "fchmod",          "ftruncate"}) {
    if (Named(seen).number >= 0) {
      EXPECT_FALSE(ShapeOf(Named(seen))) << seen;
    }
  }
  EXPECT_TRUE(ShapeOf(Named("futex")).value().plain());
  EXPECT_TRUE(ShapeOf(Named("epoll_wait")).value().plain());
  EXPECT_EQ(ShapeOf(Named("sendfile")).value().size, 2U);
  EXPECT_EQ(ShapeOf(Named("ioctl")).value().size, 2U);
  EXPECT_EQ(ShapeOf(Named("fstat")).value().size, 1U);
  EXPECT_TRUE(ShapeOf(Named("openat")).value().opens);
  EXPECT_TRUE(ShapeOf(Named("openat")).value().path);
  EXPECT_TRUE(ShapeOf(Named("close")).value().closes);
  EXPECT_FALSE(ShapeOf(Named("stat")).value().plain());
}

}  // namespace
}  // namespace cordon
