#include "generator/policy_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "common/file.h"
#include "common/unique_fd.h"
#include "model/sha256.h"

namespace cordon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;
constexpr std::size_t kKept = 4;
constexpr std::string_view kSuffix = ".slice";

/// Nobody but this user can have put it there or changed it.
bool IsOurs(int fd, unsigned format) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == format &&
         status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

UniqueFd OpenFolder(const std::string& folder) {
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  return fd.valid() && IsOurs(fd.get(), S_IFDIR) ? std::move(fd) : UniqueFd();
}

std::string FirstLine(std::string_view content) {
  return fmt::format("kept by cordon, sha256 {}\n", ToHex(Sha256(content)));
}

/// An absolute path in the environment; empty where there is none.
std::string PathFromEnvironment(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): cordon generates single-threaded
  const char* const value = std::getenv(name);
  return value != nullptr && *value == '/' ? value : "";
}

std::string UsersFolder() {
  if (const std::string cache = PathFromEnvironment("XDG_CACHE_HOME"); !cache.empty()) {
    return cache + "/cordon";
  }
  if (::geteuid() == 0) {
    return "/var/cache/cordon";
  }
  const std::string home = PathFromEnvironment("HOME");
  return home.empty() ? std::string() : home + "/.cache/cordon";
}

/// Removes all of `folder` but the newest.
void Prune(const std::string& folder) {
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> kept;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    if (it->path().extension() == kSuffix) {
      kept.emplace_back(it->last_write_time(error), it->path());
    }
  }
  std::ranges::sort(kept, std::ranges::greater());
  for (std::size_t i = kKept; i < kept.size(); ++i) {
    fs::remove(kept[i].second, error);
  }
}

}  // namespace

PolicyCache::PolicyCache() : folder_(UsersFolder()) {}

std::optional<std::string> PolicyCache::Find(const std::string& key) const {
  const UniqueFd folder = OpenFolder(folder_);
  if (!folder.valid()) {
    return std::nullopt;
  }
  const UniqueFd file(::openat(folder.get(), fmt::format("{}{}", key, kSuffix).c_str(),
                               O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid() || !IsOurs(file.get(), S_IFREG)) {
    return std::nullopt;
  }
  Expected<std::string> text = ReadFile(fmt::format("/proc/self/fd/{}", file.get()), kMaxBytes);
  const std::size_t end = text.has_value() ? text->find('\n') : std::string::npos;
  if (end == std::string::npos) {
    return std::nullopt;
  }
  std::string content = text->substr(end + 1);
  text->resize(end + 1);
  return *text == FirstLine(content) ? std::optional(std::move(content)) : std::nullopt;
}

void PolicyCache::Keep(const std::string& key, std::string_view content) const {
  if (folder_.empty()) {
    return;
  }
  std::error_code error;
  fs::create_directories(fs::path(folder_).parent_path(), error);
  (void)::mkdir(folder_.c_str(), 0700);
  const UniqueFd folder = OpenFolder(folder_);
  if (!folder.valid()) {
    return;
  }
  const std::string pinned = fmt::format("/proc/self/fd/{}", folder.get());
  (void)WriteFileAtomically(fmt::format("{}/{}{}", pinned, key, kSuffix),
                            FirstLine(content) + std::string(content), 0600);
  Prune(pinned);
}

}  // namespace cordon
