#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/oci_state.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;

OciRecord FullRecord() {
  return {.id = "web-1",
          .pid = 4422,
          .start_time = 99,
          .bundle = "/containers/web",
          .root = "/containers/web/rootfs",
          .created = "2026-11-28T12:00:00.000000001Z",
          .owner = 0,
          .cgroups = {"/sys/fs/cgroup/pids/web-1"},
          .annotations = {{"key", "value"}}};
}

TEST(OciState, TheRecordRoundTrips) {
  const OciRecord record = FullRecord();
  const Expected<OciRecord> read = ReadOciRecord(WriteOciRecord(record), "record");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, record);
}

TEST(OciState, ARecordOfAnotherShapeIsRefusedWithItsPlace) {
  const Expected<OciRecord> read =
      ReadOciRecord(R"({"id":"a","pid":-1,"startTime":1,"bundle":"/"})", "record");
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(read.error().message, HasSubstr("record: /pid"));
}

TEST(OciState, SaysWhatTheSpecificationWants) {
  EXPECT_EQ(WriteOciState(FullRecord(), OciStatus::kCreated),
            R"({"ociVersion":"1.2.0","id":"web-1","status":"created","pid":4422,)"
            R"("bundle":"/containers/web","annotations":{"key":"value"}})");
  EXPECT_THAT(WriteOciState(FullRecord(), OciStatus::kStopped),
              HasSubstr(R"("status":"stopped","pid":0)"));
}

TEST(OciState, ALogLineIsJsonWhateverTheMessageHolds) {
  EXPECT_EQ(WriteOciLogLine("error", "a \"b\"\n\xff", "now"),
            "{\"level\":\"error\",\"msg\":\"a \\\"b\\\"\\n\\\\xff\",\"time\":\"now\"}\n");
}

}  // namespace
}  // namespace cordon
