#include "runtime/sandbox_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <random>
#include <string>

#include "runtime/sandbox_log_reader.h"
#include "tests/testing/temp_dir.h"

namespace cordon {
namespace {

using testing::TempDir;

constexpr timespec kTime{.tv_sec = 1'795'491'015, .tv_nsec = 5};
constexpr std::string_view kHead = "2026-11-24T";

/// What `source` said by the records, newlines included.
std::string Said(const std::vector<LogRecord>& records, LogSource source) {
  std::string said;
  for (const LogRecord& record : records) {
    if (record.source == source) {
      said += record.text + (record.ends_line ? "\n" : "");
    }
  }
  return said;
}

std::vector<LogRecord> ReadAll(SandboxLogReader& reader) {
  std::vector<LogRecord> all;
  while (true) {
    const Expected<std::vector<LogRecord>> some = reader.Read();
    EXPECT_TRUE(some.has_value());
    if (!some || some->empty()) {
      return all;
    }
    all.insert(all.end(), some->begin(), some->end());
  }
}

TEST(ParseLogRecord, ReadsWhatContainerRuntimesWrite) {
  const auto record = ParseLogRecord("2026-11-28T11:33:13.123456789Z stderr P half a line");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(*record, (LogRecord{"2026-11-28T11:33:13.123456789Z", LogSource::kStderr, false,
                                "half a line"}));
  EXPECT_EQ(ParseLogRecord("2026-11-28T11:33:13.123456789Z stdout F ")->text, "");
  for (const std::string_view wrong :
       {"", "x", "2026-11-28T11:33:13.123456789Z", "2026-11-28T11:33:13.123456789Z moon F x",
        "2026-11-28T11:33:13.123456789Z stdout X x", "2026-11-28T11:33:13.12345678Z stdout F x",
        "2026-11-28 11:33:13.123456789Z stdout F x", "2026-11-28T11:33:13.123456789Z stdout F"}) {
    EXPECT_FALSE(ParseLogRecord(wrong).has_value()) << wrong;
  }
}

TEST(SandboxLog, GivesBackEveryByteBySource) {
  const TempDir folder;
  Expected<SandboxLog> log = SandboxLog::Create(folder.path(), SandboxLog::kMinLimitBytes);
  ASSERT_TRUE(log.has_value()) << log.error().message;
  EXPECT_FALSE(SandboxLog::Create(folder.path(), SandboxLog::kMinLimitBytes).has_value())
      << "a log is begun once";
  const std::array<std::string, 6> pieces = {
      "one\ntwo\n", "prompt> ", std::string("\0\xff\r", 3), "\n\n", std::string(40'000, 'x'),
      "\nend"};
  std::array<std::string, 2> expected;
  for (std::size_t i = 0; i < 2 * pieces.size(); ++i) {
    log->Append(static_cast<LogSource>(i % 2), pieces.at(i / 2), kTime);
    expected.at(i % 2) += pieces.at(i / 2);
  }
  Expected<SandboxLogReader> reader = SandboxLogReader::Open(folder.path());
  ASSERT_TRUE(reader.has_value()) << reader.error().message;
  const std::vector<LogRecord> records = ReadAll(*reader);
  EXPECT_EQ(Said(records, LogSource::kStdout), expected[0]);
  EXPECT_EQ(Said(records, LogSource::kStderr), expected[1]);
  EXPECT_EQ(records.front().time.substr(0, kHead.size()), kHead);
  struct stat status{};
  ASSERT_EQ(::stat((folder / "log").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(SandboxLog, StaysBelowItsLimitAndAReaderFollows) {
  const TempDir folder;
  Expected<SandboxLog> log = SandboxLog::Create(folder.path(), SandboxLog::kMinLimitBytes);
  ASSERT_TRUE(log.has_value());
  Expected<SandboxLogReader> follower = SandboxLogReader::Open(folder.path());
  ASSERT_TRUE(follower.has_value());
  std::mt19937 random(7);
  std::string said;
  std::string heard;
  for (int round = 0; round < 300; ++round) {
    std::string piece;
    const std::uint64_t lines = random() % 40;
    for (std::uint64_t line = 0; line < lines; ++line) {
      piece += std::to_string(round) + std::string(random() % 200, 'y') + "\n";
    }
    log->Append(LogSource::kStdout, piece, kTime);
    said += piece;
    heard += Said(ReadAll(*follower), LogSource::kStdout);
    std::uintmax_t size = std::filesystem::file_size(folder / "log");
    if (std::filesystem::exists(folder / "log.1")) {
      size += std::filesystem::file_size(folder / "log.1");
    }
    ASSERT_LE(size, SandboxLog::kMinLimitBytes);
  }
  ASSERT_GT(said.size(), 2 * SandboxLog::kMinLimitBytes) << "the control: it had to be cut";
  EXPECT_EQ(heard, said);
  EXPECT_EQ(follower->gaps(), 0U);
  Expected<SandboxLogReader> late = SandboxLogReader::Open(folder.path());
  ASSERT_TRUE(late.has_value());
  const std::string last = Said(ReadAll(*late), LogSource::kStdout);
  EXPECT_TRUE(said.ends_with(last)) << "what is kept is the end";
  EXPECT_GT(last.size(), SandboxLog::kMinLimitBytes / 4);
}

TEST(SandboxLog, AReaderThatIsTooSlowKnows) {
  const TempDir folder;
  Expected<SandboxLog> log = SandboxLog::Create(folder.path(), SandboxLog::kMinLimitBytes);
  ASSERT_TRUE(log.has_value());
  Expected<SandboxLogReader> reader = SandboxLogReader::Open(folder.path());
  ASSERT_TRUE(reader.has_value());
  const std::string line = std::string(1000, 'z') + "\n";
  for (int i = 0; i < 1000; ++i) {
    log->Append(LogSource::kStdout, line, kTime);
  }
  (void)ReadAll(*reader);
  EXPECT_GT(reader->gaps(), 0U);
}

TEST(SandboxLog, SaysWhatItCouldNotWriteAndTearsNoRecord) {
  const TempDir folder;
  Expected<SandboxLog> log = SandboxLog::Create(folder.path(), SandboxLog::kMinLimitBytes);
  ASSERT_TRUE(log.has_value());
  log->Append(LogSource::kStdout, "before\n", kTime);
  // A file that may not grow fails as a full file system does: by a short write first.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = std::filesystem::file_size(folder / "log") + 20;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  log->Append(LogSource::kStdout, "lost\n", kTime);
  log->Append(LogSource::kStderr, "lost too\n", kTime);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  (void)::signal(SIGXFSZ, handler);
  log->Append(LogSource::kStdout, "after\n", kTime);
  Expected<SandboxLogReader> reader = SandboxLogReader::Open(folder.path());
  ASSERT_TRUE(reader.has_value());
  const std::vector<LogRecord> records = ReadAll(*reader);
  EXPECT_EQ(Said(records, LogSource::kStdout), "before\nafter\n");
  EXPECT_TRUE(Said(records, LogSource::kCordon).starts_with("12 bytes could not be written here: "))
      << Said(records, LogSource::kCordon);
}

TEST(SandboxLogReader, SaysWhereThereIsNone) {
  const TempDir folder;
  const Expected<SandboxLogReader> none = SandboxLogReader::Open(folder.path());
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cordon
