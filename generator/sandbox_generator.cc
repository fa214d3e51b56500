#include "generator/sandbox_generator.h"

#include <algorithm>
#include <cctype>

#include "generator/file_changes.h"
#include "generator/landlock_generator.h"
#include "generator/network_need.h"
#include "generator/writable_mounts.h"
#include "model/default_sandbox.h"

namespace cordon {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t kHeadroom =
    4;  ///< limits stop a runaway, not a busier day than the one that was learned
constexpr std::uint64_t kLeastMemory = 256 * kMebibyte;
constexpr std::uint64_t kLeastTasks = 64;
constexpr std::uint64_t kLeastFilesSoft = 1024;
constexpr std::uint64_t kLeastFilesHard = 16384;
constexpr std::size_t kMaxHostname = 63;  ///< hostname(7)

/// `name` with everything that a host name cannot hold turned into '-'.
std::string HostnameFrom(const std::string& name) {
  std::string hostname;
  for (const char c : name.substr(0, kMaxHostname)) {
    hostname += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  }
  while (hostname.ends_with('-')) {
    hostname.pop_back();
  }
  return hostname.empty() ? "cordon" : hostname;
}

void SetCommandAndUser(const Recording& recording, SandboxConfig& config) {
  // Of several runs the smallest, so that the order of the recordings does not matter.
  const Run* first = nullptr;
  config.uid = ~std::uint32_t{0};
  for (const auto& [id, run] : recording.runs) {
    config.uid = std::min(config.uid, run.host.effective_uid);
    if (first == nullptr || run.command < first->command) {
      first = &run;
    }
  }
  if (first == nullptr) {
    config.uid = 0;
    return;
  }
  config.arguments = first->command;
  config.gid = config.uid;
  for (const auto& [key, process] : recording.processes) {
    if (key.parent.empty() && process.uids.contains(config.uid) && !process.gids.empty() &&
        !process.gids.contains(config.gid)) {
      config.gid = *process.gids.begin();
    }
  }
}

void SetLimits(const Resources& peaks, SandboxConfig& config) {
  if (peaks.peak_memory_bytes != 0) {
    const std::uint64_t wanted = std::max(peaks.peak_memory_bytes * kHeadroom, kLeastMemory);
    config.limits.memory_bytes = (wanted + kMebibyte - 1) / kMebibyte * kMebibyte;
  }
  if (peaks.peak_tasks != 0) {
    config.limits.pids = std::max(peaks.peak_tasks * kHeadroom, kLeastTasks);
  }
  if (peaks.open_files != 0) {
    const std::uint64_t soft = std::max(peaks.open_files * kHeadroom, kLeastFilesSoft);
    config.rlimits.push_back({"RLIMIT_NOFILE", std::max(soft, kLeastFilesHard), soft});
  }
}

}  // namespace

Expected<SandboxConfig> GenerateSandbox(const Recording& recording, const std::string& name) {
  SandboxConfig config = DefaultSandbox();
  SetCommandAndUser(recording, config);
  config.hostname = HostnameFrom(name);
  const FileChanges changes(recording);
  const std::vector<Mount> mounts = WritableMounts(recording, changes);
  config.mounts.insert(config.mounts.end(), mounts.begin(), mounts.end());
  config.capabilities.clear();
  for (const auto& [capability, use] : recording.capabilities) {
    config.capabilities.insert(capability);
  }
  SetLimits(recording.resources, config);
  NetworkNeed network = NetworkNeedOf(recording);
  config.network = network.mode;
  config.published = std::move(network.published);
  if (config.network == NetworkMode::kHost) {
    config.namespaces.erase(Namespace::kNetwork);
  }
  config.landlock = LandlockRules(recording, changes);
  return config;
}

}  // namespace cordon
