#include "cli/container_trial.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "cli/exit_program.h"
#include "common/child_process.h"
#include "common/file.h"
#include "common/text.h"
#include "model/default_sandbox.h"
#include "model/sandbox_config_json.h"
#include "model/seccomp_policy_json.h"

namespace cordon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{30};
constexpr std::uint8_t kStatus = 42;  ///< no runtime ends with it of its own

bool IsEngine(Engine engine) {
  return engine == Engine::kDocker || engine == Engine::kPodman;
}

/// `words` of `program`, which has to end well; its standard output without the last line end.
Expected<std::string> Ask(std::vector<std::string> program, const std::vector<std::string>& words,
                          std::string_view input = {}) {
  program.insert(program.end(), words.begin(), words.end());
  const Expected<ProgramOutput> output = RunProgram(program, kTimeout, input);
  if (!output) {
    return Fail(output.error().WithContext(Join(program, " ")));
  }
  if (output->exit_code != 0) {
    return Fail(MakeError(ErrorCode::kNotFound,
                          fmt::format("{} ended with exit status {}: {}", Join(program, " "),
                                      output->exit_code, Quote(output->standard_error, 300))));
  }
  std::string text = output->standard_output;
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

/// "runc version 1.1.5+ds1\ncommit: …" -> "1.1.5+ds1".
std::string VersionIn(const std::string& text) {
  const std::string line = Split(text, '\n').front();
  return line.substr(line.rfind(' ') + 1);
}

/// `command` as what leaves a process behind that must not hold our pipes.
std::vector<std::string> WithoutPipes(std::vector<std::string> command) {
  const std::vector<std::string> shell = {"sh", "-c", R"(exec "$@" </dev/null >/dev/null 2>&1)",
                                          "sh"};
  command.insert(command.begin(), shell.begin(), shell.end());
  return command;
}

/// Docker takes no capitals in it.
std::string Image() {
  return fmt::format("cordon-calibrate-{}", ::getpid());
}

SeccompPolicy OnlyThese(const SyscallNames& allowed) {
  return {.default_action = {SeccompActionKind::kKillProcess, 0},
          .architectures = {NativeArchitecture()},
          .rules = {{.names = {allowed.begin(), allowed.end()},
                     .action = SeccompAction::Allow(),
                     .conditions = {},
                     .comment = {}}},
          .flags = {}};
}

}  // namespace

Expected<ContainerTrial> ContainerTrial::Create(Engine engine, std::vector<std::string> program) {
  // Not below /tmp: a runtime's mount namespace may have its own.
  ASSIGN_OR_RETURN(TemporaryFolder folder, TemporaryFolder::Create("/var/tmp", "cordon-calibrate"));
  ContainerTrial trial(engine, std::move(program), std::move(folder));
  RETURN_IF_ERROR(trial.FindRuntime());
  RETURN_IF_ERROR(trial.FillFolder());
  return trial;
}

ContainerTrial::ContainerTrial(ContainerTrial&& other) noexcept
    : engine_(other.engine_),
      program_(std::move(other.program_)),
      runtime_(std::move(other.runtime_)),
      version_(std::move(other.version_)),
      folder_(std::move(other.folder_)),
      has_image_(std::exchange(other.has_image_, false)),
      containers_(other.containers_) {}

ContainerTrial::~ContainerTrial() {
  if (has_image_) {
    (void)Ask(program_, {"rmi", "-f", Image()});
  }
}

Status ContainerTrial::FindRuntime() {
  if (!IsEngine(engine_)) {
    ASSIGN_OR_RETURN(const std::string said, Ask(program_, {"--version"}));
    runtime_ = engine_ == Engine::kRunc ? "runc" : "crun";
    version_ = VersionIn(said);
    return {};
  }
  if (engine_ == Engine::kPodman) {
    ASSIGN_OR_RETURN(runtime_, Ask(program_, {"info", "--format", "{{.Host.OCIRuntime.Name}}"}));
    ASSIGN_OR_RETURN(const std::string said,
                     Ask(program_, {"info", "--format", "{{.Host.OCIRuntime.Version}}"}));
    version_ = VersionIn(said);
    return {};
  }
  ASSIGN_OR_RETURN(runtime_, Ask(program_, {"info", "--format", "{{.DefaultRuntime}}"}));
  // Docker knows its runtimes by name and path, not by version.
  ASSIGN_OR_RETURN(const std::string said, Ask({runtime_}, {"--version"}));
  version_ = VersionIn(said);
  return {};
}

Status ContainerTrial::FillFolder() {
  for (const char* part : {"", "/rootfs", "/rootfs/proc", "/rootfs/sys", "/rootfs/dev",
                           "/rootfs/tmp", "/rootfs/etc", "/rootfs/run", "/state"}) {
    std::error_code error;
    std::filesystem::create_directories(folder_.path() + part, error);
    if (error) {
      return Fail(SystemError(error.value(), "making " + folder_.path() + part));
    }
  }
  ASSIGN_OR_RETURN(const std::string program, ExitProgram(kStatus));
  RETURN_IF_ERROR(WriteFileAtomically(folder_.path() + "/rootfs/exit", program, 0755));
  ASSIGN_OR_RETURN(const std::string waiting, WaitProgram());
  RETURN_IF_ERROR(WriteFileAtomically(folder_.path() + "/rootfs/wait", waiting, 0755));
  if (engine_ != Engine::kDocker) {
    return {};
  }
  ASSIGN_OR_RETURN(const std::string tree,
                   Ask({"tar"}, {"-C", folder_.path() + "/rootfs", "-c", "."}));
  RETURN_IF_ERROR(Ask(program_, {"import", "-", Image()}, tree));
  has_image_ = true;
  return {};
}

Status ContainerTrial::WriteFilter(const SyscallNames& allowed, NoNewPrivileges mode, Entry entry) {
  SyscallNames names = allowed;
  if (entry == Entry::kExec) {
    names.emplace("ppoll");
  }
  const SeccompPolicy policy = OnlyThese(names);
  if (IsEngine(engine_)) {
    return WriteFileAtomically(folder_.path() + "/seccomp.json", WriteSeccompPolicy(policy));
  }
  SandboxConfig config = DefaultSandbox();
  config.arguments = {entry == Entry::kRun ? "/exit" : "/wait"};
  config.root_path = folder_.path() + "/rootfs";
  config.no_new_privileges = mode == NoNewPrivileges::kOn;
  config.seccomp = policy;
  return WriteFileAtomically(folder_.path() + "/config.json", WriteSandboxConfig(config));
}

std::vector<std::vector<std::string>> ContainerTrial::Commands(NoNewPrivileges mode, Entry entry,
                                                               const std::string& container) const {
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.begin(), program_.begin(), program_.end());
    return words;
  };
  if (!IsEngine(engine_)) {
    const std::string state = folder_.path() + "/state";
    if (entry == Entry::kRun) {
      return {with({"--root", state, "run", "--bundle", folder_.path(), container})};
    }
    return {WithoutPipes(with({"--root", state, "create", "--bundle", folder_.path(), container})),
            with({"--root", state, "start", container}),
            with({"--root", state, "exec", container, "/exit"})};
  }
  std::vector<std::string> run =
      with({"run", "--network", "none", "--name", container, "--security-opt",
            "seccomp=" + folder_.path() + "/seccomp.json"});
  if (mode == NoNewPrivileges::kOn) {
    run.insert(run.end(), {"--security-opt", "no-new-privileges"});
  }
  run.emplace_back(entry == Entry::kRun ? "--rm" : "--detach");
  if (engine_ == Engine::kPodman) {
    run.insert(run.end(), {"--rootfs", folder_.path() + "/rootfs"});
  } else {
    run.push_back(Image());
  }
  if (entry == Entry::kRun) {
    run.emplace_back("/exit");
    return {run};
  }
  run.emplace_back("/wait");
  return {WithoutPipes(run), with({"exec", container, "/exit"})};
}

Expected<bool> ContainerTrial::Starts(const SyscallNames& allowed, NoNewPrivileges mode,
                                      Entry entry) {
  const std::string container = fmt::format(
      "{}-{}", std::filesystem::path(folder_.path()).filename().string(), ++containers_);
  RETURN_IF_ERROR(WriteFilter(allowed, mode, entry));
  const std::vector<std::vector<std::string>> commands = Commands(mode, entry, container);
  int status = 0;
  for (std::size_t i = 0; i < commands.size() && status == 0; ++i) {
    const Expected<ProgramOutput> output = RunProgram(commands[i], kTimeout);
    if (!output && output.error().sys_errno != ETIMEDOUT) {
      return Fail(output.error().WithContext(Join(commands[i], " ")));
    }
    constexpr int kHung = -1;
    status = output ? output->exit_code : kHung;
    if (i + 1 < commands.size() && status == kStatus) {
      status = kHung;
    }
  }
  if (status != kStatus || entry == Entry::kExec) {
    // What runs, or what the filter killed half-way.
    std::vector<std::string> removal = {"rm", "-f", container};
    if (engine_ == Engine::kPodman) {
      removal = {"rm", "-f", "-t", "0", container};  // or it asks nicely for 10 s first
    } else if (!IsEngine(engine_)) {
      removal = {"--root", folder_.path() + "/state", "delete", "--force", container};
    }
    (void)Ask(program_, removal);
  }
  return status == kStatus;
}

}  // namespace cordon::cli
