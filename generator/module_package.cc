#include "generator/module_package.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "common/child_process.h"
#include "common/file.h"
#include "common/temporary_folder.h"
#include "common/text.h"

namespace cordon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPackageBytes = std::size_t{64} << 20;

bool IsInstalled(const std::string& program) {
  for (const char* const folder : {"/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin"}) {
    std::error_code ignored;
    if (fs::exists(fs::path(folder) / program, ignored)) {
      return true;
    }
  }
  return false;
}

Status Run(const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const ProgramOutput output, RunProgram(arguments, std::chrono::seconds(60)));
  if (output.exit_code != 0) {
    return Fail(MakeError(ErrorCode::kInternal,
                          fmt::format("{} refuses the generated module: {}", arguments.front(),
                                      Split(output.standard_error, '\n').front())));
  }
  return {};
}

}  // namespace

Expected<std::optional<std::string>> BuildModulePackage(const std::string& name,
                                                        const std::string& te,
                                                        const std::string& fc) {
  if (!IsInstalled("checkmodule") || !IsInstalled("semodule_package")) {
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const TemporaryFolder work, TemporaryFolder::Create("cordon-module"));
  const std::string stem = work / name;
  RETURN_IF_ERROR(WriteFileAtomically(stem + ".te", te));
  RETURN_IF_ERROR(WriteFileAtomically(stem + ".fc", fc));
  RETURN_IF_ERROR(Run({"checkmodule", "-M", "-m", "-o", stem + ".mod", stem + ".te"}));
  RETURN_IF_ERROR(
      Run({"semodule_package", "-o", stem + ".pp", "-m", stem + ".mod", "-f", stem + ".fc"}));
  ASSIGN_OR_RETURN(std::string package, ReadFile(stem + ".pp", kMaxPackageBytes));
  return package;
}

}  // namespace cordon
