#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/temporary_folder.h"
#include "generator/calibration.h"
#include "generator/syscall_data.h"

namespace cordon::cli {

/// What starts containers.
enum class Engine : std::uint8_t { kDocker, kPodman, kCrun, kRunc };

/// How a program comes into a container.
enum class Entry : std::uint8_t {
  kRun,   ///< as the one that it is started for
  kExec,  ///< by `exec`, while another runs that makes no call but ppoll
};

/// Starts containers on one runtime, each under a filter of its own, to see whether they come to
/// run their program: one that makes no call but exit_group. What it makes on the host (a folder,
/// an image in Docker) is gone with it.
class ContainerTrial {
 public:
  /// `program`: the command that is the engine, with options perhaps. Fails with kNotFound where it
  /// does not answer.
  static Expected<ContainerTrial> Create(Engine engine, std::vector<std::string> program);

  ContainerTrial(const ContainerTrial&) = delete;
  ContainerTrial& operator=(const ContainerTrial&) = delete;
  ContainerTrial(ContainerTrial&& other) noexcept;
  ContainerTrial& operator=(ContainerTrial&&) = delete;
  ~ContainerTrial();

  /// The OCI runtime that the engine uses, and its version as it says: "runc", "1.1.5+ds1".
  const std::string& runtime() const { return runtime_; }

  const std::string& version() const { return version_; }

  /// See ContainerStarts. `mode` is kOn or kOff.
  Expected<bool> Starts(const SyscallNames& allowed, NoNewPrivileges mode, Entry entry);

 private:
  ContainerTrial(Engine engine, std::vector<std::string> program, TemporaryFolder folder)
      : engine_(engine), program_(std::move(program)), folder_(std::move(folder)) {}

  Status FindRuntime();
  Status FillFolder();
  Status WriteFilter(const SyscallNames& allowed, NoNewPrivileges mode, Entry entry);
  /// The commands that bring the program into a container, one after the other; the last one's
  /// exit status is the program's.
  std::vector<std::vector<std::string>> Commands(NoNewPrivileges mode, Entry entry,
                                                 const std::string& container) const;

  Engine engine_;
  std::vector<std::string> program_;
  std::string runtime_;
  std::string version_;
  TemporaryFolder folder_;
  bool has_image_ = false;
  unsigned containers_ = 0;
};

}  // namespace cordon::cli
