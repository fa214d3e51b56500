// The slice of Debian's reference policy beside all of it
// (docs/decisions/0005-slice-of-a-policy.md).

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/file.h"
#include "generator/cil_scanner.h"
#include "generator/policy_slice.h"
#include "generator/selinux_check.h"
#include "generator/selinux_generator.h"
#include "generator/target_compiler.h"
#include "tests/generator/debian_policy.h"
#include "tests/generator/selinux_recordings.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

namespace fs = std::filesystem;

/// Every permission of some classes between `own` and each type of `facts`, in both directions.
std::vector<SelinuxQuestion> AllQuestions(const std::set<std::string>& own,
                                          const PolicyFacts& facts) {
  std::vector<SelinuxQuestion> questions;
  const auto ask = [&](const std::string& source, const std::string& target) {
    for (const char* object_class : {"file", "dir", "process", "capability", "tcp_socket",
                                     "unix_stream_socket", "fd", "filesystem", "system"}) {
      questions.push_back({.source = source,
                           .source_role = "system_r",
                           .target = target,
                           .target_role = "object_r",
                           .object_class = object_class,
                           .permissions = facts.classes.at(object_class)});
    }
  };
  for (const std::string& type : own) {
    for (const std::string& other : facts.types) {
      ask(type, other);
      ask(other, type);
    }
    for (const std::string& other : own) {
      ask(type, other);
    }
  }
  return questions;
}

class SlicedDebian : public testing::DebianPolicyTest {
 protected:
  void SetUp() override {
    DebianPolicyTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
      return;
    }
    slice_ = SlicePolicy(target_.modules);
    ASSERT_TRUE(slice_.has_value());
  }

  /// That both say the same of `recording`'s module.
  void ExpectSameAnswers(const Recording& recording, const std::string& name) const {
    const Expected<GeneratedSelinux> generated =
        GenerateSelinux(recording, {.name = name, .target = folder_});
    ASSERT_TRUE(generated.has_value()) << generated.error().message;
    const CilModule module{.name = name, .text = generated->files.at(name + ".cil")};
    ASSERT_TRUE(slice_->SpeaksFor(module));
    const auto whole = CompileSelinux(target_.modules, module, NeverallowCheck::kOn);
    ASSERT_TRUE(whole.has_value()) << whole.error().message;
    const auto sliced = CompileSelinux(slice_->modules, module, NeverallowCheck::kOn);
    ASSERT_TRUE(sliced.has_value()) << sliced.error().message;
    EXPECT_LT(sliced->policy.size(), whole->policy.size() / 2) << "nothing was left out";
    EXPECT_EQ(sliced->file_contexts, whole->file_contexts);

    const std::vector<SelinuxQuestion> questions =
        AllQuestions({name + "_t", name + "_conf_t"}, target_.facts);
    const auto of_whole = AskSelinux(whole->policy, questions);
    const auto of_slice = AskSelinux(sliced->policy, questions);
    ASSERT_TRUE(of_whole.has_value() && of_slice.has_value());
    std::size_t allowed = 0;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const SelinuxQuestion& question = questions[i];
      ASSERT_EQ((*of_whole)[i].missing, (*of_slice)[i].missing)
          << question.source << " " << question.target << " " << question.object_class;
      ASSERT_EQ((*of_whole)[i].reason, (*of_slice)[i].reason)
          << question.source << " " << question.target << " " << question.object_class;
      allowed += (*of_whole)[i].missing.size() < question.permissions.size() ? 1 : 0;
    }
    EXPECT_GT(allowed, 200U) << "of " << questions.size();
  }

  std::optional<PolicySlice> slice_;
};

TEST_F(SlicedDebian, HasTheSameNamesAndPlaces) {
  CilScanner scanner;
  for (const CilModule& module : slice_->modules) {
    ASSERT_TRUE(scanner.Add(module.text, module.name).has_value());
  }
  const PolicyFacts facts = scanner.Finish();
  EXPECT_EQ(facts.types, target_.facts.types);
  EXPECT_EQ(facts.aliases, target_.facts.aliases);
  EXPECT_EQ(facts.attributes, target_.facts.attributes);
  EXPECT_EQ(facts.roles, target_.facts.roles);
  EXPECT_EQ(facts.classes, target_.facts.classes);
  EXPECT_EQ(facts.ports, target_.facts.ports);
  EXPECT_EQ(facts.filesystem_prefixes, target_.facts.filesystem_prefixes);
  EXPECT_EQ(facts.filesystem_types, target_.facts.filesystem_types);
  EXPECT_EQ(facts.file_patterns, target_.facts.file_patterns);
}

TEST_F(SlicedDebian, AnswersAsTheWholePolicy) {
  ExpectSameAnswers(testing::NginxServer(), "webserver");
}

TEST_F(SlicedDebian, MakesTheSameModuleFromTheCacheAsWithout) {
  const testing::TempDir work;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the test has one thread
  ASSERT_EQ(::setenv("XDG_CACHE_HOME", work.path().c_str(), 1), 0);
  const auto generate = [&](SliceCache cache) {
    return GenerateSelinux(testing::TinyServer(),
                           {.name = "tinyd", .target = folder_, .cache = cache});
  };
  const Expected<GeneratedSelinux> without = generate(SliceCache::kOff);
  ASSERT_TRUE(without.has_value()) << without.error().message;
  EXPECT_FALSE(fs::exists(work / "cordon"));
  const Expected<GeneratedSelinux> cold = generate(SliceCache::kOn);
  ASSERT_TRUE(cold.has_value()) << cold.error().message;
  ASSERT_EQ(std::distance(fs::directory_iterator(work / "cordon"), fs::directory_iterator()), 1);
  const Expected<SelinuxTarget> target = LoadSelinuxTarget(folder_, SliceCache::kOn);
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->slice, slice_);
  EXPECT_EQ(target->module_names, target_.module_names);
  const Expected<GeneratedSelinux> cached = generate(SliceCache::kOn);
  ASSERT_TRUE(cached.has_value()) << cached.error().message;
  for (const Expected<GeneratedSelinux>* other : {&cold, &cached}) {
    EXPECT_EQ((*other)->files, without->files);
    EXPECT_EQ((*other)->proof_json, without->proof_json);
    EXPECT_EQ((*other)->reasons_json, without->reasons_json);
    EXPECT_EQ((*other)->summary, without->summary);
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): as above
  ASSERT_EQ(::unsetenv("XDG_CACHE_HOME"), 0);
}

}  // namespace
}  // namespace cordon
