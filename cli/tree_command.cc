#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/ask_sandbox.h"
#include "cli/print_document.h"
#include "cli/report_error.h"
#include "cli/resource_commands.h"
#include "common/file.h"
#include "common/printable.h"
#include "common/text.h"
#include "runtime/cgroup_tree.h"
#include "runtime/host_features.h"
#include "runtime/sandbox_processes.h"

namespace cordon::cli {
namespace {

using Commands = std::map<pid_t, std::string>;

/// A cgroup, under the hierarchies in which it looks the same.
struct DrawnCgroup {
  CgroupTree tree;
  std::string path;  ///< from the root of the hierarchy
  std::vector<std::string> controllers;
};

/// A hierarchy that `folder` is in: what it is called and where it is mounted.
std::pair<std::string, std::string> HierarchyOf(const CgroupLayout& layout,
                                                const std::string& folder) {
  std::string controllers;
  std::string root;
  for (const auto& [controller, mount] : layout.v1_roots) {
    if (folder.starts_with(mount + "/")) {
      controllers += (controllers.empty() ? "" : ",") + controller;
      root = mount;
    }
  }
  if (root.empty() && layout.v2_root && folder.starts_with(*layout.v2_root + "/")) {
    return {"v2", *layout.v2_root};
  }
  return {controllers, root};
}

std::vector<DrawnCgroup> CgroupsOf(const SandboxState& state, const CgroupLayout& layout) {
  std::vector<DrawnCgroup> drawn;
  for (const std::string& folder : state.cgroups) {
    const auto [controllers, root] = HierarchyOf(layout, folder);
    CgroupTree tree = ReadCgroupTree(folder);
    const std::string path = folder.substr(root.size());
    const auto same = std::ranges::find_if(
        drawn, [&](const DrawnCgroup& other) { return other.tree == tree && other.path == path; });
    if (same != drawn.end()) {
      same->controllers.push_back(controllers);
    } else {
      drawn.push_back({std::move(tree), path, {controllers}});
    }
  }
  return drawn;
}

std::string CommandOf(const Commands& commands, pid_t pid) {
  constexpr std::size_t kNameLimit = 64;
  if (const auto known = commands.find(pid); known != commands.end()) {
    return Printable(known->second);
  }
  std::string name = ReadFile("/proc/" + std::to_string(pid) + "/comm", kNameLimit).value_or("");
  std::erase(name, '\n');
  return Printable(name);
}

/// As systemd-cgls(1) draws: the processes of a cgroup, then the cgroups below.
void Draw(const CgroupTree& tree, const Commands& commands, const std::string& indent,
          std::string& out) {
  std::size_t left = tree.processes.size() + tree.children.size();
  for (const pid_t pid : tree.processes) {
    out += fmt::format("{}{}{} {}\n", indent, --left == 0 ? "└─" : "├─", pid,
                       CommandOf(commands, pid));
  }
  for (const CgroupTree& child : tree.children) {
    const bool last = --left == 0;
    out += fmt::format("{}{}{}\n", indent, last ? "└─" : "├─", Printable(child.name));
    Draw(child, commands, indent + (last ? "  " : "│ "), out);
  }
}

void DrawSandbox(const SandboxState& state, const CgroupLayout& layout, std::string& out) {
  Commands commands;
  CgroupTree none;
  for (const SandboxProcess& process : SandboxProcesses(state.supervisor)) {
    commands[process.pid] = process.command;
    none.processes.push_back(process.pid);
  }
  out += fmt::format("{} ({}, supervisor {})\n", state.name, state.status, state.supervisor);
  const std::vector<DrawnCgroup> cgroups = CgroupsOf(state, layout);
  if (cgroups.empty()) {
    out += "└─no cgroup of its own\n";
    Draw(none, commands, "  ", out);
  }
  for (const DrawnCgroup& cgroup : cgroups) {
    const bool last = &cgroup == &cgroups.back();
    out += fmt::format("{}{} ({})\n", last ? "└─" : "├─", Printable(cgroup.path),
                       Join(cgroup.controllers, " "));
    Draw(cgroup.tree, commands, last ? "  " : "│ ", out);
  }
}

int Tree(const std::string& name) {
  const Expected<std::vector<SandboxState>> states = InspectSandboxes(name);
  if (!states) {
    return ReportError(states.error());
  }
  const Expected<HostFeatures> host = ProbeHost();
  if (!host) {
    return ReportError(host.error());
  }
  std::string out;
  for (const SandboxState& state : *states) {
    DrawSandbox(state, host->cgroups, out);
  }
  return PrintDocument(out, kOk);
}

}  // namespace

void AddTreeCommand(CLI::App& app, int& exit_code) {
  auto name = std::make_shared<std::string>();
  CLI::App* tree =
      app.add_subcommand("tree", "The cgroups of running sandboxes, and the processes in them");
  tree->add_option("NAME", *name, "Of the sandbox (default: all)");
  tree->callback([name, &exit_code] { exit_code = Tree(*name); });
}

}  // namespace cordon::cli
