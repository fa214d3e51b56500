#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/load_seccomp_policy.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "generator/convert_policy.h"

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

int Convert(const ConvertOptions& options) {
  const Expected<ResolvedProfile> profile = LoadSeccompPolicy(options.policy, options.context);
  if (!profile) {
    return ReportInputError(profile.error());
  }
  ReportNotes(options.policy, *profile, options.context);
  const std::string name = options.name.empty() ? NameOf(options.policy) : options.name;
  const Expected<ConvertedPolicy> converted =
      ConvertPolicy(profile->policy, name, kTargets.at(options.target));
  if (!converted) {
    return ReportError(converted.error().WithContext(options.policy));
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
