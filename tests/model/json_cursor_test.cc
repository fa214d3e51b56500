#include "model/json_cursor.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

TEST(JsonCursorTest, ASyntaxErrorNamesLineAndColumn) {
  const auto broken = JsonCursor::Parse("{\n  \"a\": oops\n}", "f.json");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::kInvalidInput);
  EXPECT_NE(broken.error().message.find("f.json: not valid JSON at line 2"), std::string::npos)
      << broken.error().message;
}

TEST(JsonCursorTest, ATruncatedDocumentSaysSo) {
  EXPECT_NE(JsonCursor::Parse("{\"a\": [1, 2", "f").error().message.find("ends too early"),
            std::string::npos);
  EXPECT_NE(JsonCursor::Parse("", "f").error().message.find("ends too early"), std::string::npos);
}

TEST(JsonCursorTest, RefusesHostileDepth) {
  const std::string deep(100000, '[');
  EXPECT_NE(JsonCursor::Parse(deep, "f").error().message.find("nested deeper"), std::string::npos);
}

TEST(JsonCursorTest, LeavesOutOneMemberAndNothingElse) {
  const std::string_view rest =
      R"({"linux": {"seccomp": null, "after": {"seccomp": 4}}, "other": {"seccomp": [1]}, "seccomp": 2,)"
      R"( "list": [{"seccomp": 3}]})";
  for (const std::string_view value :
       {R"({"a": [1, {"b": null}], "linux": {"seccomp": 1}})", "[[], {}, [1.5, -1, 7]]", R"("x")",
        "true", "1.5", "null", "-1", "7", "{}"}) {
    std::string text(rest);
    text.replace(text.find("null"), 4, value);
    const auto whole = JsonCursor::Parse(text, "f");
    const auto without = JsonCursor::Parse(text, "f", {"linux", "seccomp"});
    ASSERT_TRUE(without) << text;
    EXPECT_EQ(*without, nlohmann::json::parse(rest)) << text;
    EXPECT_EQ(whole->at("linux").at("seccomp"), nlohmann::json::parse(value));
  }
  EXPECT_FALSE(JsonCursor::Parse(R"({"linux": {"seccomp": {]}})", "f", {"linux", "seccomp"}));
  EXPECT_FALSE(JsonCursor::Parse(R"({"linux": {"seccomp": )" + std::string(1000, '[') + "}}", "f",
                                 {"linux", "seccomp"}));
}

TEST(JsonCursorTest, AMistakeNamesThePointer) {
  const auto document = JsonCursor::Parse(R"({"list": [{"a/b~c": "x"}]})", "f");
  ASSERT_TRUE(document);
  const JsonCursor root(*document, "f");
  const auto elements = root.At("list")->Elements();
  ASSERT_TRUE(elements);
  EXPECT_EQ(elements->front().At("a/b~c")->Unsigned().error().message,
            "f: /list/0/a~1b~0c: expected an integer from 0 to 18446744073709551615");
  EXPECT_EQ(elements->front().At("missing").error().message, "f: /list/0: \"missing\" is missing");
  EXPECT_EQ(root.OnlyMembers({"other"}).error().message, "f: /list: is not understood");
}

TEST(JsonCursorTest, IntegersKeepTheirRange) {
  const auto document = JsonCursor::Parse("[18446744073709551615, -1, 1.5, 70000]", "f");
  ASSERT_TRUE(document);
  const auto elements = JsonCursor(*document, "f").Elements();
  EXPECT_EQ((*elements)[0].Unsigned().value(), 18446744073709551615U);
  EXPECT_FALSE((*elements)[0].Integer(0, std::numeric_limits<std::int64_t>::max()));
  EXPECT_FALSE((*elements)[1].Unsigned());
  EXPECT_EQ((*elements)[1].Integer(-1, 5).value(), -1);
  EXPECT_FALSE((*elements)[2].Unsigned());
  EXPECT_FALSE((*elements)[3].Unsigned(65535));
}

}  // namespace
}  // namespace cordon
