// MODULE.te with MODULE.fc and MODULE.cil have to say the same: both are compiled with the same
// target, and the resulting policies compared rule by rule.

#include "generator/module_package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <string>

#include "common/child_process.h"
#include "common/file.h"
#include "common/text.h"
#include "generator/selinux_check.h"
#include "generator/selinux_generator.h"
#include "generator/selinux_target.h"
#include "tests/generator/selinux_recordings.h"
#include "tests/testing/skip.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kShipped = "refpolicy-debian12";
constexpr const char* kConverter = "/usr/libexec/selinux/hll/pp";

struct Forms {
  std::set<std::string> only_cil;      ///< statements of the compiled policy that one form has
  std::set<std::string> only_package;  ///< and the other has not
  std::string cil_contexts;
  std::string package_contexts;
};

/// The statements of `compiled`, but those about the attribute that converted packages put what
/// they require into.
std::set<std::string> Statements(const CompiledSelinux& compiled) {
  const Expected<std::string> cil = PolicyAsCil(compiled.policy);
  EXPECT_TRUE(cil.has_value());
  std::set<std::string> statements;
  for (std::string& line : Split(*cil, '\n')) {
    if (!line.contains("cil_gen_require")) {
      statements.insert(std::move(line));
    }
  }
  return statements;
}

std::set<std::string> Minus(const std::set<std::string>& one, const std::set<std::string>& other) {
  std::set<std::string> rest;
  std::ranges::set_difference(one, other, std::inserter(rest, rest.end()));
  return rest;
}

/// Both forms of `generated`, compiled with the shipped target.
Forms Compare(const GeneratedSelinux& generated) {
  const std::string& name = generated.module_name;
  const testing::TempDir work;
  EXPECT_TRUE(WriteFileAtomically(work / "m.pp", generated.files.at(name + ".pp")).has_value());
  const Expected<ProgramOutput> converted =
      RunProgram({kConverter, work / "m.pp"}, std::chrono::minutes(1));
  EXPECT_TRUE(converted.has_value() && converted->exit_code == 0);
  const Expected<SelinuxTarget> target = LoadSelinuxTarget(kShipped);
  EXPECT_TRUE(target.has_value());
  const std::string required = "(typeattribute cil_gen_require)(roleattribute cil_gen_require)";
  const auto compile = [&](const std::string& text) {
    Expected<CompiledSelinux> compiled =
        CompileSelinux(target->modules, {name, required + text}, NeverallowCheck::kOff);
    EXPECT_TRUE(compiled.has_value()) << compiled.error().message;
    return compiled.value_or(CompiledSelinux{});
  };
  const CompiledSelinux cil = compile(generated.files.at(name + ".cil"));
  const CompiledSelinux package = compile(converted->standard_output);
  return {.only_cil = Minus(Statements(cil), Statements(package)),
          .only_package = Minus(Statements(package), Statements(cil)),
          .cil_contexts = cil.file_contexts,
          .package_contexts = package.file_contexts};
}

class BothForms : public ::testing::TestWithParam<DomainMode> {
 protected:
  void SetUp() override {
    const Expected<std::optional<std::string>> package =
        BuildModulePackage("empty", "module empty 1.0;\nrequire { type x_t; }\n", "");
    ASSERT_TRUE(package.has_value()) << package.error().message;
    if (!package->has_value() || !ReadFile(kConverter, std::size_t{1} << 30).has_value()) {
      SKIP_BECAUSE("checkmodule, semodule_package or hll/pp is not installed");
    }
  }

  static GeneratedSelinux Generated(const Recording& recording, const std::string& name) {
    Expected<GeneratedSelinux> generated =
        GenerateSelinux(recording, {.name = name, .target = kShipped, .mode = GetParam()});
    EXPECT_TRUE(generated.has_value()) << generated.error().message;
    return generated.value_or(GeneratedSelinux{});
  }
};

TEST_P(BothForms, OfASmallServerDifferOnlyInThePortThatAPackageCannotLabel) {
  const Forms forms = Compare(Generated(testing::TinyServer(), "tinyd"));
  EXPECT_THAT(forms.only_package, IsEmpty());
  EXPECT_EQ(forms.only_cil.size(), 1U);
  EXPECT_THAT(forms.only_cil, Each(StartsWith("(portcon tcp 7777 ")));
  EXPECT_EQ(forms.cil_contexts, forms.package_contexts);
  EXPECT_THAT(forms.cil_contexts, HasSubstr("tinyd_conf_t"));
}

TEST_P(BothForms, OfNginxAreTheSame) {
  const Forms forms = Compare(Generated(testing::NginxServer(), "nginx"));
  EXPECT_THAT(forms.only_package, IsEmpty());
  EXPECT_THAT(forms.only_cil, IsEmpty());
  EXPECT_EQ(forms.cil_contexts, forms.package_contexts);
}

TEST_P(BothForms, OfRedisAreTheSame) {
  const Forms forms = Compare(Generated(testing::RedisServer(), "redis"));
  EXPECT_THAT(forms.only_package, IsEmpty());
  EXPECT_THAT(forms.only_cil, IsEmpty());
  EXPECT_EQ(forms.cil_contexts, forms.package_contexts);
}

/// The control: the comparison sees one permission that is in one form only.
TEST_P(BothForms, DifferWhereOneHasARuleMore) {
  GeneratedSelinux generated = Generated(testing::NginxServer(), "nginx");
  generated.files["nginx.cil"] += "(allow nginx_t shadow_t (file (read)))\n";
  const Forms forms = Compare(generated);
  EXPECT_EQ(forms.only_cil.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Modes, BothForms,
                         ::testing::Values(DomainMode::kEnforcing, DomainMode::kPermissive),
                         [](const auto& parameter) {
                           return parameter.param == DomainMode::kPermissive ? "permissive"
                                                                             : "enforcing";
                         });

TEST(GenerateSelinux, MakesAPermissiveDomainOnRequest) {
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(testing::TinyServer(),
                      {.name = "tinyd", .target = kShipped, .mode = DomainMode::kPermissive});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  EXPECT_THAT(generated->files.at("tinyd.cil"), HasSubstr("(typepermissive tinyd_t)"));
  EXPECT_THAT(generated->files.at("tinyd.te"), HasSubstr("permissive tinyd_t;"));
  EXPECT_THAT(generated->proof_json, HasSubstr("\"mode\": \"permissive\""));
  EXPECT_THAT(generated->summary, ::testing::Contains(HasSubstr("generate without --permissive")));
}

TEST(GenerateSelinux, SaysHowToLoadTheModule) {
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(testing::TinyServer(), {.name = "tinyd", .target = kShipped});
  ASSERT_TRUE(generated.has_value()) << generated.error().message;
  EXPECT_THAT(generated->summary,
              ::testing::Contains(HasSubstr("semodule -i tinyd.cil && restorecon -RFv ")));
  EXPECT_THAT(generated->summary, ::testing::Contains(HasSubstr(" /var/lib/tinyd")));
}

}  // namespace
}  // namespace cordon
