#include "cli/run_root_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "cli/parse_run_values.h"
#include "common/text.h"
#include "runtime/selinux_label.h"
#include "runtime/user_name.h"
#include "runtime/volume_label.h"

namespace cordon::cli {
namespace {

Status ApplyUser(const RunRootOptions& options, LaunchRequest& request) {
  SandboxConfig& config = request.config;
  if (!options.user.empty()) {
    ASSIGN_OR_RETURN(const UserIds ids, FindUserIn(config.root_path, options.user));
    config.uid = ids.uid;
    config.gid = ids.gid;
    config.additional_gids = ids.groups;
  }
  if (options.user_namespace == "subids") {
    request.user_namespace = UserNamespaceUse::kSubordinateIds;
    ASSIGN_OR_RETURN(request.subordinate_ids, ReadSubordinateIds(::geteuid()));
  } else if (!options.user_namespace.empty()) {
    request.user_namespace = UserNamespaceUse::kAlways;
  }
  if (!options.oom_score_adj.empty()) {
    ASSIGN_OR_RETURN(config.oom_score_adj, ParseOomScoreAdj(options.oom_score_adj));
  }
  return {};
}

Status ApplyEnvironment(const RunRootOptions& options, LaunchRequest& request) {
  for (const std::string& variable : options.environment) {
    const std::size_t sign = variable.find('=');
    if (sign == 0 || sign == std::string::npos) {
      return Fail(InvalidInput("--env " + Quote(variable) + ": expected NAME=VALUE"));
    }
    const std::string name = variable.substr(0, sign + 1);
    std::erase_if(request.environment,
                  [&](const std::string& other) { return other.starts_with(name); });
    request.environment.push_back(variable);
  }
  if (!options.working_directory.empty()) {
    if (options.working_directory.front() != '/') {
      return Fail(InvalidInput("--workdir " + Quote(options.working_directory) +
                               ": expected an absolute path"));
    }
    request.config.working_directory = options.working_directory;
    request.working_directory.clear();
  }
  return {};
}

Status ApplyMounts(const RunRootOptions& options, LaunchRequest& request) {
  for (const std::string& text : options.tmpfs) {
    ASSIGN_OR_RETURN(Mount mount, ParseTmpfs(text));
    request.volumes.push_back(std::move(mount));
  }
  for (const std::string& text : options.volumes) {
    ASSIGN_OR_RETURN(Volume volume, ParseVolume(text));
    request.volumes.push_back(std::move(volume.mount));
  }
  if (options.read_only) {
    request.config.root_readonly = true;
    for (std::vector<Mount>* mounts : {&request.config.mounts, &request.volumes}) {
      for (Mount& mount : *mounts) {
        if (mount.type == "bind") {
          mount.options.emplace_back("ro");
        }
      }
    }
  }
  return {};
}

}  // namespace

void AddRootOptions(CLI::App& run, RunRootOptions& options) {
  run.add_option("--rootfs", options.rootfs, "Root file system (default: the host's, read-only)")
      ->type_name("DIR");
  run.add_option("--volume", options.volumes,
                 "Part of the host's file system to show inside: ro, rw, nosuid, noexec, rslave, "
                 "idmap, z, Z")
      ->type_name("SRC:DST[:OPTION,…]")
      ->allow_extra_args(false);
  run.add_option("--tmpfs", options.tmpfs,
                 "Empty file system in memory: size=64m, mode=1777, ro, exec, …")
      ->type_name("DST[:OPTION,…]")
      ->allow_extra_args(false);
  run.add_flag("--read-only", options.read_only, "Nothing of the host's files can be written");
  run.add_flag("--userns{all}", options.user_namespace,
               "Use a user namespace as root too; --userns=subids: with the ids of /etc/subuid and "
               "/etc/subgid")
      ->check(CLI::IsMember({"all", "subids"}));
  run.add_option("--user", options.user, "Who the command runs as: names or numbers of the root's")
      ->type_name("USER[:GROUP]");
  run.add_option("--workdir", options.working_directory,
                 "Directory to start in (default: the current one, else /)")
      ->type_name("DIR");
  run.add_option("--env", options.environment, "Variable to set")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  run.add_option("--oom-score-adj", options.oom_score_adj,
                 "How readily the kernel kills it when memory is short: -1000 to 1000")
      ->type_name("N");
}

Status ApplyRootOptions(const RunRootOptions& options, LaunchRequest& request) {
  if (!options.rootfs.empty()) {
    std::error_code error;
    const std::filesystem::path root = std::filesystem::canonical(options.rootfs, error);
    if (error) {
      return Fail(SystemError(error.value(), "--rootfs " + Quote(options.rootfs)));
    }
    request.config.root_path = root.string();
    request.config.working_directory = "/";
  }
  RETURN_IF_ERROR(ApplyUser(options, request));
  RETURN_IF_ERROR(ApplyEnvironment(options, request));
  return ApplyMounts(options, request);
}

Status LabelVolumes(const RunRootOptions& options, const std::string& process_label) {
  for (const std::string& text : options.volumes) {
    ASSIGN_OR_RETURN(const Volume volume, ParseVolume(text));
    if (!volume.relabel || ProbeSelinux() == SelinuxState::kAbsent) {
      continue;
    }
    const std::string label = VolumeLabel(process_label, *volume.relabel);
    // The kernel takes any label of who has CAP_MAC_ADMIN, and treats one that the policy does not
    // know as unlabeled_t.
    if (const Status known = CheckSelinuxLabel(label); !known) {
      return Fail(MakeError(known.error().code,
                            fmt::format("--volume {}: z and Z give a volume the label of "
                                        "containers' files, but {}: load the policy of containers "
                                        "(semodule -i cordon_container.cil, which cordon generate "
                                        "--target container writes), or leave them out and label "
                                        "it as the workload's module says (restorecon)",
                                        text, known.error().message)));
    }
    RETURN_IF_ERROR(RelabelVolume(volume.mount.source, label));
  }
  return {};
}

}  // namespace cordon::cli
