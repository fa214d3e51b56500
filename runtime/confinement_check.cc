#include "runtime/confinement_check.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "common/file.h"
#include "common/text.h"

namespace cordon {
namespace {

constexpr std::size_t kProcFileLimit = std::size_t{1} << 20;

std::map<std::string, std::string> Fields(std::string_view status_text) {
  std::map<std::string, std::string> fields;
  for (const std::string& line : Split(status_text, '\n')) {
    const std::size_t colon = line.find(":\t");
    if (colon != std::string::npos) {
      fields[line.substr(0, colon)] = line.substr(colon + 2);
    }
  }
  return fields;
}

}  // namespace

Status CheckConfinement(std::string_view status_text, const LaunchPlan& plan) {
  const std::map<std::string, std::string> fields = Fields(status_text);
  const std::uint64_t effective = plan.ExpectedEffective();
  std::vector<std::pair<std::string, std::string>> expected{
      {"Seccomp", plan.filter.empty() ? "" : "2"},
      {"NoNewPrivs", plan.no_new_privileges ? "1" : ""},
      {"CapInh", fmt::format("{:016x}", 0)},
      {"CapPrm", fmt::format("{:016x}", effective)},
      {"CapEff", fmt::format("{:016x}", effective)},
      {"CapBnd", fmt::format("{:016x}", plan.capabilities)},
      {"CapAmb", fmt::format("{:016x}", 0)},
  };
  for (const auto& [name, value] : expected) {
    const auto found = fields.find(name);
    const std::string actual = found == fields.end() ? "missing" : found->second;
    if (!value.empty() && actual != value) {
      return Fail(MakeError(
          ErrorCode::kInternal,
          fmt::format("the workload's {} is {} instead of {}: what was planned is not in force",
                      name, actual, value)));
    }
  }
  return {};
}

Status CheckConfinementOf(pid_t pid, const LaunchPlan& plan) {
  const std::string folder = "/proc/" + std::to_string(pid);
  ASSIGN_OR_RETURN(const std::string status, ReadFile(folder + "/status", kProcFileLimit));
  RETURN_IF_ERROR(CheckConfinement(status, plan));
  if (!plan.selinux_label.empty()) {
    ASSIGN_OR_RETURN(std::string label, ReadFile(folder + "/attr/exec", kProcFileLimit));
    while (!label.empty() && (label.back() == '\0' || label.back() == '\n')) {
      label.pop_back();
    }
    if (label != plan.selinux_label) {
      return Fail(MakeError(ErrorCode::kInternal, "the workload's SELinux label for execve is " +
                                                      Quote(label) + " instead of " +
                                                      Quote(plan.selinux_label)));
    }
  }
  return {};
}

}  // namespace cordon
