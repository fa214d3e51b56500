// The worst case is compared with what the interpreter counts: no run makes more, and some run
// makes as many.

#include "model/bpf_cost.h"

#include <gtest/gtest.h>
#include <linux/bpf_common.h>

#include <algorithm>
#include <vector>

#include "model/bpf_interpreter.h"
#include "model/seccomp_compiler.h"
#include "tests/model/random_policies.h"

namespace cordon {
namespace {

constexpr sock_filter Op(int code, std::uint32_t k = 0, std::uint8_t jt = 0, std::uint8_t jf = 0) {
  return {static_cast<std::uint16_t>(code), jt, jf, k};
}

std::uint64_t WorstCase(const std::vector<sock_filter>& program) {
  return MeasureBpf(program).worst_case;
}

TEST(MeasureBpf, TakesTheLongestWay) {
  const sock_filter load = Op(BPF_LD | BPF_W | BPF_ABS, 0);
  const sock_filter allow = Op(BPF_RET | BPF_K, 0x7fff0000);
  EXPECT_EQ(WorstCase({allow}), 1U);
  EXPECT_EQ(WorstCase({load, allow}), 2U);
  // One way returns at once, the other after two more loads.
  const sock_filter either = Op(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 1);
  EXPECT_EQ(WorstCase({load, either, allow, load, load, allow}), 5U);
  // What is jumped over costs nothing, and neither does what no way leads to.
  EXPECT_EQ(WorstCase({Op(BPF_JMP | BPF_JA, 2), load, load, allow}), 2U);
  EXPECT_EQ(WorstCase({allow, load, load, load, allow}), 1U);
}

/// A program in which every jump asks for a bit of its own, so that every way through it is taken
/// by some arguments: bit N of the first argument for the Nth jump.
std::vector<sock_filter> RandomProgram(RandomPolicies& random, std::size_t& jumps) {
  const std::size_t length = 2 + random.Below(40);
  std::vector<sock_filter> program = {Op(BPF_LD | BPF_W | BPF_ABS, 16)};
  jumps = 0;
  while (program.size() < length) {
    const std::size_t left = length - program.size();
    if (jumps < 12 && random.Below(2) == 0) {
      const std::size_t reach = std::min<std::size_t>(left, 8);
      program.push_back(Op(BPF_JMP | BPF_JSET | BPF_K, 1U << jumps,
                           static_cast<std::uint8_t>(random.Below(reach)),
                           static_cast<std::uint8_t>(random.Below(reach))));
      ++jumps;
    } else {
      program.push_back(random.Below(4) == 0 ? Op(BPF_RET | BPF_K, 7) : Op(BPF_LDX | BPF_IMM, 1));
    }
  }
  program.push_back(Op(BPF_RET | BPF_K, 0));
  return program;
}

TEST(MeasureBpf, IsWhatTheDearestRunOfARandomProgramTakes) {
  RandomPolicies random(11);
  std::size_t with_choices = 0;
  for (int round = 0; round < 300; ++round) {
    std::size_t jumps = 0;
    const std::vector<sock_filter> program = RandomProgram(random, jumps);
    const auto interpreter = BpfInterpreter::Create(program);
    ASSERT_TRUE(interpreter.has_value()) << interpreter.error().message;
    std::uint64_t dearest = 0;
    std::uint64_t cheapest = ~0ULL;
    for (std::uint64_t bits = 0; bits < (1ULL << jumps); ++bits) {
      const BpfRun run =
          interpreter->RunCounting({{Architecture::kX86_64, 0}, {bits, 0, 0, 0, 0, 0}});
      dearest = std::max(dearest, run.instructions);
      cheapest = std::min(cheapest, run.instructions);
    }
    ASSERT_EQ(dearest, WorstCase(program)) << "round " << round;
    with_choices += dearest != cheapest ? 1 : 0;
  }
  EXPECT_GT(with_choices, 150U);
}

TEST(MeasureBpf, KnowsWhatNoCallCanMeet) {
  // Behind "is 7", "is over 6" always holds and "has bit 3" never does: the long branches are none.
  const sock_filter load = Op(BPF_LD | BPF_W | BPF_ABS, 0);
  const sock_filter allow = Op(BPF_RET | BPF_K, 0x7fff0000);
  const std::vector<sock_filter> program = {load,
                                            Op(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 6),
                                            Op(BPF_JMP | BPF_JGT | BPF_K, 6, 0, 1),
                                            Op(BPF_JMP | BPF_JSET | BPF_K, 8, 0, 3),
                                            load,
                                            load,
                                            load,
                                            allow,
                                            allow};
  const BpfCost cost = MeasureBpf(program);
  EXPECT_TRUE(cost.exact);
  EXPECT_EQ(cost.worst_case, 5U);
  EXPECT_EQ(cost.dearest[0], 7U);
  // A masked word can be what the whole word is not.
  EXPECT_EQ(
      WorstCase({load, Op(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 4), Op(BPF_ALU | BPF_AND | BPF_K, 6),
                 Op(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 1), allow, load, allow}),
      5U);
  // What is not a word of the call may be anything.
  const BpfCost other = MeasureBpf(std::vector<sock_filter>{
      Op(BPF_LD | BPF_IMM, 1), Op(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1), load, allow});
  EXPECT_FALSE(other.exact);
  EXPECT_EQ(other.worst_case, 4U);
}

/// The dearest of many calls: numbers and arguments on every side of what the policy compares.
std::uint64_t DearestOfMany(RandomPolicies& random, const SeccompPolicy& policy,
                            const BpfInterpreter& interpreter) {
  std::uint64_t dearest = 0;
  for (int i = 0; i < 3000; ++i) {
    dearest = std::max(dearest, interpreter.RunCounting(random.Invocation(policy)).instructions);
  }
  return dearest;
}

TEST(MeasureBpf, BoundsEveryCallOfARandomPolicyAndIsReached) {
  RandomPolicies random(5);
  std::size_t compiled = 0;
  for (std::size_t round = 0; round < 150; ++round) {
    const SeccompPolicy policy = random.Policy();
    for (const auto& compile : {CompileSeccomp, CompileAsRunc}) {
      const auto program = compile(policy);
      if (!program) {
        continue;
      }
      const auto interpreter = BpfInterpreter::Create(*program);
      ASSERT_TRUE(interpreter.has_value());
      const BpfCost cost = MeasureBpf(*program);
      EXPECT_EQ(cost.instructions, program->size());
      ASSERT_LE(DearestOfMany(random, policy, *interpreter), cost.worst_case) << "round " << round;
      ASSERT_TRUE(cost.exact) << "round " << round;
      ASSERT_EQ(interpreter->RunCounting(cost.dearest).instructions, cost.worst_case)
          << "round " << round;
      ++compiled;
    }
  }
  EXPECT_GT(compiled, 200U);
}

}  // namespace
}  // namespace cordon
