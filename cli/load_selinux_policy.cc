#include "cli/load_selinux_policy.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/file.h"
#include "common/text.h"
#include "model/policy_bundle.h"

namespace cordon::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPolicyBytes = std::size_t{64} << 20;

/// What proof.json of a bundle says of its SELinux part; empty where it says nothing.
struct BundleSelinux {
  std::string module;
  std::string domain;
  std::string target;
};

Expected<BundleSelinux> ReadBundleSelinux(const fs::path& folder) {
  const std::string file = (folder / std::string(kProofFile)).string();
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxPolicyBytes));
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto string_at = [&json](const char* pointer) {
    const nlohmann::json::json_pointer place(pointer);
    return json.is_object() && json.contains(place) && json.at(place).is_string()
               ? json.at(place).get<std::string>()
               : std::string();
  };
  return BundleSelinux{.module = string_at("/selinux/module"),
                       .domain = string_at("/selinux/domain"),
                       .target = string_at("/selinux/target/name")};
}

/// The target that the bundle was made for, where this host has it.
std::string TargetOf(const BundleSelinux& bundle) {
  const std::string container = std::string(kContainerTarget) + ":";
  const bool contained = bundle.target.starts_with(container);
  const std::string policy = contained ? bundle.target.substr(container.size()) : bundle.target;
  const bool shipped = policy == "refpolicy-debian12" || policy == "fedora-container";
  const bool installed = !policy.empty() && !policy.contains('/');
  return (contained ? container : "") + (shipped || !installed ? policy : "host");
}

Expected<std::optional<SelinuxPolicyInput>> FromBundle(const fs::path& folder,
                                                       const SelinuxPolicyOptions& options) {
  std::error_code ignored;
  if (!fs::exists(folder / std::string(kProofFile), ignored)) {
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const BundleSelinux bundle, ReadBundleSelinux(folder));
  // The name comes from a file: it must not lead out of the folder.
  if (bundle.module.empty() || bundle.module.contains('/')) {
    return std::nullopt;
  }
  const std::string path = (folder / (bundle.module + ".cil")).string();
  ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMaxPolicyBytes));
  Expected<SelinuxPolicyFile> file =
      ReadSelinuxPolicyFile(path, std::move(text), SelinuxFileKind::kCil,
                            {.target = options.target.empty() ? TargetOf(bundle) : options.target,
                             .file_contexts = options.file_contexts});
  if (!file.has_value()) {
    return Fail(std::move(file).error().WithContext(
        "the SELinux part (--target names another policy; name " +
        Quote((folder / std::string(kSeccompFile)).string()) + " to leave it out)"));
  }
  return SelinuxPolicyInput{.file = std::move(*file),
                            .domain = options.domain.empty() ? bundle.domain : options.domain};
}

}  // namespace

void AddSelinuxPolicyOptions(CLI::App& command, SelinuxPolicyOptions& options) {
  command
      .add_option("--domain", options.domain,
                  "The SELinux domain (default: the one that the policy was made for)")
      ->type_name("NAME_t");
  command.add_option(
      "--target", options.target,
      "What a SELinux module is compiled with: host, refpolicy-debian12, container (as "
      "generate takes it) or a folder (default: what the bundle was made for)");
  command
      .add_option("--file-contexts", options.file_contexts,
                  "The labels of paths for a compiled SELinux policy (default: those installed "
                  "beside it)")
      ->type_name("FILE");
}

Expected<std::optional<SelinuxPolicyInput>> LoadSelinuxPolicy(const std::string& path,
                                                              const SelinuxPolicyOptions& options) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    return FromBundle(path, options);
  }
  ASSIGN_OR_RETURN(std::string bytes, ReadFile(path, kMaxPolicyBytes));
  const std::optional<SelinuxFileKind> kind = SelinuxFileKindOf(bytes, path);
  if (!kind.has_value()) {
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(
      SelinuxPolicyFile file,
      ReadSelinuxPolicyFile(path, std::move(bytes), *kind,
                            {.target = options.target, .file_contexts = options.file_contexts}));
  return SelinuxPolicyInput{.file = std::move(file), .domain = options.domain};
}

}  // namespace cordon::cli
