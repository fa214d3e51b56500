#include "cli/command_shape.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/text.h"

namespace cordon::cli {
namespace {

/// What the words that stand for values mean; any other is text.
constexpr std::array<std::pair<std::string_view, ValueKind>, 8> kKinds{{
    {"FILE", ValueKind::kFile},
    {"DIR", ValueKind::kDirectory},
    {"RECORDING", ValueKind::kFile},
    {"POLICY", ValueKind::kFile},
    {"INPUT", ValueKind::kFile},
    {"PROFILE", ValueKind::kFile},
    {"A", ValueKind::kFile},
    {"B", ValueKind::kFile},
}};

/// They end as the workload did. Another that takes a command (calibrate) measures by it.
constexpr std::array<std::string_view, 4> kEndAsWorkload{"exec", "profile", "run", "wait"};

ValueKind KindOf(std::string_view value) {
  const auto* const found =
      std::ranges::find(kKinds, value, &std::pair<std::string_view, ValueKind>::first);
  return found == kKinds.end() ? ValueKind::kText : found->second;
}

/// CLI11 writes an option's type as "TEXT:{a,b}" when its value is one of these.
void ReadType(std::string_view type, ArgumentShape& shape) {
  const std::size_t colon = type.find(":{");
  shape.value = std::string(type.substr(0, colon));
  if (colon == std::string_view::npos || !type.ends_with('}')) {
    shape.kind = KindOf(shape.value);
    return;
  }
  shape.kind = ValueKind::kChoice;
  shape.choices = Split(type.substr(colon + 2, type.size() - colon - 3), ',');
  shape.value = Join(shape.choices, "|");
}

ArgumentShape ShapeOf(const CLI::Option& option) {
  ArgumentShape shape;
  shape.description = option.get_description();
  shape.required = option.get_required();
  if (option.get_positional()) {
    const std::string& name = option.get_single_name();
    shape.names = {name};
    shape.value = name;
    shape.kind = name == "NAME" ? ValueKind::kSandbox : KindOf(name);
    shape.repeats = option.get_items_expected_max() > 1;
    return shape;
  }
  for (const std::string& name : option.get_snames()) {
    shape.names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    shape.names.push_back("--" + name);
  }
  if (option.get_items_expected_max() > 0) {
    ReadType(option.get_type_name(), shape);
  }
  return shape;
}

}  // namespace

std::vector<CommandShape> ShapesOf(const CLI::App& app) {
  std::vector<CommandShape> shapes;
  for (const CLI::App* const command :
       app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); })) {
    CommandShape& shape = shapes.emplace_back();
    shape.name = command->get_name();
    shape.description = command->get_description();
    shape.footer = command->get_footer();
    shape.runs_a_command = command->get_prefix_command();
    shape.exit_status = std::ranges::find(kEndAsWorkload, shape.name) == kEndAsWorkload.end()
                            ? ExitStatusMeaning::kAnswer
                            : ExitStatusMeaning::kWorkload;
    for (const CLI::Option* const option : command->get_options()) {
      if (option->get_group().empty()) {
        continue;
      }
      (option->get_positional() ? shape.positionals : shape.options).push_back(ShapeOf(*option));
    }
  }
  std::ranges::sort(shapes, {}, &CommandShape::name);
  return shapes;
}

}  // namespace cordon::cli
