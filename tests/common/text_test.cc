#include "common/text.h"

#include <gtest/gtest.h>

#include "common/printable.h"

namespace cordon {
namespace {

TEST(TextTest, ParseUnsignedTakesAllOrNothing) {
  EXPECT_EQ(ParseUnsigned("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(ParseUnsigned("0x10"), 16U);
  for (const char* bad : {"", "0x", "-1", "1 ", "18446744073709551616", "12a"}) {
    EXPECT_EQ(ParseUnsigned(bad), std::nullopt) << bad;
  }
}

TEST(TextTest, QuoteIsSafeOnATerminal) {
  EXPECT_EQ(Quote("plain"), "'plain'");
  EXPECT_EQ(Quote("a'b\\"), "'a\\x27b\\x5c'");
  EXPECT_EQ(Quote("\x1b[31m\n"), "'\\x1b[31m\\x0a'");
  EXPECT_EQ(Quote("\xc2\x9b"), "'\\xc2\\x9b'");  // U+009B, a control sequence introducer
  EXPECT_EQ(Quote("\xff"), "'\\xff'");
  EXPECT_EQ(Quote("ü"), "'ü'");
  EXPECT_EQ(Quote("abcdef", 3), "'abc…'");
}

TEST(TextTest, PrintableEscapesWhatActsOnATerminal) {
  EXPECT_EQ(Printable("it's a\\b ü€😀"), "it's a\\b ü€😀");
  EXPECT_EQ(Printable("\x1b]0;title\x07\n FAKE ROW\r\t"),
            "\\x1b]0;title\\x07\\x0a FAKE ROW\\x0d\\x09");
  EXPECT_EQ(Printable("\x7f\xc2\x9b\xc2\xa0"), "\\x7f\\xc2\\x9b\xc2\xa0");
  EXPECT_EQ(Printable("\xff"), "\\xff");
  const std::string once = Printable("x\n\xfe");
  EXPECT_EQ(Printable(once), once);
}

TEST(TextTest, ToUtf8KeepsValidTextAndEscapesTheRest) {
  EXPECT_EQ(ToUtf8("aü€😀"), "aü€😀");
  EXPECT_EQ(ToUtf8("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(ToUtf8("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(ToUtf8("\xe2\x82"), "\\xe2\\x82");           // cut short
  const std::string once = ToUtf8("x\xfe/y");
  EXPECT_EQ(ToUtf8(once), once);
}

TEST(TextTest, SplitAndJoinAreInverse) {
  EXPECT_EQ(Split("a,,b,", ','), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_EQ(Split("", ','), std::vector<std::string>{""});
  EXPECT_EQ(Join(Split("a,,b,", ','), ","), "a,,b,");
}

}  // namespace
}  // namespace cordon
