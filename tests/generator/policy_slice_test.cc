#include "generator/policy_slice.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "generator/cil_scanner.h"
#include "generator/selinux_check.h"
#include "generator/selinux_target.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSymbols =
    "class file read write open ioctl\nclass dir search\nclass process fork transition\n"
    "role object_r\nrole system_r\ntype kernel_t\n"
    "type b0\ntype b1\ntype b2\ntype b3\ntype b4\ntype b5\n"
    "attribute a0\nattribute a1\nattribute a2\nattribute cil_gen_require\n";

/// What is declared everywhere, and what only in some places.
const std::vector<std::string> kTypes{"b0", "b1", "b2", "b3", "b4", "b5", "old"};
const std::vector<std::string> kAttributes{"a0", "a1", "a2"};
const std::vector<std::string> kElsewhere{"o0", "o1", "ghost0", "ghost1"};
const std::vector<std::string> kOwn{"m0", "m1"};

/// Policies and modules for them, at random: the same of the same seed everywhere.
class Author {
 public:
  explicit Author(unsigned seed) : random_(seed) {}

  std::vector<CilModule> Base();
  std::string Module();

 private:
  unsigned Below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  bool Chance(unsigned percent) { return Below(100) < percent; }

  const std::string& One(const std::vector<std::string>& of) {
    return of[Below(static_cast<unsigned>(of.size()))];
  }

  std::string BaseName() { return One(Chance(55) ? kTypes : kAttributes); }

  std::string Vector(const std::string& source, const std::string& target) {
    static const std::vector<std::string> kVectors{"(file (read))", "(file (read open))",
                                                   "(file (write))", "(dir (search))",
                                                   "(process (fork))"};
    static const std::vector<std::string> kKinds{"allow", "allow", "allow", "dontaudit",
                                                 "auditallow"};
    return fmt::format("({} {} {} {})\n", One(kKinds), source, target, One(kVectors));
  }

  std::string BaseRule(const std::vector<std::string>& more);
  std::string Optional(int depth);

  std::mt19937 random_;  // NOLINT(cert-msc51-cpp): the seeds are the test's
  int blocks_ = 0;
};

std::string Author::BaseRule(const std::vector<std::string>& more) {
  const auto name = [&] { return !more.empty() && Chance(30) ? One(more) : BaseName(); };
  switch (Below(9)) {
    case 0:
      return fmt::format("(typetransition {} {} file {})\n", One(kTypes), name(), One(kTypes));
    case 1:
      return fmt::format("(typeattributeset {} ({}))\n", One(kAttributes), One(kTypes));
    case 2:
      return fmt::format("(booleanif (flag) (true {}))\n", Vector(name(), name()));
    case 3:
      return fmt::format("(roletype system_r {})\n", One(kTypes));
    default:
      return Vector(name(), Chance(15) ? "self" : name());
  }
}

std::string Author::Optional(int depth) {
  std::string text = fmt::format("(optional block{}\n", blocks_++);
  std::vector<std::string> more;
  for (unsigned i = Below(3); i > 0; --i) {
    const std::string& name = One(Chance(40) ? kElsewhere : kTypes);
    more.push_back(name);
    text += fmt::format("(typeattributeset cil_gen_require {})\n", name);
  }
  for (unsigned i = Below(4); i > 0; --i) {
    text += BaseRule(more);
  }
  if (depth > 0 && Chance(50)) {
    text += Optional(depth - 1);
  }
  return text + ")\n";
}

std::vector<CilModule> Author::Base() {
  std::vector<CilModule> modules = TargetFromTables("names", kSymbols, "port tcp 80 b0\n")->modules;
  std::string sets =
      "(typealias old)(typealiasactual old b0)(boolean flag false)\n"
      "(typeattribute mixed)(typeattributeset mixed (and a0 (not a1)))\n"
      "(typeattribute outside)(typeattributeset outside (not a2))\n"
      "(constrain (file (open)) (or (eq t1 a0) (eq t2 a1)))\n"
      "(neverallow mixed outside (file (write)))\n"
      "(filecon \"/a(/.*)?\" any (system_u object_r b1 ((s0) (s0))))\n";
  for (unsigned i = Below(4); i > 0; --i) {
    sets += fmt::format("(typeattributeset {} ({}))\n", One(kAttributes), One(kTypes));
  }
  modules.push_back({"sets", sets});
  for (const char* name : {"one", "two"}) {
    std::string text;
    for (unsigned i = Below(8); i > 0; --i) {
      text += BaseRule({});
    }
    for (unsigned i = Below(4); i > 0; --i) {
      text += Optional(2);
    }
    modules.push_back({name, text});
  }
  // A type that is declared only where another name is.
  modules.push_back(
      {"late", fmt::format("(optional late (typeattributeset cil_gen_require {})(type o0)\n"
                           "(typeattributeset a1 (o0)))\n",
                           One({"b1", "ghost0"}))});
  return modules;
}

std::string Author::Module() {
  std::string text;
  for (const std::string& type : kOwn) {
    text += fmt::format("(type {0})\n(roletype object_r {0})(roletype system_r {0})\n", type);
    for (unsigned i = Below(3); i > 0; --i) {
      text += fmt::format("(typeattributeset {} ({}))\n", One(kAttributes), type);
    }
  }
  text += "(typeattribute own)(typeattributeset own (b2 m0))\n(allow own m1 (file (read)))\n";
  for (unsigned i = Below(6); i > 0; --i) {
    text += Chance(50) ? Vector(One(kOwn), BaseName()) : Vector(BaseName(), One(kOwn));
  }
  const std::vector<std::string> fair{
      "(typetransition m0 b1 file m1)\n",
      "(typetransition b3 m0 file \"x\" m1)\n",
      "(filecon \"/a/m\" file (system_u object_r m1 ((s0) (s0))))\n",
      "(portcon tcp 8080 (system_u object_r m1 ((s0) (s0))))\n",
      "(typepermissive m0)\n",
      "(allowx m0 b2 (ioctl file (0x5401)))\n",
      "(allow own b4 (file (read)))\n"};
  const std::vector<std::string> foul{
      "(allow m0 nowhere (file (read)))\n",
      "(allow m0 o0 (file (read)))\n",
      "(allow m0 b1 (file (brew)))\n",
      "(allow own b4 (file (write)))\n",
      "(type b4)\n",
      "(type a1)\n",
      "(type o0)\n",
      "(type ghost0)\n",
      "(type ghost1)(typeattributeset a0 (ghost1))\n",
      "(typeattributeset a0 (b5))\n",
      "(typeattributeset a1 (not m0))\n",
      "(typeattributeset cil_gen_require ghost0)\n",
      "(filecon \"/a(/.*)?\" any (system_u object_r m1 ((s0) (s0))))\n",
      "(portcon tcp 80 (system_u object_r m1 ((s0) (s0))))\n",
      "(typetransition m0 b1 file b4)\n(typetransition m0 b1 file b5)\n",
      "(typetransition b1 b1 file b5)\n",
      "(typebounds b0 m0)\n",
      "(neverallow m0 b0 (file (read)))\n",
      "(filecon \"/m\" any (nobody object_r m1 ((s0) (s0))))\n",
      "(roletype nobody_r m0)\n",
      "(block m2 (type t))\n"};
  for (unsigned i = Below(3); i > 0; --i) {
    text += One(fair);
  }
  return Chance(50) ? text + One(foul) : text;
}

std::vector<SelinuxQuestion> QuestionsAbout(const std::string& source, const std::string& target) {
  std::vector<SelinuxQuestion> questions;
  const std::vector<std::pair<std::string, std::set<std::string>>> classes{
      {"file", {"read", "write", "open", "ioctl"}},
      {"dir", {"search"}},
      {"process", {"fork", "transition"}}};
  questions.reserve(classes.size());
  for (const auto& [object_class, permissions] : classes) {
    questions.push_back({.source = source,
                         .source_role = "system_r",
                         .target = target,
                         .target_role = "object_r",
                         .object_class = object_class,
                         .permissions = permissions});
  }
  return questions;
}

/// Answers in words: about the types of the module, and about those of the policy alone.
struct Answers {
  std::vector<std::string> own;
  std::vector<std::string> others;
};

Answers AnswersOf(const std::string& policy) {
  std::vector<SelinuxQuestion> questions;
  const std::vector<std::string> names{"b0", "b1", "b2", "b3", "b4", "b5", "o0", "m0", "m1"};
  for (const std::string& source : names) {
    for (const std::string& target : names) {
      for (SelinuxQuestion& question : QuestionsAbout(source, target)) {
        questions.push_back(std::move(question));
      }
    }
  }
  const Expected<std::vector<SelinuxAnswer>> answers = AskSelinux(policy, questions);
  EXPECT_TRUE(answers.has_value());
  Answers words;
  words.own.reserve(questions.size());
  words.others.reserve(questions.size());
  for (std::size_t i = 0; answers && i < questions.size(); ++i) {
    const bool own = questions[i].source.starts_with('m') || questions[i].target.starts_with('m');
    (own ? words.own : words.others)
        .push_back(fmt::format("{} {} {}: {} ({})", questions[i].source, questions[i].target,
                               questions[i].object_class, fmt::join((*answers)[i].missing, " "),
                               (*answers)[i].reason));
  }
  return words;
}

/// A slice is only kept of a policy that compiles by itself.
bool Compiles(const std::vector<CilModule>& base) {
  return CompileSelinux(base, {"nothing", ";\n"}, NeverallowCheck::kOn).has_value();
}

TEST(PolicySlice, DecidesAndAnswersAsTheWholePolicy) {
  int compiled = 0;
  int refused = 0;
  int thinner = 0;
  int left_to_the_whole = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    Author author(seed);
    const std::vector<CilModule> base = author.Base();
    const CilModule ours{.name = "ours", .text = author.Module()};
    const std::optional<PolicySlice> slice = SlicePolicy(base);
    ASSERT_TRUE(slice.has_value());
    if (!slice->SpeaksFor(ours)) {
      ++left_to_the_whole;
      continue;
    }
    const auto whole = CompileSelinux(base, ours, NeverallowCheck::kOn);
    const auto sliced = CompileSelinux(slice->modules, ours, NeverallowCheck::kOn);
    const std::string what = fmt::format("seed {}\n{}", seed, ours.text);
    if (!whole) {
      const bool counts = Compiles(base);
      ASSERT_TRUE(!counts || !sliced) << what << whole.error().message;
      refused += counts ? 1 : 0;
      continue;
    }
    ASSERT_TRUE(sliced.has_value()) << what << sliced.error().message;
    ++compiled;
    EXPECT_EQ(whole->file_contexts, sliced->file_contexts) << what;
    const Answers of_whole = AnswersOf(whole->policy);
    const Answers of_slice = AnswersOf(sliced->policy);
    ASSERT_EQ(of_whole.own, of_slice.own) << what;
    thinner += of_whole.others != of_slice.others ? 1 : 0;
  }
  // The comparison says something only if all of these happened.
  EXPECT_GT(compiled, 60);
  EXPECT_GT(refused, 15);
  EXPECT_GT(thinner, 20);
  EXPECT_GT(left_to_the_whole, 30);
}

std::vector<CilModule> WithText(const std::string& text) {
  std::vector<CilModule> modules = TargetFromTables("names", kSymbols, "")->modules;
  modules.push_back({"more", text});
  return modules;
}

TEST(PolicySlice, LeavesOutWhatConcernsOnlyThePolicysOwnTypes) {
  const std::optional<PolicySlice> slice = SlicePolicy(WithText(
      "(allow b0 b1 (file (read)))(allow b0 self (process (fork)))(allow b2 a0 (file (read)))\n"
      "(optional on (typeattributeset cil_gen_require b3)(allow b3 b4 (dir (search))))\n"
      "(optional off (typeattributeset cil_gen_require ghost)(type late)(allow b3 a1 (file "
      "(read))))\n"
      "(boolean flag true)(booleanif flag (true (allow b4 b5 (file (write)))))\n"));
  ASSERT_TRUE(slice.has_value());
  const std::string& text = slice->modules.back().text;
  EXPECT_EQ(text,
            "(allow b2 a0 (file (read)))\n"
            "(optional off (typeattributeset cil_gen_require ghost)\n(type late)\n)\n"
            "(boolean flag true)\n");
  EXPECT_THAT(slice->absent, HasSubstr("ghost"));
}

TEST(PolicySlice, KeepsWhatMayTurnOffTheBlockAroundIt) {
  for (const char* rule :
       {"(allow b0 o0 (file (read)))", "(allow b0 b1 (file (brew)))", "(allow b0 b1 (pot (read)))",
        "(typetransition b0 b1 file o0)", "(booleanif flag (true (allow b0 b1 (file (read)))))",
        "(allow b0 b1 named)", "(dontaudit b0 ghost (file (read)))"}) {
    const std::string block = fmt::format("(optional o {}(allow b2 a0 (file (read))))", rule);
    const std::optional<PolicySlice> slice =
        SlicePolicy(WithText("(optional p (type o0))" + block));
    ASSERT_TRUE(slice.has_value()) << rule;
    EXPECT_THAT(slice->modules.back().text, HasSubstr(rule));
  }
}

TEST(PolicySlice, IsNotMadeOfWhatItDoesNotUnderstand) {
  for (const char* text : {"(typebounds b0 b1)", "(block x (type t))", "(macro m ((type t)))",
                           "(optional o (in x (type t)))", "(teapot)", "word", "(allow b0 b1",
                           "(deny b0 b1 (file (read)))", "(booleanif flag (maybe))"}) {
    EXPECT_FALSE(SlicePolicy(WithText(text)).has_value()) << text;
  }
  EXPECT_TRUE(SlicePolicy(WithText("(allow b0 b1 (file (read)))")).has_value());
}

TEST(PolicySlice, SpeaksOnlyForModulesOfNewTypes) {
  const std::optional<PolicySlice> slice = SlicePolicy(
      WithText("(optional off (typeattributeset cil_gen_require ghost)(allow ghost b1 (file "
               "(read))))"));
  ASSERT_TRUE(slice.has_value());
  const std::string own = "(type m0)(roletype system_r m0)(typeattributeset a0 (m0))";
  EXPECT_TRUE(slice->SpeaksFor({"ours", own}));
  for (const char* more :
       {"(type b0)", "(type ghost)", "(typeattribute a0)", "(typeattributeset a0 (b1))",
        "(typeattributeset a0 (not m0))", "(typeattributeset a0 m0)", "(roletype system_r b0)",
        "(typetransition b0 b1 file b2)", "(allowx b0 b1 (ioctl file (1)))", "(typepermissive b0)",
        "(typebounds b0 m0)", "(optional o (type m1))", "(neverallow m0 b0 (file (read)))",
        "(allow (m0) b0 (file (read)))", "(broken", "(typealias old)", "(user m)"}) {
    EXPECT_FALSE(slice->SpeaksFor({"ours", own + more})) << more;
  }
}

TEST(PolicySlice, ReadsBackWhatItWrote) {
  const PolicySlice slice{.modules = {{"a b", "(type t)\n"}, {"empty", ""}}, .absent = "x y"};
  const std::string bytes = WriteSlice(slice);
  EXPECT_EQ(ReadSlice(bytes), slice);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(ReadSlice(bytes.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(ReadSlice(bytes + "x"), std::nullopt);
  EXPECT_EQ(ReadSlice("9999999999999999999 1\n"), std::nullopt);
  EXPECT_THAT(ReadSlice("18446744073709551615 0\n\n"), Not(slice));
}

}  // namespace
}  // namespace cordon
