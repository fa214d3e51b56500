#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "model/attack_surface.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string AttackSurfaceJson(const AttackSurface& surface) {
  Json json;
  json["architectures"] = Json::object();
  for (const auto& [name, calls] : surface.architectures) {
    const bool listed =
        std::ranges::find(surface.policy_architectures, name) != surface.policy_architectures.end();
    json["architectures"][name] = {{"listed", listed},
                                   {"known_calls", calls.known},
                                   {"refused_calls", calls.known - calls.admitted},
                                   {"admitted_calls", calls.admitted},
                                   {"admitted_for_some_arguments", calls.conditional},
                                   {"docker_default_admits", calls.docker_default}};
  }
  json["dangerous_groups"] = {{"known", surface.known_groups}, {"open", Json::array()}};
  for (const OpenGroup& group : surface.open_groups) {
    json["dangerous_groups"]["open"].push_back(
        {{"group", group.group}, {"reason", group.reason}, {"calls", group.calls}});
  }
  json["dangerous_groups"]["docker_default_open"] = surface.docker_default_open;
  if (surface.filter) {
    json["filter"] = {{"instructions", surface.filter->instructions},
                      {"worst_case_instructions", surface.filter->worst_case}};
  }
  return json.dump();
}

std::vector<std::string> DescribeAttackSurface(const AttackSurface& surface) {
  std::vector<std::string> phrases;
  for (const std::string& name : surface.policy_architectures) {
    const AdmittedCalls& calls = surface.architectures.at(name);
    phrases.push_back(fmt::format(
        "{} of {} calls of {} admitted, {} of them for some arguments only (Docker's default: {})",
        calls.admitted, calls.known, name, calls.conditional, calls.docker_default));
  }
  std::vector<std::string> open;
  std::ranges::transform(surface.open_groups, std::back_inserter(open), &OpenGroup::group);
  phrases.push_back(fmt::format("{} of {} dangerous groups open{}{} (Docker's default: {})",
                                open.size(), surface.known_groups, open.empty() ? "" : ": ",
                                Join(open, ", "), surface.docker_default_open.size()));
  if (surface.filter) {
    phrases.push_back(fmt::format("a filter of {} instructions, at most {} of them for a call",
                                  surface.filter->instructions, surface.filter->worst_case));
  }
  return phrases;
}

}  // namespace cordon
