#include "model/recording_json.h"

#include <gtest/gtest.h>

#include "tests/testing/random_recording.h"

namespace cordon {
namespace {

using testing::RandomRecording;

class RecordingRoundTripTest : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(RecordingRoundTripTest, ReadsWhatItWrote) {
  const Recording recording = RandomRecording(GetParam());
  const std::string text = WriteRecording(recording);
  const auto read = ReadRecording(text, "f");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, recording);
  EXPECT_EQ(WriteRecording(*read), text);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RecordingRoundTripTest, ::testing::Range(0U, 40U));

TEST(RecordingJsonTest, EveryTruncationIsRefusedWithAPlace) {
  const std::string text = WriteRecording(RandomRecording(1));
  for (std::size_t length = 0; length + 2 < text.size(); length += 7) {
    const auto read = ReadRecording(std::string_view(text).substr(0, length), "cut.json");
    ASSERT_FALSE(read) << length;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidInput);
    EXPECT_TRUE(read.error().message.starts_with("cut.json: ")) << read.error().message;
  }
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

struct BadDocument {
  std::string_view from;
  std::string_view to;
  std::string_view message;
};

class BadRecordingTest : public ::testing::TestWithParam<BadDocument> {};

constexpr std::string_view kGood = R"({
  "schema_version": 1,
  "runs": [{"id": "00000000000000000000000000000001", "command": ["a"], "outcome": {"state": "exited", "code": 0}, "limitations": []}],
  "executables": ["/bin/a"],
  "syscalls": [{"arch": "x86_64", "nr": 0, "name": "read", "count": 1, "results": {"ok": 1}, "executables": [0], "phases": ["start"]}],
  "files": [{"path": "/etc/a", "class": "file", "access": ["open"], "count": 1}],
  "sockets": [{"family": "inet", "type": "stream", "protocol": 0, "operation": "bind", "count": 1}],
  "processes": [], "capabilities": [], "resources": {}
})";

TEST(RecordingJsonTest, ReadsADocumentWithoutTheOptionalParts) {
  EXPECT_TRUE(ReadRecording(kGood, "f"));
}

TEST_P(BadRecordingTest, NamesThePointer) {
  const auto read =
      ReadRecording(Replaced(std::string(kGood), GetParam().from, GetParam().to), "f");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadRecordingTest,
    ::testing::Values(
        BadDocument{
            "\"schema_version\": 1", "\"schema_version\": 9",
            "f: /schema_version: this recording has schema version 9, this cordon reads version 1"},
        BadDocument{"\"schema_version\": 1,", "", "f: /: \"schema_version\" is missing"},
        BadDocument{"\"executables\": [0]", "\"executables\": [1]",
                    "f: /syscalls/0/executables/0: there are only 1 executables"},
        BadDocument{"\"x86_64\"", "\"vax\"", "f: /syscalls/0/arch: is not an architecture"},
        BadDocument{"\"name\": \"read\"", "\"name\": \"write\"",
                    "f: /syscalls/0/name: number 0 of x86_64 is read"},
        BadDocument{"\"ok\": 1", "\"EWHAT\": 1",
                    "f: /syscalls/0/results/EWHAT: is neither \"ok\" nor the name of an errno"},
        BadDocument{"\"open\"", "\"peek\"", "f: /files/0/access/0: is not a kind of access"},
        BadDocument{"\"/etc/a\"", "\"\"", "f: /files/0/path: is not a path"},
        BadDocument{"\"inet\"", "\"decnet3\"", "f: /sockets/0/family: is not known"},
        BadDocument{"\"bind\"", "\"tie\"",
                    "f: /sockets/0/operation: is not an operation on a socket"},
        BadDocument{"\"count\": 1, \"results\"", "\"count\": -1, \"results\"",
                    "f: /syscalls/0/count: expected an integer from 0 to 18446744073709551615"},
        BadDocument{"\"limitations\"", "\"discovery\": [[2, 1], [1, 2]], \"limitations\"",
                    "f: /runs/0/discovery/1: is before the point that precedes it"},
        BadDocument{"\"limitations\"", "\"discovery\": [[2]], \"limitations\"",
                    "f: /runs/0/discovery/0: expected [milliseconds, items]"},
        BadDocument{"0000000000000001\"", "\"", "f: /runs/0/id: expected 32 hexadecimal digits"}));

TEST(RecordingJsonTest, NamesThatAreNotUtf8StayReadable) {
  Recording recording;
  recording.files[{.path = "/tmp/\xff", .file_class = FileClass::kFile}].seen.Note(0, "",
                                                                                   Phase::kStart);
  const std::string text = WriteRecording(recording);
  const auto read = ReadRecording(text, "f");
  ASSERT_TRUE(read);
  EXPECT_EQ(WriteRecording(*read), text);
}

TEST(RecordingJsonTest, LimitationsKeepTheirOrder) {
  Recording recording;
  recording.runs["00000000000000000000000000000001"].limitations = {{"blind", "\xf7"},
                                                                    {"blind", "name"}};
  const std::string text = WriteRecording(recording);
  const auto read = ReadRecording(text, "f");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(WriteRecording(*read), text);
}

}  // namespace
}  // namespace cordon
