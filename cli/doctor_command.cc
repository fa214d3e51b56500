#include <memory>
#include <vector>

#include "cli/command.h"
#include "cli/host_report.h"
#include "cli/print_document.h"
#include "cli/report_error.h"

namespace cordon::cli {
namespace {

enum class DoctorFormat : std::uint8_t { kText, kJson };

int Diagnose(DoctorFormat format) {
  const Expected<HostFacts> facts = ProbeHostFacts();
  if (!facts) {
    return ReportError(facts.error());
  }
  const std::vector<Finding> findings = DiagnoseHost(*facts);
  return PrintDocument(format == DoctorFormat::kJson ? ReportJson(findings) : ReportText(findings),
                       CanEnforce(findings) ? kOk : kAnswerIsNo);
}

}  // namespace

void AddDoctorCommand(CLI::App& app, int& exit_code) {
  auto format = std::make_shared<DoctorFormat>(DoctorFormat::kText);
  CLI::App* doctor = app.add_subcommand(
      "doctor", "What this host offers to this user, and what to do about what is missing");
  doctor->add_flag_callback(
      "--json", [format] { *format = DoctorFormat::kJson; }, "The same as JSON");
  doctor->footer("Exits 1 when something is missing without which a policy cannot be enforced.");
  doctor->callback([format, &exit_code] { exit_code = Diagnose(*format); });
}

}  // namespace cordon::cli
