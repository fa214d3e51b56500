#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/load_policy.h"
#include "cli/load_seccomp_policy.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "common/text.h"
#include "generator/convert_policy.h"
#include "generator/convert_selinux_module.h"
#include "model/policy_bundle.h"

namespace cordon::cli {
namespace {

struct ConvertOptions {
  std::string policy;
  std::string target;
  std::string name;
  ProfileContextOptions context;
};

const std::map<std::string, PolicyTarget> kTargets = {
    {"docker", PolicyTarget::kDocker},   {"oci", PolicyTarget::kOci},
    {"podman", PolicyTarget::kPodman},   {"kubernetes", PolicyTarget::kKubernetes},
    {"systemd", PolicyTarget::kSystemd}, {"bpf", PolicyTarget::kBpf}};

/// "nginx" of "out/nginx.policy/", "web" of "web.json".
std::string NameOf(const std::string& path) {
  std::filesystem::path file = std::filesystem::path(path).lexically_normal();
  if (!file.has_filename()) {
    file = file.parent_path();
  }
  return file.stem().string();
}

/// The SELinux module of a bundle as an object beside `converted`; a profile alone has none.
Status AddSelinuxModule(const std::string& path, const std::string& name,
                        ConvertedPolicy& converted) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::path(path) / std::string(kProofFile), ignored)) {
    return {};
  }
  ASSIGN_OR_RETURN(const LoadedPolicy loaded, LoadPolicy(path, FilterVariant::kNotifying));
  const std::vector<std::string> context = Split(loaded.bundle.config.selinux_label, ':');
  if (context.size() < 3) {
    return Fail(InvalidInput(fmt::format("{}/{}: no SELinux label for the domain of its module",
                                         Quote(path), kConfigFile)));
  }
  ASSIGN_OR_RETURN(ConvertedPolicy module,
                   ConvertSelinuxModule(loaded.bundle.selinux_module, context[2], name));
  converted.document = ListOfObjects({converted.document, module.document});
  std::ranges::move(module.losses, std::back_inserter(converted.losses));
  return {};
}

int Convert(const ConvertOptions& options) {
  const Expected<ResolvedProfile> profile = LoadSeccompPolicy(options.policy, options.context);
  if (!profile) {
    return ReportInputError(profile.error());
  }
  ReportNotes(options.policy, *profile, options.context);
  const std::string name = options.name.empty() ? NameOf(options.policy) : options.name;
  const PolicyTarget target = kTargets.at(options.target);
  Expected<ConvertedPolicy> converted = ConvertPolicy(profile->policy, name, target);
  if (!converted) {
    return ReportError(converted.error().WithContext(options.policy));
  }
  if (target == PolicyTarget::kKubernetes) {
    if (const Status added = AddSelinuxModule(options.policy, name, *converted); !added) {
      return ReportInputError(added.error());
    }
  }
  for (const std::string& loss : converted->losses) {
    ReportWarning(loss);
  }
  return PrintDocument(converted->document, kOk);
}

}  // namespace

void AddConvertCommand(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("convert", "Write a seccomp policy in another system's words, to stdout");
  const auto options = std::make_shared<ConvertOptions>();
  command->add_option("POLICY", options->policy, "Policy folder or seccomp profile")->required();
  command
      ->add_option("--to", options->target,
                   "docker, oci, podman, kubernetes, systemd, or bpf: the program itself")
      ->check(CLI::IsMember(kTargets))
      ->required();
  command->add_option("--name", options->name,
                      "What the Kubernetes object is called (default: as the policy)");
  AddProfileContextOptions(*command, options->context);
  command->footer("Each thing that the target has no words for is a warning.");
  command->callback([options, &exit_code] { exit_code = Convert(*options); });
}

}  // namespace cordon::cli
