#include "runtime/sandbox_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/file.h"
#include "runtime/sandbox_place.h"

namespace cordon {
namespace {

/// What is written at once: a rotation never waits for more.
constexpr std::size_t kBatchBytes = std::size_t{64} << 10;
/// Longer lines are several records, so that a reader needs to hold no more than this.
constexpr std::size_t kMaxRecordText = std::size_t{16} << 10;
constexpr std::size_t kTimeLength = 30;
constexpr std::array<std::string_view, 3> kSources = {"stdout", "stderr", "cordon"};

bool IsTime(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
  return std::ranges::equal(text, kForm, [](char c, char form) {
    return form == 'd' ? c >= '0' && c <= '9' : c == form;
  });
}

}  // namespace

std::string LogTime(timespec time) {
  tm parts{};
  (void)::gmtime_r(&time.tv_sec, &parts);
  std::array<char, 32> seconds{};
  (void)std::strftime(seconds.data(), seconds.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:09}Z", seconds.data(), time.tv_nsec);
}

std::optional<LogRecord> ParseLogRecord(std::string_view line) {
  if (line.size() < kTimeLength + 1 || !IsTime(line.substr(0, kTimeLength))) {
    return std::nullopt;
  }
  LogRecord record;
  record.time = line.substr(0, kTimeLength);
  line.remove_prefix(kTimeLength);
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    const std::string whole = fmt::format(" {} F ", kSources.at(i));
    const std::string part = fmt::format(" {} P ", kSources.at(i));
    if (line.starts_with(whole) || line.starts_with(part)) {
      record.source = static_cast<LogSource>(i);
      record.ends_line = line.starts_with(whole);
      record.text = line.substr(whole.size());
      return record;
    }
  }
  return std::nullopt;
}

Expected<SandboxLog> SandboxLog::Create(const std::string& folder, std::uint64_t limit_bytes) {
  ASSIGN_OR_RETURN(UniqueFd file, OpenAt(AT_FDCWD, folder + std::string(kPlaceLog),
                                         O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0600));
  return SandboxLog(folder, std::max(limit_bytes, kMinLimitBytes), std::move(file));
}

void SandboxLog::Append(LogSource source, std::string_view bytes, timespec now) {
  const std::string head =
      fmt::format("{} {} ", LogTime(now), kSources.at(static_cast<std::size_t>(source)));
  std::string records;
  std::size_t content = 0;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::size_t length = std::min(end, kMaxRecordText);
    const bool ends_line = length == end && end < bytes.size();
    records += head;
    records += ends_line ? "F " : "P ";
    records += bytes.substr(0, length);
    records += '\n';
    content += length;
    bytes.remove_prefix(length + (ends_line ? 1 : 0));
    if (records.size() >= kBatchBytes || bytes.empty()) {
      Write(records, content);
      records.clear();
      content = 0;
    }
  }
}

void SandboxLog::Rotate() {
  const std::string path = folder_ + std::string(kPlaceLog);
  // A reader that follows has the old file open, and finds it under its new name.
  if (::rename(path.c_str(), (folder_ + std::string(kPlaceOlderLog)).c_str()) != 0) {
    return;
  }
  file_ = UniqueFd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  size_ = 0;
}

void SandboxLog::Write(std::string_view records, std::size_t content) {
  if (size_ != 0 && size_ + records.size() > half_) {
    Rotate();
  }
  if (!file_.valid()) {  // the rotation found no room for a new file
    file_ = UniqueFd(::open((folder_ + std::string(kPlaceLog)).c_str(),
                            O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    size_ = 0;
  }
  std::string text;
  if (dropped_ != 0) {
    text = fmt::format("{} cordon F {} bytes could not be written here: {}\n",
                       records.substr(0, kTimeLength), dropped_, std::strerror(drop_errno_));
  }
  text += records;
  ssize_t written = 0;
  do {
    written = ::write(file_.get(), text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(text.size())) {
    size_ += text.size();
    dropped_ = 0;
    return;
  }
  drop_errno_ = written < 0 ? errno : ENOSPC;
  dropped_ += content;
  if (written > 0) {
    // No half record: the next one would be read as its rest.
    (void)!::ftruncate(file_.get(), static_cast<off_t>(size_));
  }
}

}  // namespace cordon
