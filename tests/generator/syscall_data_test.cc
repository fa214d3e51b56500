#include "generator/syscall_data.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "generator/argument_rules.h"
#include "model/seccomp_compiler.h"
#include "model/syscall.h"

namespace cordon {
namespace {

/// How often each name is in a class.
std::map<std::string, int> Classified(const SyscallClasses& classes) {
  std::map<std::string, int> times;
  for (const auto* groups : {&classes.refused, &classes.absent}) {
    for (const ReasonedNames& group : *groups) {
      EXPECT_FALSE(group.reason.empty());
      for (const std::string& name : group.names) {
        ++times[name];
      }
    }
  }
  return times;
}

TEST(SyscallClasses, HoldEveryNameOfTheTableExactlyOnce) {
  const Expected<SyscallClasses> classes = LoadSyscallClasses();
  ASSERT_TRUE(classes.has_value()) << classes.error().message;
  const std::map<std::string, int> times = Classified(*classes);
  for (const auto& [name, count] : times) {
    EXPECT_EQ(count, 1) << name;
  }
  std::set<std::string_view> table;
  for (std::size_t i = 0; i < kArchitectureCount; ++i) {
    for (const auto& [number, name] : SyscallsOf(static_cast<Architecture>(i))) {
      table.insert(name);
      EXPECT_TRUE(times.contains(std::string(name))) << name << " is in no class";
    }
  }
  EXPECT_GT(table.size(), 450U);
}

TEST(SyscallClasses, NoRefusedCallIsUnknownToLibseccomp) {
  // A refusal that a runtime cannot name would fall to its default action.
  const Expected<SyscallClasses> classes = LoadSyscallClasses();
  ASSERT_TRUE(classes.has_value()) << classes.error().message;
  for (const ReasonedNames& group : classes->refused) {
    for (const std::string& name : group.names) {
      EXPECT_TRUE(LibseccompKnows(name)) << name;
    }
  }
}

TEST(BaseSets, HaveWhatNoProgramStartsWithout) {
  const Expected<BaseSets> sets = LoadBaseSets();
  ASSERT_TRUE(sets.has_value()) << sets.error().message;
  std::set<std::string> always;
  for (const ReasonedNames& group : sets->always) {
    always.insert(group.names.begin(), group.names.end());
  }
  for (const char* name : {"execve", "exit", "exit_group", "rt_sigreturn", "restart_syscall",
                           "clock_gettime", "gettimeofday", "time", "getcpu", "clock_getres"}) {
    EXPECT_TRUE(always.contains(name)) << name;
  }
  for (const char* runtime : {"runc", "crun", "cordon"}) {
    EXPECT_TRUE(sets->runtimes.contains(runtime)) << runtime;
  }
  std::size_t cordons = 0;
  for (const RuntimeCalls& group : sets->runtimes.at("cordon")) {
    cordons += group.no_new_privileges == NoNewPrivileges::kOff ? 0 : group.names.size();
  }
  EXPECT_EQ(cordons, 2U);
}

TEST(BaseSets, CoverTheReleasesThatTheyNameWithoutAGap) {
  const Expected<BaseSets> sets = LoadBaseSets();
  ASSERT_TRUE(sets.has_value()) << sets.error().message;
  const std::map<std::string, std::vector<std::string>> releases = {
      {"runc", {"1.1", "1.2", "1.3", "1.4"}}, {"crun", {"1.8", "1.16", "1.29"}}};
  for (const auto& [runtime, versions] : releases) {
    for (const std::string& text : versions) {
      const RuntimeVersion version = ParseRuntimeVersion(text).value_or(RuntimeVersion{});
      std::set<NoNewPrivileges> modes;
      for (const RuntimeCalls& calls : sets->runtimes.at(runtime)) {
        if (calls.first <= version && version <= calls.last) {
          modes.insert(calls.no_new_privileges);
        }
      }
      EXPECT_TRUE(modes.contains(NoNewPrivileges::kOn)) << runtime << " " << text;
      EXPECT_TRUE(modes.contains(NoNewPrivileges::kOff)) << runtime << " " << text;
    }
  }
}

TEST(ParseRuntimeVersion, TakesWhatRuntimesSayOfThemselves) {
  EXPECT_EQ(ParseRuntimeVersion("1.1.5+ds1"), (RuntimeVersion{1, 1}));
  EXPECT_EQ(ParseRuntimeVersion("1.16"), (RuntimeVersion{1, 16}));
  EXPECT_EQ(ParseRuntimeVersion("2"), (RuntimeVersion{2, 0}));
  EXPECT_LT((RuntimeVersion{1, 8}), (RuntimeVersion{1, 16}));
  EXPECT_FALSE(ParseRuntimeVersion("latest").has_value());
  EXPECT_FALSE(ParseRuntimeVersion("").has_value());
  EXPECT_FALSE(ParseRuntimeVersion("1.x").has_value());
}

TEST(ReadBaseSet, SaysWhereTheMistakeIs) {
  const auto read = [](std::string_view text) { return ReadBaseSet(text, "set.json"); };
  EXPECT_TRUE(read(R"({"base_set_version":1,"groups":[{"reason":"r","versions":"1.1",
      "no_new_privileges":"on","names":["close"]}]})"));
  for (const auto& [text, place] : std::map<std::string, std::string>{
           {R"({"base_set_version":2,"groups":[]})", "/base_set_version"},
           {R"({"base_set_version":1,"groups":[{"reason":"r","versions":"1.4-1.1",
               "no_new_privileges":"on","names":[]}]})",
            "/groups/0/versions"},
           {R"({"base_set_version":1,"groups":[{"reason":"r","versions":"1.1",
               "no_new_privileges":"maybe","names":[]}]})",
            "/groups/0/no_new_privileges"},
           {R"({"base_set_version":1,"groups":[{"reason":"r","versions":"1.1",
               "no_new_privileges":"on","names":["no_call"]}]})",
            "/groups/0/names"}}) {
    const auto result = read(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidInput);
    EXPECT_NE(result.error().message.find(place), std::string::npos) << result.error().message;
  }
}

TEST(SyscallFamilies, AreDisjointAndNeverBringWhatAFilterCannotSee) {
  const Expected<SyscallFamilies> families = LoadSyscallFamilies();
  ASSERT_TRUE(families.has_value()) << families.error().message;
  std::set<std::string> seen;
  for (const auto& [family, names] : *families) {
    EXPECT_GT(names.size(), 1U) << family;
    for (const std::string& name : names) {
      EXPECT_TRUE(seen.insert(name).second) << name;
    }
  }
  EXPECT_FALSE(seen.contains("clone3"));
  EXPECT_FALSE(seen.contains("socketcall"));
}

TEST(SyscallCompanions, SayWhoMakesThemAndLimitOnlyWhatIsWatched) {
  const Expected<std::vector<SyscallCompanions>> companions = LoadSyscallCompanions();
  ASSERT_TRUE(companions.has_value()) << companions.error().message;
  EXPECT_GT(companions->size(), 4U);
  for (const SyscallCompanions& group : *companions) {
    EXPECT_FALSE(group.with.empty());
    EXPECT_FALSE(group.reason.empty());
    for (const std::string& name : group.names) {
      // What a filter cannot see comes by observation alone.
      EXPECT_NE(name, "clone3");
      EXPECT_NE(name, "socketcall");
      if (!group.values.empty()) {
        const std::optional<WatchedCall> watched = WatchOn(name, std::array{Architecture::kX86_64});
        ASSERT_TRUE(watched.has_value()) << name;
        EXPECT_EQ(watched->arguments.size(), 1U) << name;
      }
    }
  }
}

}  // namespace
}  // namespace cordon
