#include "model/bpf_interpreter.h"

#include <gtest/gtest.h>
#include <linux/bpf_common.h>
#include <linux/seccomp.h>

#include <vector>

namespace cordon {
namespace {

constexpr sock_filter Op(int code, std::uint32_t k = 0, std::uint8_t jt = 0, std::uint8_t jf = 0) {
  return {static_cast<std::uint16_t>(code), jt, jf, k};
}

constexpr sock_filter kReturnA = Op(BPF_RET | BPF_A);
constexpr sock_filter kReturn7 = Op(BPF_RET | BPF_K, 7);

const SyscallInvocation kCall{{Architecture::kX86_64, 257},
                              {0x1122334455667788, 2, 3, 4, 5, 0xffffffff00000006}};

std::uint32_t Result(const std::vector<sock_filter>& program) {
  const Expected<std::uint32_t> result = InterpretBpf(program, kCall);
  EXPECT_TRUE(result.has_value()) << result.error().message;
  return result.value_or(0xbad);
}

TEST(InterpretBpf, LoadsEveryWordOfSeccompData) {
  const auto word = [](std::uint32_t offset) {
    return Result({Op(BPF_LD | BPF_W | BPF_ABS, offset), kReturnA});
  };
  EXPECT_EQ(word(0), 257U);
  EXPECT_EQ(word(4), AuditArch(Architecture::kX86_64));
  EXPECT_EQ(word(8), 0U);
  EXPECT_EQ(word(16), 0x55667788U);
  EXPECT_EQ(word(20), 0x11223344U);
  EXPECT_EQ(word(24), 2U);
  EXPECT_EQ(word(56), 6U);
  EXPECT_EQ(word(60), 0xffffffffU);
}

TEST(InterpretBpf, SeesTheX32BitAndBigEndianArguments) {
  const std::vector<sock_filter> number = {Op(BPF_LD | BPF_W | BPF_ABS, 0), kReturnA};
  EXPECT_EQ(InterpretBpf(number, {{Architecture::kX32, 3}, {}}).value_or(0), 0x40000003U);
  const std::vector<sock_filter> first = {Op(BPF_LD | BPF_W | BPF_ABS, 16), kReturnA};
  EXPECT_EQ(InterpretBpf(first, {{Architecture::kS390x, 3}, {0x1122334455667788}}).value_or(0),
            0x11223344U);
}

TEST(InterpretBpf, Calculates) {
  const auto result = [](int operation, std::uint32_t a, std::uint32_t operand) {
    const std::uint32_t by_constant =
        Result({Op(BPF_LD | BPF_IMM, a), Op(BPF_ALU | operation | BPF_K, operand), kReturnA});
    EXPECT_EQ(by_constant, Result({Op(BPF_LDX | BPF_IMM, operand), Op(BPF_LD | BPF_IMM, a),
                                   Op(BPF_ALU | operation | BPF_X), kReturnA}));
    return by_constant;
  };
  EXPECT_EQ(result(BPF_ADD, 0xffffffff, 2), 1U);
  EXPECT_EQ(result(BPF_SUB, 1, 2), 0xffffffffU);
  EXPECT_EQ(result(BPF_MUL, 0x10000, 0x10001), 0x10000U);
  EXPECT_EQ(result(BPF_DIV, 7, 2), 3U);
  EXPECT_EQ(result(BPF_AND, 6, 3), 2U);
  EXPECT_EQ(result(BPF_OR, 6, 3), 7U);
  EXPECT_EQ(result(BPF_XOR, 6, 3), 5U);
  EXPECT_EQ(result(BPF_LSH, 3, 31), 0x80000000U);
  EXPECT_EQ(result(BPF_RSH, 0x80000000, 31), 1U);
  EXPECT_EQ(Result({Op(BPF_LD | BPF_IMM, 1), Op(BPF_ALU | BPF_NEG), kReturnA}), 0xffffffffU);
  EXPECT_EQ(Result({Op(BPF_LD | BPF_W | BPF_LEN), kReturnA}), sizeof(seccomp_data));
}

TEST(InterpretBpf, DividingByZeroEndsTheProgramWithKill) {
  EXPECT_EQ(Result({Op(BPF_LD | BPF_IMM, 9), Op(BPF_ALU | BPF_DIV | BPF_X), kReturn7}), 0U);
}

TEST(InterpretBpf, JumpsAndRemembers) {
  const auto taken = [](int condition, std::uint32_t a, std::uint32_t k) {
    return Result({Op(BPF_LD | BPF_IMM, a), Op(BPF_JMP | condition | BPF_K, k, 0, 1),
                   Op(BPF_RET | BPF_K, 1), Op(BPF_RET | BPF_K, 0)}) == 1;
  };
  EXPECT_TRUE(taken(BPF_JEQ, 4, 4));
  EXPECT_FALSE(taken(BPF_JEQ, 4, 5));
  EXPECT_TRUE(taken(BPF_JGT, 0xffffffff, 4));
  EXPECT_FALSE(taken(BPF_JGT, 4, 4));
  EXPECT_TRUE(taken(BPF_JGE, 4, 4));
  EXPECT_FALSE(taken(BPF_JGE, 3, 4));
  EXPECT_TRUE(taken(BPF_JSET, 6, 2));
  EXPECT_FALSE(taken(BPF_JSET, 4, 2));
  EXPECT_EQ(Result({Op(BPF_JMP | BPF_JA, 1), Op(BPF_RET | BPF_K, 1), kReturn7}), 7U);
  EXPECT_EQ(Result({Op(BPF_LD | BPF_IMM, 5), Op(BPF_ST, 3), Op(BPF_LD | BPF_IMM, 0),
                    Op(BPF_LDX | BPF_MEM, 3), Op(BPF_MISC | BPF_TXA), kReturnA}),
            5U);
}

struct Refused {
  const char* what;
  std::vector<sock_filter> program;
};

TEST(CheckBpf, RefusesWhatTheKernelRefuses) {
  const std::vector<Refused> cases = {
      {"nothing", {}},
      {"too long", std::vector<sock_filter>(BPF_MAXINSNS + 1, kReturn7)},
      {"no return", {Op(BPF_LD | BPF_IMM, 1)}},
      {"a load behind the data", {Op(BPF_LD | BPF_W | BPF_ABS, 64), kReturn7}},
      {"an odd load", {Op(BPF_LD | BPF_W | BPF_ABS, 2), kReturn7}},
      {"a byte load", {Op(BPF_LD | BPF_B | BPF_ABS, 0), kReturn7}},
      {"a modulus", {Op(BPF_ALU | BPF_MOD | BPF_K, 3), kReturn7}},
      {"a shift by 32", {Op(BPF_ALU | BPF_LSH | BPF_K, 32), kReturn7}},
      {"a shift to the right by 40", {Op(BPF_ALU | BPF_RSH | BPF_K, 40), kReturn7}},
      {"a division by zero", {Op(BPF_ALU | BPF_DIV | BPF_K, 0), kReturn7}},
      {"a jump to the end", {Op(BPF_JMP | BPF_JA, 1), kReturn7}},
      {"a jump back", {Op(BPF_JMP | BPF_JA, 0xffffffff), kReturn7}},
      {"a branch to the end", {Op(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), kReturn7}},
      {"scratch word 16", {Op(BPF_ST, 16), kReturn7}},
      {"an unwritten scratch word", {Op(BPF_LD | BPF_MEM, 0), kReturnA}},
      {"a scratch word written on one path only",
       {Op(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), Op(BPF_ST, 0), Op(BPF_LD | BPF_MEM, 0), kReturnA}},
  };
  for (const Refused& one : cases) {
    const Status status = CheckBpf(one.program);
    ASSERT_FALSE(status.has_value()) << one.what;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput) << one.what;
    EXPECT_FALSE(InterpretBpf(one.program, kCall).has_value()) << one.what;
  }
  EXPECT_TRUE(CheckBpf(std::vector<sock_filter>(BPF_MAXINSNS, kReturn7)));
}

}  // namespace
}  // namespace cordon
