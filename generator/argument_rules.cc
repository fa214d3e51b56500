#include "generator/argument_rules.h"

#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
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

ArgumentCondition Masked(const WatchedArgument& argument, const ValueBlock& block) {
  return {argument.index, Comparison::kMaskedEqual, block.value, block.mask};
}

void AddBlocks(const std::set<std::uint64_t>& values, std::uint64_t undecided,
               const ValueBlock& block, std::vector<ValueBlock>& blocks) {
  if (values.empty()) {
    blocks.push_back(block);
    return;
  }
  if (undecided == 0) {
    return;
  }
  std::uint64_t bit = std::uint64_t{1} << 63;
  while ((undecided & bit) == 0) {
    bit >>= 1;
  }
  const auto middle = std::partition_point(values.begin(), values.end(),
                                           [&](std::uint64_t value) { return (value & bit) == 0; });
  // All values agree in the decided, higher bits, so the order of the set is the order of what is
  // left.
  AddBlocks({values.begin(), middle}, undecided & ~bit, {block.mask | bit, block.value}, blocks);
  AddBlocks({middle, values.end()}, undecided & ~bit, {block.mask | bit, block.value | bit},
            blocks);
}

/// Rules for the arguments from `position` on, below the conditions in `fixed`.
void AddSeenRules(const WatchedCall& call, const std::set<WatchedValues>& seen,
                  std::size_t position, const std::vector<ArgumentCondition>& fixed,
                  ArgumentRules& rules) {
  if (position == call.arguments.size()) {
    rules.allow.push_back(fixed);
    return;
  }
  const WatchedArgument& argument = call.arguments[position];
  std::set<std::uint64_t> values;
  for (const WatchedValues& tuple : seen) {
    values.insert(tuple.at(position));
  }
  for (const std::uint64_t value : values) {
    std::set<WatchedValues> below;
    std::ranges::copy_if(seen, std::inserter(below, below.end()),
                         [&](const WatchedValues& tuple) { return tuple.at(position) == value; });
    std::vector<ArgumentCondition> conditions = fixed;
    conditions.push_back(Masked(argument, {argument.mask, value}));
    AddSeenRules(call, below, position + 1, conditions, rules);
  }
  for (const ValueBlock& block : ComplementBlocks(values, argument.mask)) {
    std::vector<ArgumentCondition> conditions = fixed;
    conditions.push_back(Masked(argument, block));
    rules.refuse.push_back(std::move(conditions));
  }
}

ArgumentRules RefuseListed(const WatchedCall& call, const std::set<WatchedValues>& seen) {
  const WatchedArgument& argument = call.arguments.front();
  std::set<std::uint64_t> refused(call.values.begin(), call.values.end());
  for (const WatchedValues& tuple : seen) {
    refused.erase(tuple.front());
  }
  ArgumentRules rules;
  for (const std::uint64_t value : refused) {
    rules.refuse.push_back({Masked(argument, {argument.mask, value})});
  }
  if (refused.empty()) {
    rules.allow.emplace_back();
    return rules;
  }
  for (const ValueBlock& block : ComplementBlocks(refused, argument.mask)) {
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
      // TIOCSTI and TIOCLINUX put input into the terminal that the caller shares with its parent
      // (ioctl_tty(2); CVE-2017-5226).
      {"ioctl",
       ArgumentPolicy::kRefuseListed,
       {{0, kInt}},
       {TIOCSTI, TIOCLINUX},
       "requests TIOCSTI and TIOCLINUX"},
      {"keyctl", ArgumentPolicy::kAllowSeen, {{0, kInt}}, {}, "operations"},
      {"mmap",
       ArgumentPolicy::kRefuseListed,
       {{0, kWriteAndExecute}},
       {kWriteAndExecute},
       "protections that let memory be written and run"},
      {"mmap2",
       ArgumentPolicy::kRefuseListed,
       {{0, kWriteAndExecute}},
       {kWriteAndExecute},
       "protections that let memory be written and run"},
      {"mprotect",
       ArgumentPolicy::kRefuseListed,
       {{0, kWriteAndExecute}},
       {kWriteAndExecute},
       "protections that let memory be written and run"},
      {"personality", ArgumentPolicy::kAllowSeen, {{0, kInt}}, {kAskPersonality}, "persona"},
      {"pkey_mprotect",
       ArgumentPolicy::kRefuseListed,
       {{0, kWriteAndExecute}},
       {kWriteAndExecute},
       "protections that let memory be written and run"},
      {"prctl", ArgumentPolicy::kAllowSeen, {{0, kInt}}, kSetUpOptions, "options"},
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

std::vector<ValueBlock> ComplementBlocks(const std::set<std::uint64_t>& values,
                                         std::uint64_t mask) {
  std::vector<ValueBlock> blocks;
  AddBlocks(values, mask, {}, blocks);
  return blocks;
}

ArgumentRules MakeArgumentRules(const WatchedCall& call, const std::set<WatchedValues>& seen) {
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
