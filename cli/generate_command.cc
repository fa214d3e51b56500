#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/load_recording.h"
#include "cli/report_error.h"
#include "common/file.h"
#include "common/text.h"
#include "generator/bundle.h"
#include "model/policy_bundle.h"
#include "model/recording_verdict.h"
#include "model/seccomp_policy_json.h"

namespace cordon::cli {
namespace {

/// The command line as it was given; what is empty was not.
struct GenerateOptions {
  std::vector<std::string> recordings;
  std::string folder;
  std::string name;
  std::string runtime = "any";
  std::string base_set;
  std::string no_new_privileges;
  std::string on_violation = "errno";
  std::string format = "docker";
  bool exact = false;
  bool portable = false;
  std::string target;
  bool permissive = false;
  bool no_cache = false;
};

const std::map<std::string, ContainerRuntime, std::less<>> kRuntimes = {
    {"cordon", ContainerRuntime::kCordon}, {"runc", ContainerRuntime::kRunc},
    {"docker", ContainerRuntime::kRunc},   {"crun", ContainerRuntime::kCrun},
    {"podman", ContainerRuntime::kCrun},   {"none", ContainerRuntime::kNone},
    {"any", ContainerRuntime::kAny}};
const std::map<std::string, OnViolation> kViolations = {{"errno", OnViolation::kErrno},
                                                        {"log", OnViolation::kLog},
                                                        {"kill", OnViolation::kKill},
                                                        {"notify", OnViolation::kNotify}};
const std::map<std::string, SeccompProfileFormat> kFormats = {
    {"docker", SeccompProfileFormat::kDocker}, {"oci", SeccompProfileFormat::kOci}};

/// What a person wants to know of a bundle that was written.
void PrintSummary(const std::string& folder, const GeneratedBundle& bundle) {
  const PolicyProof& proof = bundle.proof;
  PrintLine(fmt::format("wrote {}: {} of {} recorded calls hold", Quote(folder),
                        proof.seccomp.recorded, proof.seccomp.recorded));
  PrintLine(Join(DescribeAttackSurface(proof.seccomp.surface), "; "));
  if (proof.serving) {
    PrintLine(fmt::format("once it serves ({}), {} calls are withheld: {}",
                          Join({proof.serving->when.begin(), proof.serving->when.end()}, ", "),
                          proof.serving->withheld.size(), Join(proof.serving->withheld, ", ")));
  } else if (!bundle.one_phase_because.empty()) {
    PrintLine(bundle.one_phase_because);
  }
  for (const std::string& line : bundle.selinux_summary) {
    PrintLine(line);
  }
}

/// "runc", "crun-1.8": whose base set, and of which release.
Status ApplyRuntime(const GenerateOptions& options, SeccompOptions& seccomp) {
  const std::string_view text = options.runtime;
  const std::size_t dash = text.find('-');
  const auto runtime = kRuntimes.find(text.substr(0, dash));
  if (runtime == kRuntimes.end()) {
    return Fail(InvalidInput("--runtime " + Quote(options.runtime) +
                             ": any, cordon, runc, docker, crun, podman or none is meant, with a "
                             "release perhaps: runc-1.1"));
  }
  seccomp.runtime = runtime->second;
  if (dash != std::string_view::npos) {
    // An engine's releases are not its runtime's.
    const bool released = runtime->first == "runc" || runtime->first == "crun";
    seccomp.version = released ? ParseRuntimeVersion(text.substr(dash + 1)) : std::nullopt;
    if (!seccomp.version) {
      return Fail(InvalidInput("--runtime " + Quote(options.runtime) +
                               ": a release of runc or crun is meant: runc-1.1"));
    }
  }
  if (options.no_new_privileges == "on" ||
      (options.no_new_privileges.empty() && seccomp.runtime == ContainerRuntime::kCordon)) {
    seccomp.no_new_privileges = NoNewPrivileges::kOn;
  } else if (options.no_new_privileges == "off") {
    seccomp.no_new_privileges = NoNewPrivileges::kOff;
  }
  if (!options.base_set.empty()) {
    ASSIGN_OR_RETURN(const std::string text_of_set,
                     ReadFile(options.base_set, kMaxSeccompProfileBytes));
    ASSIGN_OR_RETURN(seccomp.measured, ReadBaseSet(text_of_set, options.base_set));
  }
  return {};
}

int Generate(const GenerateOptions& options) {
  const Expected<Recording> recording = LoadRecordings(options.recordings);
  if (!recording) {
    return ReportInputError(recording.error());
  }
  if (!HasTracedRun(*recording)) {
    ReportWarning(
        "no run of what was given was traced: the policy allows only what was outside another; "
        "name the recordings that that one was made from, too");
  }
  BundleOptions bundle_options{
      .name = options.name,
      .seccomp = {.on_violation = kViolations.at(options.on_violation),
                  .portability = options.exact ? Portability::kExact : Portability::kPortable},
      .seccomp_format = kFormats.at(options.format),
      .selinux_mode = options.permissive ? DomainMode::kPermissive : DomainMode::kEnforcing,
      .selinux_target = options.target,
      .selinux_cache = options.no_cache ? SliceCache::kOff : SliceCache::kOn,
      .name_origin = options.name.empty() ? NameOrigin::kDefault : NameOrigin::kGiven};
  if (const Status applied = ApplyRuntime(options, bundle_options.seccomp); !applied) {
    return ReportInputError(applied.error());
  }
  if (bundle_options.name.empty()) {
    Expected<std::string> name = DefaultBundleName(*recording);
    if (!name) {
      return ReportError(name.error().WithContext(options.recordings.front()));
    }
    bundle_options.name = *std::move(name);
  }
  const Expected<GeneratedBundle> bundle = GenerateBundle(*recording, bundle_options);
  if (!bundle) {
    return bundle.error().code == ErrorCode::kNotFound ? ReportInputError(bundle.error())
                                                       : ReportError(bundle.error());
  }
  const std::string folder =
      options.folder.empty() ? bundle_options.name + ".policy" : options.folder;
  if (const Status written = WriteFolderAtomically(folder, bundle->files, std::string(kProofFile));
      !written) {
    return ReportInputError(written.error());
  }
  PrintSummary(folder, *bundle);
  return kOk;
}

}  // namespace

void AddGenerateCommand(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("generate", "Write the policy bundle for what was recorded");
  auto options = std::make_shared<GenerateOptions>();
  command
      ->add_option("RECORDING", options->recordings,
                   "Recordings; several are merged, their order does not matter")
      ->required();
  command
      ->add_option("-o,--output", options->folder,
                   "The folder to write (default: NAME.policy); only a policy folder is replaced")
      ->type_name("DIR");
  command
      ->add_option("--name", options->name,
                   "What the policy is called (default: the program recorded first)")
      ->type_name("NAME");
  command
      ->add_option(
          "--runtime", options->runtime,
          "Whose base set of system calls to add: any (of all that are known), cordon, runc "
          "(docker), crun (podman) or none; runc-1.1: of that release alone (default: "
          "any)")
      ->default_str("any");
  command
      ->add_option("--no-new-privileges", options->no_new_privileges,
                   "Whether containers will have it: without it their runtime makes more calls "
                   "(default: either; cordon: on)")
      ->check(CLI::IsMember({"on", "off", "either"}));
  command
      ->add_option("--base-set", options->base_set,
                   "What calibrate measured, in place of the known set of the runtime")
      ->type_name("FILE");
  command
      ->add_option("--on-violation", options->on_violation,
                   "What a refused call gets (default: errno)")
      ->check(CLI::IsMember(kViolations))
      ->default_str("errno");
  command
      ->add_option("--seccomp-format", options->format,
                   "Whose words seccomp.json uses (default: docker)")
      ->check(CLI::IsMember(kFormats))
      ->default_str("docker");
  CLI::Option* portable =
      command->add_flag("--portable", options->portable,
                        "Also allow what another C library makes of the same calls (the default)");
  command->add_flag("--exact", options->exact, "Allow only the calls that were recorded")
      ->excludes(portable);
  command->add_option(
      "--target", options->target,
      "The SELinux policy to build for: host, refpolicy-debian12, or a folder with a module store; "
      "container: a type for containers there, container:TARGET for those on another policy, "
      "fedora-container for those on Fedora");
  command->add_flag("--permissive", options->permissive,
                    "Let the SELinux domain log what it would refuse, for a staged roll-out");
  command
      ->add_flag("--no-cache", options->no_cache,
                 "Compile all modules of the SELinux policy, and keep nothing of them for the next "
                 "time")
      ->envname("CORDON_NO_CACHE");
  command->callback([options, &exit_code] { exit_code = Generate(*options); });
}

}  // namespace cordon::cli
