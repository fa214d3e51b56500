#include "generator/argument_rules.h"

#include <gtest/gtest.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <random>
#include <span>
#include <vector>

#include "model/syscall_signature.h"

namespace cordon {
namespace {

constexpr std::array kX86_64 = {Architecture::kX86_64};

WatchedCall Watch(std::string_view name) {
  return WatchOn(name, kX86_64).value();
}

bool Matches(const std::vector<ArgumentCondition>& conditions,
             const std::array<std::uint64_t, 6>& registers) {
  for (const ArgumentCondition& condition : conditions) {
    if ((registers.at(condition.index) & condition.mask) != condition.value) {
      return false;
    }
  }
  return true;
}

int CountMatches(const std::vector<std::vector<ArgumentCondition>>& rules,
                 const std::array<std::uint64_t, 6>& registers) {
  int count = 0;
  for (const std::vector<ArgumentCondition>& conditions : rules) {
    count += Matches(conditions, registers) ? 1 : 0;
  }
  return count;
}

TEST(ComplementBlocks, AreExactlyTheRestAndDisjoint) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t mask = random() & 0xfff;
    std::set<std::uint64_t> values;
    for (int i = 0; i < round % 6; ++i) {
      values.insert(random() & mask);
    }
    const std::vector<ValueBlock> blocks = ComplementBlocks(values, mask);
    for (std::uint64_t bits = 0; bits < 0x1000; ++bits) {
      const std::uint64_t value = bits & mask;
      int hits = 0;
      for (const ValueBlock& block : blocks) {
        hits += (value & block.mask) == block.value ? 1 : 0;
      }
      ASSERT_EQ(hits, values.contains(value) ? 0 : 1) << value;
    }
  }
}

TEST(ComplementBlocks, CostAtMostOneBlockPerValueAndBit) {
  EXPECT_EQ(ComplementBlocks({}, 0xffffffff).size(), 1U);
  EXPECT_EQ(ComplementBlocks({1, 2, 10, 16}, 0xffffffff).size(), 37U);
  EXPECT_EQ(ComplementBlocks({0, 1}, 1).size(), 0U);
}

TEST(WatchedCalls, AreRegistersThatTheRecordingHasOnEveryArchitecture) {
  for (const WatchedCall& call : WatchedCalls()) {
    EXPECT_TRUE(IsSyscallName(call.name)) << call.name;
    for (std::size_t i = 0; i < kArchitectureCount; ++i) {
      const std::array one = {static_cast<Architecture>(i)};
      if (!SyscallNumber(one.front(), call.name)) {
        continue;
      }
      const std::span<const ScalarArgument> scalars = RecordedScalars(one.front(), call.name);
      const std::optional<WatchedCall> watched = WatchOn(call.name, one);
      if (std::ranges::any_of(scalars, [](const auto& scalar) { return !scalar.member.empty(); }) &&
          call.name == "mmap") {
        EXPECT_FALSE(watched.has_value()) << "its arguments are behind a pointer";
        continue;
      }
      ASSERT_TRUE(watched.has_value()) << call.name << " on " << Name(one.front());
      for (const WatchedArgument& argument : watched->arguments) {
        EXPECT_EQ(RecordedScalars(one.front(), call.name)[argument.position].index, argument.index);
      }
    }
  }
}

TEST(WatchOn, GivesUpWhereArchitecturesDiffer) {
  const std::array both = {Architecture::kX86_64, Architecture::kS390x};
  EXPECT_FALSE(WatchOn("clone", both).has_value());
  EXPECT_TRUE(WatchOn("socket", both).has_value());
  EXPECT_FALSE(WatchOn("read", kX86_64).has_value());
  const std::array s390x = {Architecture::kS390x};
  EXPECT_EQ(WatchOn("clone", s390x)->arguments.front().index, 1);
}

TEST(MakeArgumentRules, TellSocketsApartByFamilyAndType) {
  const ArgumentRules rules = MakeArgumentRules(
      Watch("socket"), {{AF_INET, SOCK_STREAM}, {AF_UNIX, SOCK_STREAM}, {AF_UNIX, SOCK_DGRAM}});
  const auto allowed = [&](std::uint64_t family, std::uint64_t type) {
    const std::array<std::uint64_t, 6> registers = {family, type};
    // Each pair of registers is in exactly one rule.
    EXPECT_EQ(CountMatches(rules.allow, registers) + CountMatches(rules.refuse, registers), 1)
        << family << " " << type;
    return CountMatches(rules.allow, registers) == 1;
  };
  EXPECT_TRUE(allowed(AF_INET, SOCK_STREAM));
  EXPECT_TRUE(allowed(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK));
  EXPECT_TRUE(allowed(AF_INET | (9ULL << 32), SOCK_STREAM | (9ULL << 32)));
  EXPECT_TRUE(allowed(AF_UNIX, SOCK_DGRAM));
  EXPECT_FALSE(allowed(AF_INET, SOCK_DGRAM));
  EXPECT_FALSE(allowed(AF_INET, SOCK_RAW));
  EXPECT_FALSE(allowed(AF_INET, SOCK_PACKET));
  EXPECT_FALSE(allowed(AF_UNIX, SOCK_SEQPACKET));
  for (const std::uint64_t family :
       {AF_UNSPEC, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK, 45, 64, 0x7fffffff}) {
    EXPECT_FALSE(allowed(family, SOCK_STREAM)) << family;
  }
  EXPECT_FALSE(allowed(0xffffffff, SOCK_STREAM));
}

TEST(MakeArgumentRules, RefuseMemoryThatIsWritableAndExecutableUnlessSeen) {
  for (const std::string_view name : {"mmap", "mprotect", "pkey_mprotect"}) {
    const WatchedCall call = Watch(name);
    const ArgumentRules rules = MakeArgumentRules(call, {{PROT_READ & 6}, {PROT_WRITE}});
    const auto allowed = [&](std::uint64_t protection) {
      std::array<std::uint64_t, 6> registers = {};
      registers.at(call.arguments.front().index) = protection;
      EXPECT_EQ(CountMatches(rules.allow, registers) + CountMatches(rules.refuse, registers), 1)
          << protection;
      return CountMatches(rules.allow, registers) == 1;
    };
    for (const int usual : {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC,
                            PROT_EXEC, PROT_WRITE | PROT_GROWSDOWN}) {
      EXPECT_TRUE(allowed(static_cast<std::uint64_t>(usual))) << name << " " << usual;
    }
    EXPECT_FALSE(allowed(PROT_WRITE | PROT_EXEC)) << name;
    EXPECT_FALSE(allowed(PROT_READ | PROT_WRITE | PROT_EXEC)) << name;
    EXPECT_FALSE(allowed(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN)) << name;
    const ArgumentRules seen = MakeArgumentRules(call, {{PROT_WRITE | PROT_EXEC}});
    ASSERT_EQ(seen.allow.size(), 1U);
    EXPECT_TRUE(seen.allow.front().empty()) << "it was seen: no condition is left";
  }
}

TEST(MakeArgumentRules, TellOptionsOfPrctlApart) {
  const ArgumentRules rules =
      MakeArgumentRules(Watch("prctl"), {{PR_SET_NAME}, {PR_SET_NO_NEW_PRIVS}});
  const auto allowed = [&](std::uint64_t option) {
    const std::array<std::uint64_t, 6> registers = {option};
    EXPECT_EQ(CountMatches(rules.allow, registers) + CountMatches(rules.refuse, registers), 1)
        << option;
    return CountMatches(rules.allow, registers) == 1;
  };
  EXPECT_TRUE(allowed(PR_SET_NAME));
  EXPECT_TRUE(allowed(PR_SET_NAME | (7ULL << 32))) << "an int: the high half is nobody's";
  EXPECT_TRUE(allowed(PR_SET_NO_NEW_PRIVS));
  for (const std::uint64_t other : {PR_SET_MM, PR_SET_PTRACER, PR_SET_DUMPABLE, 0}) {
    EXPECT_FALSE(allowed(other)) << other;
  }
}

TEST(MakeArgumentRules, RefuseNamespacesInCloneUnlessSeen) {
  const ArgumentRules plain = MakeArgumentRules(Watch("clone"), {{0}});
  const ArgumentRules network = MakeArgumentRules(Watch("clone"), {{0}, {CLONE_NEWNET}});
  const auto allowed = [](const ArgumentRules& rules, std::uint64_t flags) {
    const std::array<std::uint64_t, 6> registers = {flags};
    EXPECT_EQ(CountMatches(rules.allow, registers) + CountMatches(rules.refuse, registers), 1)
        << flags;
    return CountMatches(rules.allow, registers) == 1;
  };
  const std::uint64_t thread =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS;
  for (const std::uint64_t flags : {std::uint64_t{17}, thread}) {
    EXPECT_TRUE(allowed(plain, flags));
    EXPECT_TRUE(allowed(network, flags | CLONE_NEWNET));
    for (const std::uint64_t space : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                      CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
      EXPECT_FALSE(allowed(plain, flags | space)) << space;
      EXPECT_EQ(allowed(network, flags | space), space == CLONE_NEWNET);
    }
    EXPECT_FALSE(allowed(network, flags | CLONE_NEWNET | CLONE_NEWUSER));
  }
}

TEST(MakeArgumentRules, RefuseTerminalInputUnlessSeen) {
  constexpr std::uint64_t kTiocsti = 0x5412;
  constexpr std::uint64_t kTioclinux = 0x541c;
  const auto allowed = [](const ArgumentRules& rules, std::uint64_t request) {
    const std::array<std::uint64_t, 6> registers = {3, request};
    EXPECT_EQ(CountMatches(rules.allow, registers) + CountMatches(rules.refuse, registers), 1)
        << request;
    return CountMatches(rules.allow, registers) == 1;
  };
  const ArgumentRules usual = MakeArgumentRules(Watch("ioctl"), {{0x5401}});
  for (const std::uint64_t request : {0x5401ULL, 0x5413ULL, 0x541bULL, 0ULL, 0xffffffffULL}) {
    EXPECT_TRUE(allowed(usual, request)) << request;
  }
  EXPECT_FALSE(allowed(usual, kTiocsti));
  EXPECT_FALSE(allowed(usual, kTiocsti | (1ULL << 32)));
  EXPECT_FALSE(allowed(usual, kTioclinux));
  EXPECT_TRUE(allowed(MakeArgumentRules(Watch("ioctl"), {{kTiocsti}}), kTiocsti));
  EXPECT_FALSE(allowed(MakeArgumentRules(Watch("ioctl"), {{kTiocsti}}), kTioclinux));
  const ArgumentRules all = MakeArgumentRules(Watch("ioctl"), {{kTiocsti}, {kTioclinux}});
  EXPECT_EQ(all.allow, std::vector<std::vector<ArgumentCondition>>{{}});
  EXPECT_TRUE(all.refuse.empty());
}

}  // namespace
}  // namespace cordon
