#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "cli/oci/oci_call.h"
#include "model/oci_state.h"
#include "runtime/host_root.h"
#include "runtime/own_folder.h"

namespace cordon::cli {
namespace {

/// Where containers are kept when --root does not say.
std::string DefaultRoot() {
  if (IsRootOfHost()) {
    return "/run/cordon-runtime";
  }
  const char* const folder = std::getenv("XDG_RUNTIME_DIR");
  return folder != nullptr && folder[0] == '/' ? std::string(folder) + "/cordon-runtime"
                                               : fmt::format("/tmp/cordon-runtime-{}", ::geteuid());
}

void AddGlobalOptions(CLI::App& app, OciCall& call) {
  app.add_option("--root", call.root, "folder in which containers are kept");
  app.add_option("--log", call.log, "file to append messages to");
  app.add_option("--log-format", call.log_format, "json or text")
      ->check(CLI::IsMember({"json", "text"}));
  app.add_flag("--debug", call.debug, "say warnings on stderr too");
  app.add_flag("--systemd-cgroup", call.systemd_cgroup, "not supported: `create` refuses it");
  app.add_option("--cordon-learn", call.learn_folder,
                 "record what containers do, into this folder; as under the name cordon-learn");
  app.add_option("--cordon-policy", call.policy,
                 "folder that `cordon generate` wrote: hold containers to it, too");
  app.add_option("--cordon-violations", call.violation_folder,
                 "folder for logs of what a policy refuses");
  app.add_option("--cgroup-manager", call.cgroup_manager, "cgroupfs or disabled")
      ->check(CLI::IsMember({"cgroupfs", "systemd", "disabled"}));
}

/// Called by this name it learns, for engines that take nothing but a path.
constexpr std::string_view kLearningName = "cordon-learn";

int Run(int argc, char** argv) {
  OciCall call;
  call.root = DefaultRoot();
  call.arguments = argv;
  call.learns = argc > 0 && std::filesystem::path(argv[0]).filename() == kLearningName;
  CLI::App app{"an OCI runtime, for container engines", "cordon-runtime"};
  app.set_version_flag("-v,--version", fmt::format("cordon-runtime version {}\nspec: {}",
                                                   CORDON_VERSION, kOciVersion));
  AddGlobalOptions(app, call);
  app.require_subcommand(1);
  for (const AddOciCommand add :
       {AddOciCreate, AddOciDelete, AddOciExec, AddOciFeatures, AddOciKill, AddOciList, AddOciPause,
        AddOciPs, AddOciResume, AddOciRun, AddOciSpec, AddOciStart, AddOciState, AddOciUpdate}) {
    add(app, call);
  }
  app.parse_complete_callback([&call] { call.learns = call.learns || !call.learn_folder.empty(); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      return app.exit(error);
    }
    return ReportOciError(call, InvalidInput(error.what()));
  }
  return call.exit_code;
}

}  // namespace

Status CheckOciRoot(const OciCall& call) {
  return IsRootOfHost() || call.root != DefaultRoot() ? Status() : MakeOwnFolder(call.root);
}

}  // namespace cordon::cli

int main(int argc, char** argv) {
  try {
    return cordon::cli::Run(argc, argv);
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "cordon-runtime: %s\n", error.what());
  } catch (...) {
    (void)std::fputs("cordon-runtime: an unknown exception\n", stderr);
  }
  return cordon::cli::kFailed;
}
