#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace cordon::cli {

/// Exit codes of cordon-runtime, as runc and crun have them; `run` and `exec` exit as their command
/// does.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;

/// One call of the runtime: its global options, and what it exits with.
struct OciCall {
  std::string root;
  std::string log;
  std::string log_format = "text";
  bool debug = false;
  bool systemd_cgroup = false;
  std::string cgroup_manager = "cgroupfs";
  bool learns = false;           ///< containers are recorded
  std::string learn_folder;      ///< --cordon-learn; empty: not said
  std::string policy;            ///< --cordon-policy; empty: not said
  std::string violation_folder;  ///< --cordon-violations; empty: not said
  char** arguments = nullptr;    ///< of main()
  int exit_code = kDone;
};

/// A subcommand: adds itself to `app`; its callback sets call.exit_code.
using AddOciCommand = void (*)(CLI::App& app, OciCall& call);

void AddOciCreate(CLI::App& app, OciCall& call);
void AddOciDelete(CLI::App& app, OciCall& call);
void AddOciExec(CLI::App& app, OciCall& call);
void AddOciFeatures(CLI::App& app, OciCall& call);
void AddOciKill(CLI::App& app, OciCall& call);
void AddOciList(CLI::App& app, OciCall& call);
void AddOciPause(CLI::App& app, OciCall& call);
void AddOciPs(CLI::App& app, OciCall& call);
void AddOciResume(CLI::App& app, OciCall& call);
void AddOciRun(CLI::App& app, OciCall& call);
void AddOciSpec(CLI::App& app, OciCall& call);
void AddOciStart(CLI::App& app, OciCall& call);
void AddOciState(CLI::App& app, OciCall& call);
void AddOciUpdate(CLI::App& app, OciCall& call);

/// Says `error` where the engine reads it, the --log file, and on stderr; kFailed.
int ReportOciError(const OciCall& call, const Error& error);
void ReportOciWarning(const OciCall& call, std::string_view message);

/// Whether only this user may use the folder of all containers, where --root did not name it. Makes
/// it.
Status CheckOciRoot(const OciCall& call);

/// What a callback does: runs `action`, a Status, and reports.
template <typename Action>
void RunOciAction(OciCall& call, Action action) {
  Status status = CheckOciRoot(call);
  if (status) {
    status = action();
  }
  if (!status) {
    call.exit_code = ReportOciError(call, status.error());
  }
}

}  // namespace cordon::cli
