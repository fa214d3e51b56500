#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"
#include "generator/report/report_views.h"
#include "model/recording_names.h"
#include "model/socket_names.h"

namespace cordon::report {
namespace {

constexpr std::size_t kMaxSocketsShown = 500;
constexpr std::size_t kMaxReasonsShown = 20;

std::string ProtocolText(const SocketKey& key) {
  constexpr int kTcp = 6;
  constexpr int kUdp = 17;
  switch (key.protocol) {
    case 0:
      return {};
    case kTcp:
      return "tcp";
    case kUdp:
      return "udp";
    default:
      return fmt::format("protocol {}", key.protocol);
  }
}

std::string SocketText(const SocketKey& key) {
  std::vector<std::string> words;
  words.emplace_back(SocketFamilyName(key.family).value_or(fmt::format("family {}", key.family)));
  words.emplace_back(SocketTypeName(key.type).value_or(fmt::format("type {}", key.type)));
  if (const std::string protocol = ProtocolText(key); !protocol.empty()) {
    words.push_back(protocol);
  }
  return Join(words, " ");
}

Json ProgramsOf(const Seen& seen) {
  std::vector<std::string> names;
  for (const std::string& executable : seen.executables) {
    if (names.size() == kMaxReasonsShown) {
      names.push_back(fmt::format("and {} more", seen.executables.size() - kMaxReasonsShown));
      break;
    }
    names.push_back(VisibleText(executable));
  }
  return names;
}

}  // namespace

Json ResourcesView(const Recording& recording) {
  Json view;
  view["SOCKET"] = Json::array();
  for (const auto& [key, item] : recording.sockets) {
    if (view["SOCKET"].size() == kMaxSocketsShown) {
      view["MORE_SOCKET_USES"] = {
          {"MORE_COUNT", Grouped(recording.sockets.size() - kMaxSocketsShown)}};
      break;
    }
    view["SOCKET"].push_back(
        {{"SOCKET_OPERATION", Name(key.operation)},
         {"SOCKET_KIND", SocketText(key)},
         {"SOCKET_ADDRESS", VisibleText(key.address)},
         {"SOCKET_PORT", key.port == 0 ? std::string() : std::to_string(key.port)},
         {"SOCKET_COUNT", Grouped(item.seen.count)},
         {"SOCKET_RESULTS", ResultsText(item.results)},
         {"SOCKET_PHASES", PhasesText(item.seen.phases)},
         {"SOCKET_PROGRAM", ProgramsOf(item.seen)}});
  }
  view["NO_SOCKETS"] = recording.sockets.empty();
  view["HAS_SOCKET_USES"] = !recording.sockets.empty();
  view["CAPABILITY"] = Json::array();
  for (const auto& [name, use] : recording.capabilities) {
    Json reasons = Json::array();
    for (const std::string& reason : use.reasons) {
      if (reasons.size() == kMaxReasonsShown) {
        reasons.push_back(fmt::format("and {} more", use.reasons.size() - kMaxReasonsShown));
        break;
      }
      reasons.push_back(VisibleText(reason));
    }
    view["CAPABILITY"].push_back({{"CAPABILITY_NAME", VisibleText(name)},
                                  {"CAPABILITY_PHASES", PhasesText(use.phases)},
                                  {"CAPABILITY_WHY", std::move(reasons)}});
  }
  view["NO_CAPABILITIES"] = recording.capabilities.empty();
  const Resources& peaks = recording.resources;
  const auto peak = [](std::uint64_t value, std::string text) {
    return value == 0 ? std::string("not known") : std::move(text);
  };
  view["PEAK"] = {{{"PEAK_NAME", "memory"},
                   {"PEAK_VALUE", peak(peaks.peak_memory_bytes, Bytes(peaks.peak_memory_bytes))}},
                  {{"PEAK_NAME", "tasks at once"},
                   {"PEAK_VALUE", peak(peaks.peak_tasks, Grouped(peaks.peak_tasks))}},
                  {{"PEAK_NAME", "open files"},
                   {"PEAK_VALUE", peak(peaks.open_files, Grouped(peaks.open_files))}},
                  {{"PEAK_NAME", "CPU time"},
                   {"PEAK_VALUE", peak(peaks.cpu_time_ms, Duration(peaks.cpu_time_ms))}}};
  return view;
}

}  // namespace cordon::report
