#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "model/sandbox_usage.h"

namespace cordon {
namespace {

using Figure = std::optional<std::uint64_t> SandboxUsage::*;

constexpr std::array<std::pair<std::string_view, Figure>, 13> kFigures{{
    {"cpu_us", &SandboxUsage::cpu_us},
    {"throttled_us", &SandboxUsage::throttled_us},
    {"memory_bytes", &SandboxUsage::memory_bytes},
    {"memory_inactive_file_bytes", &SandboxUsage::memory_inactive_file_bytes},
    {"memory_peak_bytes", &SandboxUsage::memory_peak_bytes},
    {"memory_limit_bytes", &SandboxUsage::memory_limit_bytes},
    {"swap_bytes", &SandboxUsage::swap_bytes},
    {"oom_kills", &SandboxUsage::oom_kills},
    {"tasks", &SandboxUsage::tasks},
    {"tasks_limit", &SandboxUsage::tasks_limit},
    {"tasks_refused", &SandboxUsage::tasks_refused},
    {"io_read_bytes", &SandboxUsage::io_read_bytes},
    {"io_written_bytes", &SandboxUsage::io_written_bytes},
}};

}  // namespace

std::string WriteSandboxUsage(const std::string& name, const SandboxUsage& usage) {
  nlohmann::ordered_json json;
  json["name"] = ToUtf8(name);
  for (const auto& [figure, member] : kFigures) {
    if (const std::optional<std::uint64_t>& value = usage.*member) {
      json[std::string(figure)] = *value;
    }
  }
  return json.dump();
}

}  // namespace cordon
