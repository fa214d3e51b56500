#include "generator/cil_scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PolicyFacts Facts(std::string_view text) {
  CilScanner scanner;
  const Status added = scanner.Add(text, "test.cil");
  EXPECT_TRUE(added.has_value()) << added.error().message;
  return scanner.Finish();
}

TEST(CilScanner, CollectsNamesAlsoInsideOptionalBlocks) {
  const PolicyFacts facts = Facts(
      "; a comment (type no_t)\n(type one_t)(typeattribute domain)(role system_r)\n"
      "(optional o (type two_t) (allow one_t two_t (file (read))))"
      "(booleanif (b) (true (type three_t)))(typealias old_t)(typealiasactual old_t one_t)");
  EXPECT_THAT(facts.types, ElementsAre("one_t", "three_t", "two_t"));
  EXPECT_THAT(facts.attributes, ElementsAre("domain"));
  EXPECT_THAT(facts.roles, ElementsAre("system_r"));
  EXPECT_EQ(facts.aliases.at("old_t"), "one_t");
}

TEST(CilScanner, FoldsCommonsIntoClasses) {
  const PolicyFacts facts =
      Facts("(class file (entrypoint))(classcommon file base)(common base (read write))");
  EXPECT_TRUE(facts.HasPermission("file", "read"));
  EXPECT_TRUE(facts.HasPermission("file", "entrypoint"));
  EXPECT_FALSE(facts.HasPermission("file", "search"));
  EXPECT_FALSE(facts.HasPermission("dir", "read"));
}

TEST(CilScanner, ReadsWhereLabelsGo) {
  const PolicyFacts facts = Facts(
      "(portcon tcp 80 (u r http_t ((s0) (s0))))(portcon udp (1 511) (u r low_t ((s0) (s0))))"
      "(genfscon proc \"/net\" (u r net_t ((s0) (s0))))(genfscon selinuxfs \"/b/\" file (u r "
      "bool_t ((s0) (s0))))"
      "(fsuse trans tmpfs (u r tmpfs_t ((s0) (s0))))"
      "(filecon \"/a(/.*)?\" any (u r a_t ((s0) (s0))))(filecon \"/b; c\" symlink ())");
  EXPECT_THAT(facts.ports,
              ElementsAre(PortRange{"tcp", 80, 80, "http_t"}, PortRange{"udp", 1, 511, "low_t"}));
  EXPECT_THAT(facts.filesystem_prefixes,
              ElementsAre(FilesystemPrefix{"proc", "/net", "net_t"},
                          FilesystemPrefix{"selinuxfs", "/b/", "bool_t"}));
  EXPECT_EQ(facts.filesystem_types.at("tmpfs"), "tmpfs_t");
  EXPECT_THAT(facts.file_patterns, ElementsAre(FilePattern{"/a(/.*)?", std::nullopt, "a_t"},
                                               FilePattern{"/b; c", FileClass::kSymlink, ""}));
}

TEST(CilScanner, NamesThePlaceOfAMistake) {
  for (const char* text :
       {"(type a_t", "(allow (", "(type a_t))", "(filecon \"/x", "(optional o (type b_t)"}) {
    CilScanner scanner;
    const Status added = scanner.Add(text, "broken.cil");
    ASSERT_FALSE(added.has_value()) << text;
    EXPECT_EQ(added.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(added.error().message, HasSubstr("broken.cil: byte "));
  }
}

}  // namespace
}  // namespace cordon
