#include "runtime/device_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace cordon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

DeviceRule Rule(DeviceAnswer answer, DeviceKind kind, std::optional<std::uint32_t> major,
                std::optional<std::uint32_t> minor, unsigned access) {
  return {answer, kind, major, minor, static_cast<std::uint8_t>(access)};
}

DeviceRule Allow(std::uint32_t major, std::uint32_t minor, unsigned access = kAnyDeviceAccess) {
  return Rule(DeviceAnswer::kAllow, DeviceKind::kCharacter, major, minor, access);
}

const DeviceRule kDenyAll = Rule(DeviceAnswer::kDeny, DeviceKind::kAny, {}, {}, kAnyDeviceAccess);
const DeviceRule kAllowAll = Rule(DeviceAnswer::kAllow, DeviceKind::kAny, {}, {}, kAnyDeviceAccess);

/// Runs a program as the kernel does, over the instructions that the compiler writes
/// (Documentation/bpf/standardization/instruction-set.rst). Fails the test at any other.
std::uint64_t Interpret(const std::vector<bpf_insn>& program, const bpf_cgroup_dev_ctx& context) {
  std::array<std::uint32_t, 11> registers{};
  for (std::size_t at = 0; at < program.size(); ++at) {
    const bpf_insn& instruction = program[at];
    std::uint32_t& to = registers.at(instruction.dst_reg);
    const std::uint32_t from = registers.at(instruction.src_reg);
    const auto immediate = static_cast<std::uint32_t>(instruction.imm);
    switch (instruction.code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        to = instruction.off == 0   ? context.access_type
             : instruction.off == 4 ? context.major
                                    : context.minor;
        break;
      case BPF_ALU | BPF_X | BPF_MOV:
        to = from;
        break;
      case BPF_ALU | BPF_K | BPF_MOV:
        to = immediate;
        break;
      case BPF_ALU | BPF_K | BPF_AND:
        to &= immediate;
        break;
      case BPF_ALU | BPF_K | BPF_RSH:
        to >>= immediate;
        break;
      case BPF_JMP32 | BPF_K | BPF_JNE:
      case BPF_JMP32 | BPF_K | BPF_JEQ:
        if ((to == immediate) == (BPF_OP(instruction.code) == BPF_JEQ)) {
          at += static_cast<std::size_t>(instruction.off);
        }
        break;
      case BPF_JMP | BPF_EXIT:
        return registers[0];
      default:
        ADD_FAILURE() << "instruction " << int{instruction.code};
        return 0;
    }
  }
  ADD_FAILURE() << "the program has no end";
  return 0;
}

bpf_cgroup_dev_ctx ContextOf(const DeviceRequest& request) {
  const std::uint32_t kind =
      request.kind == DeviceKind::kBlock ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
  return {(std::uint32_t{request.access} << 16) | kind, request.device.major, request.device.minor};
}

TEST(EvaluateDevice, TheLastRuleThatFitsAnswersEachBit) {
  const std::vector<DeviceRule> rules{
      kDenyAll, Allow(1, 3), Rule(DeviceAnswer::kDeny, DeviceKind::kCharacter, 1, {}, kMakeDevice),
      Rule(DeviceAnswer::kAllow, DeviceKind::kBlock, {}, 5, kReadDevice)};
  const auto answer = [&](DeviceKind kind, std::uint32_t major, std::uint32_t minor,
                          unsigned access) {
    return EvaluateDevice(rules, {kind, {major, minor}, static_cast<std::uint8_t>(access)});
  };
  EXPECT_EQ(answer(DeviceKind::kCharacter, 1, 3, kReadDevice | kWriteDevice), DeviceAnswer::kAllow);
  EXPECT_EQ(answer(DeviceKind::kCharacter, 1, 3, kReadDevice | kMakeDevice), DeviceAnswer::kDeny);
  EXPECT_EQ(answer(DeviceKind::kCharacter, 1, 4, kReadDevice), DeviceAnswer::kDeny);
  EXPECT_EQ(answer(DeviceKind::kBlock, 9, 5, kReadDevice), DeviceAnswer::kAllow);
  EXPECT_EQ(answer(DeviceKind::kBlock, 9, 5, kReadDevice | kWriteDevice), DeviceAnswer::kDeny);
  EXPECT_EQ(EvaluateDevice({}, {}), DeviceAnswer::kDeny);
  EXPECT_EQ(EvaluateDevice({kAllowAll}, {}), DeviceAnswer::kAllow);
}

/// For every request over small numbers, the program answers as EvaluateDevice() does.
TEST(CompileDeviceRules, AnswersAsTheRulesDo) {
  std::mt19937 random(20261128);
  const auto pick = [&](unsigned below) { return static_cast<std::uint32_t>(random() % below); };
  const auto number = [&]() -> std::optional<std::uint32_t> {
    const std::uint32_t value = pick(4);
    return value == 0 ? std::nullopt : std::optional(value == 3 ? 0xffffffffU : value);
  };
  unsigned allowed = 0;
  unsigned denied = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<DeviceRule> rules;
    for (std::uint32_t i = pick(6); i > 0; --i) {
      rules.push_back(Rule(pick(2) == 0 ? DeviceAnswer::kDeny : DeviceAnswer::kAllow,
                           static_cast<DeviceKind>(pick(3)), number(), number(), 1 + pick(7)));
    }
    const std::vector<bpf_insn> program = CompileDeviceRules(rules);
    for (const DeviceKind kind : {DeviceKind::kBlock, DeviceKind::kCharacter}) {
      for (const std::uint32_t major : {0U, 1U, 2U, 0xffffffffU}) {
        for (const std::uint32_t minor : {0U, 1U, 2U, 0xffffffffU}) {
          for (std::uint8_t access = 0; access <= kAnyDeviceAccess; ++access) {
            const DeviceRequest request{kind, {major, minor}, access};
            const bool allows = EvaluateDevice(rules, request) == DeviceAnswer::kAllow;
            ++(allows ? allowed : denied);
            ASSERT_EQ(Interpret(program, ContextOf(request)), allows ? 1U : 0U) << round;
          }
        }
      }
    }
  }
  EXPECT_GT(allowed, 1000U);
  EXPECT_GT(denied, 1000U);
}

std::vector<std::string> WritesOf(const std::vector<DeviceRule>& rules) {
  const auto writes = DeviceWritesOfV1(rules);
  if (!writes) {
    return {writes.error().message};
  }
  std::vector<std::string> texts;
  for (const CgroupStep::Write& write : *writes) {
    texts.push_back(write.file.substr(8) + " " + write.value);
  }
  return texts;
}

TEST(DeviceWritesOfV1, IsADefaultAndExceptions) {
  EXPECT_THAT(WritesOf({kDenyAll, Allow(1, 3)}), ElementsAre("deny a", "allow c 1:3 rwm"));
  EXPECT_THAT(WritesOf({Allow(1, 3), kDenyAll}), ElementsAre("deny a"));
  EXPECT_THAT(WritesOf({Allow(1, 3)}), ElementsAre("deny a", "allow c 1:3 rwm"));
  EXPECT_THAT(WritesOf({kAllowAll, Rule(DeviceAnswer::kDeny, DeviceKind::kBlock, 8, {}, 7)}),
              ElementsAre("allow a", "deny b 8:* rwm"));
  EXPECT_THAT(WritesOf({Rule(DeviceAnswer::kAllow, DeviceKind::kAny, {}, {}, kMakeDevice)}),
              ElementsAre("deny a", "allow b *:* m", "allow c *:* m"));
}

TEST(DeviceWritesOfV1, TakesBackWhatALaterRuleDenies) {
  EXPECT_THAT(WritesOf({Allow(1, 3), Rule(DeviceAnswer::kDeny, DeviceKind::kCharacter, 1, 3, 4)}),
              ElementsAre("deny a", "allow c 1:3 rm"));
  EXPECT_THAT(WritesOf({Allow(1, 3), Rule(DeviceAnswer::kDeny, DeviceKind::kCharacter, 1, {}, 7)}),
              ElementsAre("deny a"));
  EXPECT_THAT(WritesOf({Rule(DeviceAnswer::kAllow, DeviceKind::kCharacter, 1, {}, 7),
                        Rule(DeviceAnswer::kDeny, DeviceKind::kCharacter, 1, 3, 7)})
                  .front(),
              HasSubstr("cgroup v1 cannot tell the device rules 'c 1:* rwm' and 'c 1:3 rwm'"));
}

/// The kernel looks for one exception that has all of a request.
TEST(DeviceWritesOfV1, PutsAllThatADeviceMayIntoOneException) {
  EXPECT_THAT(WritesOf({Rule(DeviceAnswer::kAllow, DeviceKind::kCharacter, 1, {}, kReadDevice),
                        Allow(1, 3, kWriteDevice)}),
              ElementsAre("deny a", "allow c 1:* r", "allow c 1:3 rw"));
  EXPECT_THAT(WritesOf({Rule(DeviceAnswer::kAllow, DeviceKind::kCharacter, 1, {}, kReadDevice),
                        Rule(DeviceAnswer::kAllow, DeviceKind::kCharacter, {}, 3, kWriteDevice)})
                  .front(),
              HasSubstr("cannot tell"));
}

}  // namespace
}  // namespace cordon
