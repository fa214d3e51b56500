#include <memory>
#include <string>

#include "cli/ask_sandbox.h"
#include "cli/limit_options.h"
#include "cli/report_error.h"
#include "cli/resource_commands.h"

namespace cordon::cli {
namespace {

struct UpdateOptions {
  std::string name;
  LimitOptions limits;
};

int Update(const UpdateOptions& options) {
  const Expected<ResourceLimits> limits = ParseLimits(options.limits);
  if (!limits) {
    return ReportInputError(limits.error());
  }
  if (*limits == ResourceLimits()) {
    return ReportInputError(InvalidInput("nothing to change: give a limit, such as --memory 256M"));
  }
  ControlRequest request;
  request.kind = ControlRequestKind::kUpdate;
  request.limits = *limits;
  return OrderSandbox(options.name, request);
}

}  // namespace

void AddUpdateCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<UpdateOptions>();
  CLI::App* update = app.add_subcommand("update", "Change the limits of a running sandbox");
  update->add_option("NAME", options->name, "Of the sandbox")->required();
  AddLimitOptions(*update, options->limits);
  update->footer("max lifts a limit: cordon update web --memory max");
  update->callback([options, &exit_code] { exit_code = Update(*options); });
}

}  // namespace cordon::cli
