#include "cli/read_policy_folder.h"

#include <filesystem>

#include "common/file.h"
#include "common/text.h"
#include "generator/report/report.h"

namespace cordon::cli {
namespace {

constexpr std::size_t kMaxPartBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxParts = 64;

}  // namespace

Expected<std::map<std::string, std::string>> ReadPolicyFolder(const std::string& folder) {
  std::map<std::string, std::string> files;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    std::error_code ignored;
    if (!entries->is_regular_file(ignored) || entries->path().filename() == kReportFile) {
      continue;
    }
    if (files.size() == kMaxParts) {
      return Fail(InvalidInput(folder + ": not a policy folder: it holds too many files"));
    }
    ASSIGN_OR_RETURN(files[entries->path().filename().string()],
                     ReadFile(entries->path().string(), kMaxPartBytes));
  }
  if (error) {
    return Fail(SystemError(error.value(), "reading the policy folder " + Quote(folder)));
  }
  return files;
}

}  // namespace cordon::cli
