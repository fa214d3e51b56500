#include "generator/argument_rules.h"

#include <gtest/gtest.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
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

/// The rules of `call` where exactly `values` were seen.
ArgumentRules RulesFor(const WatchedCall& call, const std::vector<WatchedValues>& values) {
  std::set<WatchedBlocks> blocks;
  for (const WatchedValues& tuple : values) {
    blocks.insert(Exactly(call, tuple));
  }
  return MakeArgumentRules(call, blocks);
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

std::set<ValueBlock> Blocks(const std::set<std::uint64_t>& values, std::uint64_t mask) {
  std::set<ValueBlock> blocks;
  for (const std::uint64_t value : values) {
    blocks.insert({mask, value});
  }
  return blocks;
}

TEST(ComplementBlocks, AreExactlyTheRestAndDisjoint) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t mask = random() & 0xfff;
    std::set<std::uint64_t> values;
    for (int i = 0; i < round % 6; ++i) {
      values.insert(random() & mask);
    }
    const std::vector<ValueBlock> blocks = ComplementBlocks(Blocks(values, mask));
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
  EXPECT_EQ(ComplementBlocks({}).size(), 1U);
  EXPECT_EQ(ComplementBlocks(Blocks({1, 2, 10, 16}, 0xffffffff)).size(), 37U);
  EXPECT_EQ(ComplementBlocks(Blocks({0, 1}, 1)).size(), 0U);
  EXPECT_EQ(ComplementBlocks({{0, 0}}).size(), 0U) << "a block that looks at no bit is everything";
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
  const ArgumentRules rules = RulesFor(
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
    const ArgumentRules rules = RulesFor(call, {{PROT_READ & 6}, {PROT_WRITE}});
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
    const ArgumentRules seen = RulesFor(call, {{PROT_WRITE | PROT_EXEC}});
    ASSERT_EQ(seen.allow.size(), 1U);
    EXPECT_TRUE(seen.allow.front().empty()) << "it was seen: no condition is left";
  }
}

TEST(MakeArgumentRules, TellOptionsOfPrctlApart) {
  const ArgumentRules rules = RulesFor(Watch("prctl"), {{PR_SET_NAME}, {PR_SET_NO_NEW_PRIVS}});
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
  const ArgumentRules plain = RulesFor(Watch("clone"), {{0}});
  const ArgumentRules network = RulesFor(Watch("clone"), {{0}, {CLONE_NEWNET}});
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

TEST(MakeArgumentRules, TellRequestsOfIoctlApart) {
  const ArgumentRules rules = RulesFor(Watch("ioctl"), {{TCGETS}, {FIONBIO}});
  const auto allowed = [&](std::uint64_t request) {
    const std::array<std::uint64_t, 6> registers = {3, request};
    EXPECT_EQ(CountMatches(rules.allow, registers) + CountMatches(rules.refuse, registers), 1)
        << request;
    return CountMatches(rules.allow, registers) == 1;
  };
  EXPECT_TRUE(allowed(TCGETS));
  EXPECT_TRUE(allowed(FIONBIO | (7ULL << 32))) << "the kernel looks at 32 bits";
  for (const std::uint64_t other :
       {std::uint64_t{TIOCSTI}, std::uint64_t{TIOCSTI | (1ULL << 32)}, std::uint64_t{TIOCLINUX},
        std::uint64_t{TCSETS}, std::uint64_t{TIOCGWINSZ}, std::uint64_t{SIOCATMARK},
        std::uint64_t{0}, std::uint64_t{0xffffffff}}) {
    EXPECT_FALSE(allowed(other)) << other;
  }
}

TEST(MakeArgumentRules, TellOptionsOfSocketsApartByLevel) {
  const ArgumentRules rules = RulesFor(
      Watch("setsockopt"),
      {{SOL_SOCKET, SO_REUSEADDR}, {SOL_SOCKET, SO_KEEPALIVE}, {IPPROTO_TCP, TCP_NODELAY}});
  const auto allowed = [&](std::uint64_t level, std::uint64_t option) {
    const std::array<std::uint64_t, 6> registers = {3, level, option};
    EXPECT_EQ(CountMatches(rules.allow, registers) + CountMatches(rules.refuse, registers), 1)
        << level << " " << option;
    return CountMatches(rules.allow, registers) == 1;
  };
  EXPECT_TRUE(allowed(SOL_SOCKET, SO_REUSEADDR));
  EXPECT_TRUE(allowed(SOL_SOCKET, SO_KEEPALIVE));
  EXPECT_TRUE(allowed(IPPROTO_TCP | (3ULL << 32), TCP_NODELAY | (5ULL << 32)));
  EXPECT_FALSE(allowed(IPPROTO_TCP, SO_REUSEADDR));
  EXPECT_FALSE(allowed(SOL_SOCKET, SO_ATTACH_FILTER));
  EXPECT_FALSE(allowed(SOL_SOCKET, TCP_NODELAY));
  EXPECT_FALSE(allowed(IPPROTO_IP, 64)) << "IPT_SO_SET_REPLACE, CVE-2021-22555";
  EXPECT_FALSE(allowed(0xffffffff, 0xffffffff));
}

bool Holds(const std::vector<ValueBlock>& blocks, std::uint64_t value) {
  return std::ranges::any_of(
      blocks, [&](const ValueBlock& block) { return (value & block.mask) == block.value; });
}

TEST(CoveringBlocks, HoldWhatARangeStandsForAndNoMoreThanItsFlagsOrItsExtremes) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    const std::uint64_t mask = round % 2 == 0 ? 0x3ff : random() & 0x3ff;
    const std::uint64_t bits = random() & 0x3ff;
    ScalarRange range{0, 0x3ff, 0};
    std::vector<std::uint64_t> values;
    for (int i = 0; i <= round % 7; ++i) {
      values.push_back(random() & (round % 3 == 0 ? bits : 0x3ff));
      range.bits_or |= values.back();
      range.minimum = std::min(range.minimum, values.back());
      range.maximum = std::max(range.maximum, values.back());
    }
    const std::vector<ValueBlock> blocks = CoveringBlocks(range, mask);
    for (const std::uint64_t value : values) {
      EXPECT_TRUE(Holds(blocks, value)) << value;
    }
    std::uint64_t admitted = 0;
    std::uint64_t without_new_flags = 0;
    std::uint64_t between = 0;
    for (std::uint64_t value = 0; value <= 0x3ff; ++value) {
      admitted += Holds(blocks, value) ? 1 : 0;
      without_new_flags += (value & mask & ~range.bits_or) == 0 ? 1 : 0;
      between += range.minimum <= value && value <= range.maximum ? 1 : 0;
    }
    EXPECT_LE(admitted, without_new_flags);
    if (mask == 0x3ff) {
      EXPECT_LE(admitted, between);
    }
    const std::vector<ValueBlock> rest = ComplementBlocks({blocks.begin(), blocks.end()});
    for (std::uint64_t value = 0; value <= 0x3ff; ++value) {
      ASSERT_NE(Holds(blocks, value), Holds(rest, value)) << value;
    }
  }
}

TEST(CoveringBlocks, KeepNumbersTogetherAndFlagsApart) {
  EXPECT_EQ(CoveringBlocks({0x7f, 16, 79}, 0xffffffff),
            (std::vector<ValueBlock>{{0xfffffff0, 16}, {0xffffffe0, 32}, {0xfffffff0, 64}}));
  EXPECT_EQ(CoveringBlocks({0x10000011, 0, 0x10000011}, 0xffffffff),
            (std::vector<ValueBlock>{{~std::uint64_t{0x10000011} & 0xffffffff, 0}}));
  EXPECT_EQ(CoveringBlocks({0xffffffff, 0, 0xffffffff}, 0xffffffff),
            (std::vector<ValueBlock>{{0, 0}}))
      << "anything";
  EXPECT_EQ(CoveringBlocks({5, 5, 5}, 0xffffffff), (std::vector<ValueBlock>{{0xffffffff, 5}}));
  const std::uint64_t all = ~std::uint64_t{0};
  EXPECT_EQ(CoveringBlocks({all, 0, all}, all), (std::vector<ValueBlock>{{0, 0}}));
}

}  // namespace
}  // namespace cordon
