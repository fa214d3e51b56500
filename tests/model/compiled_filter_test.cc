#include "model/compiled_filter.h"

#include <gtest/gtest.h>
#include <linux/seccomp.h>

#include <string>

#include "model/seccomp_compiler.h"

namespace cordon {
namespace {

constexpr std::string_view kPolicy = "{}\n";

CompiledFilter SmallFilter() {
  return MakeCompiledFilter(
      kPolicy, {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 4}, {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}});
}

TEST(Sha256, GivesTheDigestsOfTheStandard) {
  // FIPS 180-4 examples
  EXPECT_EQ(ToHex(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(CompiledFilter, RoundTrips) {
  const CompiledFilter filter = SmallFilter();
  const Expected<CompiledFilter> again = ReadCompiledFilter(WriteCompiledFilter(filter), "f");
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->architecture, NativeArchitecture());
  EXPECT_EQ(again->compiler_version, SeccompCompilerVersion());
  EXPECT_EQ(again->policy_digest, Sha256(kPolicy));
  ASSERT_EQ(again->program.size(), 2U);
  EXPECT_EQ(again->program[1].k, SECCOMP_RET_ALLOW);
  EXPECT_EQ(WhyStale(*again, kPolicy), "");
}

TEST(CompiledFilter, SaysWhatMakesItStale) {
  CompiledFilter filter = SmallFilter();
  EXPECT_NE(WhyStale(filter, "{ }\n").find("policy"), std::string::npos);
  filter.compiler_version = "libseccomp 1.0.0";
  EXPECT_NE(WhyStale(filter, kPolicy).find("libseccomp 1.0.0"), std::string::npos);
  filter.architecture =
      NativeArchitecture() == Architecture::kArm ? Architecture::kX86 : Architecture::kArm;
  EXPECT_NE(WhyStale(filter, kPolicy).find("compiled on"), std::string::npos);
}

TEST(CompiledFilter, RefusesEveryTruncationAndWhatTheKernelWouldNotLoad) {
  const std::string good = WriteCompiledFilter(SmallFilter());
  for (std::size_t length = 0; length < good.size(); ++length) {
    const Expected<CompiledFilter> cut = ReadCompiledFilter(good.substr(0, length), "f.bpf");
    ASSERT_FALSE(cut.has_value()) << length;
    EXPECT_EQ(cut.error().code, ErrorCode::kInvalidInput);
    EXPECT_NE(cut.error().message.find("f.bpf"), std::string::npos);
  }
  EXPECT_FALSE(ReadCompiledFilter(good + "x", "f").has_value());
  std::string other_version = good;
  other_version[8] = 2;
  EXPECT_FALSE(ReadCompiledFilter(other_version, "f").has_value());
  CompiledFilter bad = SmallFilter();
  bad.program.pop_back();
  EXPECT_FALSE(ReadCompiledFilter(WriteCompiledFilter(bad), "f").has_value());
}

}  // namespace
}  // namespace cordon
