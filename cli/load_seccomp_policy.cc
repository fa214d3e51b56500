#include "cli/load_seccomp_policy.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>

#include "cli/report_error.h"
#include "common/file.h"
#include "common/text.h"
#include "model/policy_bundle.h"

namespace cordon::cli {
namespace {

/// "6.1.0-18-amd64" -> 6.1
Expected<KernelVersion> RunningKernel() {
  struct utsname names{};
  if (::uname(&names) != 0) {
    return Fail(SystemError(errno, "uname"));
  }
  const std::string release = names.release;
  const std::size_t dot = release.find('.');
  const std::size_t end = release.find_first_not_of("0123456789", dot + 1);
  const std::optional<KernelVersion> version =
      dot == std::string::npos ? std::nullopt : ParseKernelVersion(release.substr(0, end));
  if (!version) {
    return Fail(MakeError(ErrorCode::kUnsupported,
                          fmt::format("the release of this kernel, {}, begins with no two numbers: "
                                      "say it with --kernel",
                                      Quote(release))));
  }
  return *version;
}

}  // namespace

void AddProfileContextOptions(CLI::App& command, ProfileContextOptions& options) {
  command
      .add_option("--cap", options.capabilities,
                  "A capability of the container, for rules that depend on it; none: NONE "
                  "(default: Docker's fourteen)")
      ->type_name("CAP_NAME")
      ->allow_extra_args(false);
  command
      .add_option("--arch", options.architecture,
                  "The architecture for which a profile is read (default: this one)")
      ->type_name("ARCH");
  command
      .add_option("--kernel", options.kernel,
                  "The kernel for which a profile is read (default: this one)")
      ->type_name("X.Y");
  command.add_flag("--notes", options.notes,
                   "Say what of a profile was left out or decided for this container, each");
}

Expected<ProfileContext> MakeProfileContext(const ProfileContextOptions& options) {
  ProfileContext context;
  if (!options.architecture.empty()) {
    const std::optional<Architecture> arch = ArchitectureFromName(options.architecture);
    if (!arch) {
      return Fail(InvalidInput(
          fmt::format("--arch: unknown architecture {}", Quote(options.architecture))));
    }
    context.architecture = *arch;
  }
  if (options.kernel.empty()) {
    ASSIGN_OR_RETURN(context.kernel, RunningKernel());
  } else {
    const std::optional<KernelVersion> version = ParseKernelVersion(options.kernel);
    if (!version) {
      return Fail(InvalidInput(fmt::format("--kernel: {} is no version: write two numbers, as 5.10",
                                           Quote(options.kernel))));
    }
    context.kernel = *version;
  }
  if (options.capabilities.empty()) {
    context.capabilities = DefaultContainerCapabilities();
  } else if (options.capabilities != std::vector<std::string>{"NONE"}) {
    context.capabilities = {options.capabilities.begin(), options.capabilities.end()};
  }
  for (const std::string& name : context.capabilities) {
    if (!name.starts_with("CAP_")) {
      return Fail(InvalidInput(
          fmt::format("--cap: {} is no capability: write CAP_NAME or NONE", Quote(name))));
    }
  }
  return context;
}

void ReportNotes(const std::string& path, const ResolvedProfile& profile,
                 const ProfileContextOptions& options) {
  if (options.notes) {
    std::ranges::for_each(profile.notes, ReportWarning, &ProfileNote::text);
  } else if (!profile.notes.empty()) {
    ReportWarning(
        fmt::format("{}: {} of its parts were left out, or decided for this architecture, kernel "
                    "and set of capabilities; --notes names them",
                    Quote(path), profile.notes.size()));
  }
}

Expected<ResolvedProfile> LoadSeccompPolicy(const std::string& path,
                                            const ProfileContext& context) {
  std::error_code error;
  const bool folder = std::filesystem::is_directory(path, error);
  const std::string file =
      folder ? (std::filesystem::path(path) / std::string(kSeccompFile)).string() : path;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxSeccompProfileBytes));
  return ReadContainerProfile(text, file, context);
}

Expected<ResolvedProfile> LoadSeccompPolicy(const std::string& path,
                                            const ProfileContextOptions& options) {
  ASSIGN_OR_RETURN(const ProfileContext context, MakeProfileContext(options));
  return LoadSeccompPolicy(path, context);
}

}  // namespace cordon::cli
