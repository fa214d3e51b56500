#include "common/temporary_folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/text.h"

namespace cordon {

Expected<TemporaryFolder> TemporaryFolder::Create(std::string_view parent, std::string_view name) {
  std::string path = fmt::format("{}/{}.XXXXXX", parent, name);
  if (::mkdtemp(path.data()) == nullptr) {
    return Fail(SystemError(errno, "mkdtemp " + Quote(path)));
  }
  return TemporaryFolder(std::move(path));
}

Expected<TemporaryFolder> TemporaryFolder::Create(std::string_view name) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  return Create(error ? "/tmp" : parent.string(), name);
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryFolder::~TemporaryFolder() {
  if (!path_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
}

std::string TemporaryFolder::operator/(std::string_view name) const {
  return fmt::format("{}/{}", path_, name);
}

}  // namespace cordon
