#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

#include "common/text.h"
#include "generator/report/file_kind.h"
#include "generator/report/report_views.h"
#include "model/recording_names.h"

namespace cordon::report {
namespace {

constexpr std::size_t kMaxProgramsShown = 300;
constexpr std::size_t kMaxPathsOfAProgram = 40;
constexpr std::size_t kDeepestIndent = 8;

/// What one executable did.
struct Deeds {
  std::set<std::string> calls;
  std::map<FileKind, std::uint64_t> files;
  std::vector<std::string> changed;  ///< the first of them
  std::set<std::string> sockets;
};

std::map<std::string, Deeds> DeedsOf(const Recording& recording) {
  std::map<std::string, Deeds> deeds;
  for (const auto& [call, item] : recording.syscalls) {
    for (const std::string& executable : item.seen.executables) {
      deeds[executable].calls.insert(SyscallLabel(call));
    }
  }
  for (const auto& [key, item] : recording.files) {
    const FileKind kind = KindOf(item);
    for (const std::string& executable : item.seen.executables) {
      Deeds& of = deeds[executable];
      ++of.files[kind];
      if (kind == FileKind::kChanged && of.changed.size() < kMaxPathsOfAProgram) {
        of.changed.push_back(VisibleText(key.path));
      }
    }
  }
  for (const auto& [key, item] : recording.sockets) {
    if (key.address.empty()) {
      continue;
    }
    for (const std::string& executable : item.seen.executables) {
      deeds[executable].sockets.insert(VisibleText(
          key.port == 0
              ? fmt::format("{} {}", Name(key.operation), key.address)
              : fmt::format("{} {} port {}", Name(key.operation), key.address, key.port)));
    }
  }
  return deeds;
}

Json FactsOf(const Deeds& deeds) {
  Json view;
  view["DID_CALLS"] = Join({deeds.calls.begin(), deeds.calls.end()}, " ");
  view["DID_CALL_COUNT"] = Counted(deeds.calls.size(), "system call", "system calls");
  view["DID_KIND"] = Json::array();
  std::uint64_t files = 0;
  for (const auto& [kind, count] : deeds.files) {
    files += count;
    view["DID_KIND"].push_back({{"KIND_CLASS", KindClass(kind)},
                                {"KIND_WORD", KindWord(kind)},
                                {"KIND_COUNT", Grouped(count)}});
  }
  view["DID_FILE_COUNT"] = Counted(files, "path", "paths");
  view["DID_CHANGE"] = deeds.changed;
  const auto changed = deeds.files.find(FileKind::kChanged);
  if (changed != deeds.files.end() && changed->second > deeds.changed.size()) {
    view["MORE_CHANGES"] = {{"MORE_COUNT", Grouped(changed->second - deeds.changed.size())}};
  }
  view["DID_SOCKET"] = Json::array();
  for (const std::string& socket : deeds.sockets) {
    if (view["DID_SOCKET"].size() == kMaxPathsOfAProgram) {
      view["MORE_SOCKETS"] = {{"MORE_COUNT", Grouped(deeds.sockets.size() - kMaxPathsOfAProgram)}};
      break;
    }
    view["DID_SOCKET"].push_back(socket);
  }
  view["HAS_CHANGES"] = !deeds.changed.empty();
  view["HAS_SOCKETS"] = !deeds.sockets.empty();
  return view;
}

using Children = std::map<std::string, std::vector<const ProcessKey*>>;

}  // namespace

Json ProgramsView(const Recording& recording) {
  Children children;
  for (const auto& [key, item] : recording.processes) {
    children[key.parent].push_back(&key);
  }
  const std::map<std::string, Deeds> deeds = DeedsOf(recording);
  Json rows = Json::array();
  std::set<const ProcessKey*> done;
  std::set<std::string> told;
  const auto add = [&](const ProcessKey& key, std::size_t depth) {
    const ProcessObservation& item = recording.processes.at(key);
    Json row;
    row["DEPTH"] = std::min(depth, kDeepestIndent);
    row["PROGRAM"] = VisibleText(key.executable);
    row["PROGRAM_PARENT"] = VisibleText(key.parent);
    row["HAS_PARENT"] = !key.parent.empty();
    row["PROGRAM_TIMES"] = Counted(item.seen.count, "time", "times");
    row["PROGRAM_PHASES"] = PhasesText(item.seen.phases);
    row["PROGRAM_UIDS"] =
        fmt::format("uid {}; gid {}", fmt::join(item.uids, ", "), fmt::join(item.gids, ", "));
    row["PROGRAM_INTERPRETER"] = Json::array();
    for (const std::string& interpreter : item.interpreters) {
      row["PROGRAM_INTERPRETER"].push_back(VisibleText(interpreter));
    }
    // What an executable did is known of the executable, not of who executed it.
    const auto found = deeds.find(key.executable);
    if (!told.insert(key.executable).second) {
      row["TOLD_ABOVE"] = true;
    } else if (found != deeds.end()) {
      row["DID"] = FactsOf(found->second);
    }
    rows.push_back(std::move(row));
  };
  // Depth first; who executes itself, or is executed by several, is followed once.
  std::vector<std::pair<const ProcessKey*, std::size_t>> open;
  const auto open_children = [&](const std::string& parent, std::size_t depth) {
    const auto found = children.find(parent);
    if (found != children.end()) {
      for (const auto& key : std::views::reverse(found->second)) {
        open.emplace_back(key, depth);
      }
    }
  };
  const auto walk = [&] {
    while (!open.empty() && rows.size() < kMaxProgramsShown) {
      const auto [key, depth] = open.back();
      open.pop_back();
      if (!done.insert(key).second) {
        continue;
      }
      add(*key, depth);
      open_children(key->executable, depth + 1);
    }
  };
  open_children("", 0);
  walk();
  // In an attached or a merged recording some were executed by what was not seen itself.
  for (const auto& [key, item] : recording.processes) {
    if (!done.contains(&key)) {
      open.assign({{&key, 0}});
      walk();
    }
  }
  Json view;
  view["PROGRAM_ROW"] = std::move(rows);
  if (recording.processes.size() > view["PROGRAM_ROW"].size()) {
    view["MORE_PROGRAMS"] = {
        {"MORE_COUNT", Grouped(recording.processes.size() - view["PROGRAM_ROW"].size())}};
  }
  return view;
}

}  // namespace cordon::report
