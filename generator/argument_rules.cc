#include "generator/argument_rules.h"

#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "model/syscall_signature.h"

namespace cordon {
namespace {

constexpr std::uint64_t kInt = 0xffffffff;

// socket(2): the kernel masks the type with SOCK_TYPE_MASK (linux/net.h) and refuses unknown flags.
constexpr std::uint64_t kSocketType = 0xf;

// clone(2): every flag that makes a namespace; CLONE_NEWTIME lies in the exit signal's byte and
// means nothing here.
constexpr std::uint64_t kNamespaceFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET;

// personality(2): 0xffffffff only asks.
constexpr std::uint64_t kAskPersonality = 0xffffffff;

// What is written there can be run: the usual way from a bug in memory to code of the attacker's.
constexpr std::uint64_t kWriteAndExecute = PROT_WRITE | PROT_EXEC;

// prctl(2): what runtimes and C libraries set up a process with.
constexpr std::initializer_list<std::uint64_t> kSetUpOptions = {
    PR_SET_PDEATHSIG,  PR_GET_PDEATHSIG,    PR_GET_DUMPABLE,     PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,   PR_SET_NAME,         PR_GET_NAME,         PR_GET_SECCOMP,
    PR_SET_SECCOMP,    PR_CAPBSET_READ,     PR_CAPBSET_DROP,     PR_SET_SECUREBITS,
    PR_GET_SECUREBITS, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_CAP_AMBIENT};

// ioctl_tty(2): what C libraries ask to learn whether they are at a terminal: glibc TCGETS, since
// 2.42 TCGETS2, musl TIOCGWINSZ.
constexpr std::initializer_list<std::uint64_t> kTerminalQuestions = {TCGETS, kTcgets2, TIOCGWINSZ};

/// How a call that gives memory its protection is watched.
WatchedCall Protections(std::string_view name) {
  return {name,
          ArgumentPolicy::kRefuseListed,
          {{0, kWriteAndExecute}},
          {kWriteAndExecute},
          "protections that let memory be written and run"};
}

ArgumentCondition Masked(const WatchedArgument& argument, const ValueBlock& block) {
  return {argument.index, Comparison::kMaskedEqual, block.value, block.mask};
}

/// Adds the part of `decided` that is outside `blocks`, all of which agree with it.
void AddRest(const std::vector<ValueBlock>& blocks, const ValueBlock& decided,
             std::vector<ValueBlock>& rest) {
  if (blocks.empty()) {
    rest.push_back(decided);
    return;
  }
  std::uint64_t undecided = 0;
  for (const ValueBlock& block : blocks) {
    if ((block.mask & ~decided.mask) == 0) {
      return;
    }
    undecided |= block.mask & ~decided.mask;
  }
  const std::uint64_t bit = std::bit_floor(undecided);
  for (const std::uint64_t side : {std::uint64_t{0}, bit}) {
    std::vector<ValueBlock> agreeing;
    std::ranges::copy_if(blocks, std::back_inserter(agreeing), [&](const ValueBlock& block) {
      return (block.mask & bit) == 0 || (block.value & bit) == side;
    });
    AddRest(agreeing, {decided.mask | bit, decided.value | side}, rest);
  }
}

/// The aligned blocks of minimum..maximum, below 2^64 - 1.
std::vector<ValueBlock> AlignedBlocks(std::uint64_t minimum, std::uint64_t maximum,
                                      std::uint64_t mask) {
  std::vector<ValueBlock> blocks;
  std::uint64_t next = minimum;
  while (next <= maximum) {
    std::uint64_t size = 1;
    while ((next & size) == 0 && next + (2 * size) - 1 <= maximum && size <= mask) {
      size *= 2;
    }
    blocks.push_back({mask & ~(size - 1), next});
    next += size;
  }
  return blocks;
}

/// Rules for the arguments from `position` on, below the conditions in `fixed`.
void AddSeenRules(const WatchedCall& call, const std::set<WatchedBlocks>& seen,
                  std::size_t position, const std::vector<ArgumentCondition>& fixed,
                  ArgumentRules& rules) {
  if (position == call.arguments.size()) {
    rules.allow.push_back(fixed);
    return;
  }
  const WatchedArgument& argument = call.arguments[position];
  std::set<ValueBlock> blocks;
  for (const WatchedBlocks& tuple : seen) {
    blocks.insert(tuple.at(position));
  }
  for (const ValueBlock& block : blocks) {
    std::set<WatchedBlocks> below;
    std::ranges::copy_if(seen, std::inserter(below, below.end()),
                         [&](const WatchedBlocks& tuple) { return tuple.at(position) == block; });
    std::vector<ArgumentCondition> conditions = fixed;
    if (block.mask != 0) {
      conditions.push_back(Masked(argument, block));
    }
    AddSeenRules(call, below, position + 1, conditions, rules);
  }
  for (const ValueBlock& block : ComplementBlocks(blocks)) {
    std::vector<ArgumentCondition> conditions = fixed;
    conditions.push_back(Masked(argument, block));
    rules.refuse.push_back(std::move(conditions));
  }
}

ArgumentRules RefuseListed(const WatchedCall& call, const std::set<WatchedBlocks>& seen) {
  const WatchedArgument& argument = call.arguments.front();
  std::set<ValueBlock> refused;
  for (const std::uint64_t value : call.values) {
    const bool was_seen = std::ranges::any_of(seen, [&](const WatchedBlocks& blocks) {
      return (value & blocks.front().mask) == blocks.front().value;
    });
    if (!was_seen) {
      refused.insert({argument.mask, value});
    }
  }
  ArgumentRules rules;
  if (refused.empty()) {
    rules.allow.emplace_back();
    return rules;
  }
  for (const ValueBlock& block : refused) {
    rules.refuse.push_back({Masked(argument, block)});
  }
  for (const ValueBlock& block : ComplementBlocks(refused)) {
    rules.allow.push_back({Masked(argument, block)});
  }
  return rules;
}

}  // namespace

std::span<const WatchedCall> WatchedCalls() {
  static const std::vector<WatchedCall> calls = {
      {"bpf", ArgumentPolicy::kAllowSeen, {{0, kInt}}, {}, "commands"},
      {"clone",
       ArgumentPolicy::kAllowSeen,
       {{0, kNamespaceFlags}},
       {0},
       "flags that make namespaces"},
      {"ioctl", ArgumentPolicy::kAllowSeen, {{0, kInt}}, kTerminalQuestions, "requests"},
      {"keyctl", ArgumentPolicy::kAllowSeen, {{0, kInt}}, {}, "operations"},
      Protections("mmap"),
      Protections("mmap2"),
      Protections("mprotect"),
      {"personality", ArgumentPolicy::kAllowSeen, {{0, kInt}}, {kAskPersonality}, "persona"},
      Protections("pkey_mprotect"),
      {"prctl", ArgumentPolicy::kAllowSeen, {{0, kInt}}, kSetUpOptions, "options"},
      {"setsockopt", ArgumentPolicy::kAllowSeen, {{0, kInt}, {1, kInt}}, {}, "level and option"},
      {"socket", ArgumentPolicy::kAllowSeen, {{0, kInt}, {1, kSocketType}}, {}, "family and type"},
  };
  return calls;
}

std::optional<WatchedCall> WatchOn(std::string_view name,
                                   std::span<const Architecture> architectures) {
  const std::span<const WatchedCall> calls = WatchedCalls();
  const auto found = std::ranges::find(calls, name, &WatchedCall::name);
  if (found == calls.end()) {
    return std::nullopt;
  }
  WatchedCall call = *found;
  bool first = true;
  for (const Architecture arch : architectures) {
    if (!SyscallNumber(arch, name)) {
      continue;
    }
    const std::span<const ScalarArgument> scalars = RecordedScalars(arch, name);
    for (WatchedArgument& argument : call.arguments) {
      if (argument.position >= scalars.size() || !scalars[argument.position].member.empty()) {
        return std::nullopt;
      }
      const std::uint8_t index = scalars[argument.position].index;
      if (!first && argument.index != index) {
        return std::nullopt;
      }
      argument.index = index;
    }
    first = false;
  }
  return call;
}

WatchedValues ValuesOf(const WatchedCall& call, const ArgumentTuple& tuple) {
  WatchedValues values;
  for (const WatchedArgument& argument : call.arguments) {
    values.push_back(argument.position < tuple.size() ? tuple[argument.position] & argument.mask
                                                      : 0);
  }
  return values;
}

WatchedBlocks Exactly(const WatchedCall& call, const WatchedValues& values) {
  WatchedBlocks blocks;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    blocks.push_back({call.arguments[i].mask, values.at(i)});
  }
  return blocks;
}

std::vector<ValueBlock> ComplementBlocks(const std::set<ValueBlock>& blocks) {
  std::vector<ValueBlock> rest;
  AddRest({blocks.begin(), blocks.end()}, {}, rest);
  return rest;
}

ValueBlock CommonBits(const ScalarRange& range, std::uint64_t mask) {
  const std::uint64_t differing = range.minimum ^ range.maximum;
  const std::uint64_t leading =
      differing == 0 ? ~std::uint64_t{0} : ~((std::bit_floor(differing) << 1) - 1);
  return {mask & (leading | ~range.bits_or), range.minimum & mask & leading};
}

std::vector<ValueBlock> CoveringBlocks(const ScalarRange& range, std::uint64_t mask) {
  const ValueBlock common = CommonBits(range, mask);
  // Only where the mask is the whole register do numbers that follow each other stay together.
  const bool is_number = std::has_single_bit(mask + 1) && range.maximum <= mask;
  const std::uint64_t free = mask & ~common.mask;
  if (!is_number || range.maximum - range.minimum + 1 >= std::uint64_t{1} << std::popcount(free)) {
    return {common};
  }
  return AlignedBlocks(range.minimum, range.maximum, mask);
}

ArgumentRules MakeArgumentRules(const WatchedCall& call, const std::set<WatchedBlocks>& seen) {
  if (call.policy == ArgumentPolicy::kRefuseListed) {
    return RefuseListed(call, seen);
  }
  ArgumentRules rules;
  if (!seen.empty()) {
    AddSeenRules(call, seen, 0, {}, rules);
  }
  return rules;
}

}  // namespace cordon
