#pragma once

#include <string>
#include <string_view>

#include "common/error.h"

namespace cordon {

/// A new folder that only its owner may use, removed with all it holds at the end of the scope.
class TemporaryFolder {
 public:
  /// "PARENT/NAME.XXXXXX", by mkdtemp(3). Fails with the errno of that.
  static Expected<TemporaryFolder> Create(std::string_view parent, std::string_view name);
  /// The same below $TMPDIR, or /tmp where that is no folder.
  static Expected<TemporaryFolder> Create(std::string_view name);

  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();

  const std::string& path() const { return path_; }

  std::string operator/(std::string_view name) const;

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;  ///< empty: moved from
};

}  // namespace cordon
