#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/text.h"
#include "model/control_message.h"
#include "model/json_cursor.h"
#include "model/outcome_json.h"
#include "model/resource_limits_json.h"

namespace cordon {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 7> kKinds = {"inspect", "signal", "exec",  "pause",
                                                    "resume",  "wait",   "update"};
constexpr int kHighestSignal = 64;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Bytes of a command line need not be UTF-8: every byte stands as the code point of its number.
std::vector<std::string> ToLatin1(const std::vector<std::string>& texts) {
  std::vector<std::string> coded;
  for (const std::string& text : texts) {
    std::string& into = coded.emplace_back();
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) {
        into += c;
      } else {
        into += static_cast<char>(0xc0 | byte >> 6);
        into += static_cast<char>(0x80 | (byte & 0x3f));
      }
    }
  }
  return coded;
}

Expected<std::vector<std::string>> FromLatin1(const JsonCursor& list) {
  ASSIGN_OR_RETURN(const std::vector<std::string> coded, list.Strings());
  std::vector<std::string> texts;
  for (const std::string& code : coded) {
    std::string& into = texts.emplace_back();
    for (std::size_t i = 0; i < code.size(); ++i) {
      const auto byte = static_cast<unsigned char>(code[i]);
      if (byte < 0x80) {
        into += code[i];
      } else if (byte <= 0xc3 && i + 1 < code.size()) {
        into +=
            static_cast<char>((byte & 0x3) << 6 | (static_cast<unsigned char>(code[++i]) & 0x3f));
      } else {
        return Fail(list.Mistake("expected one code point below 256 for every byte"));
      }
    }
    if (into.contains('\0')) {
      return Fail(list.Mistake("no argument holds a zero byte"));
    }
  }
  return texts;
}

Expected<TerminalSize> ReadTerminalSize(const JsonCursor& json) {
  constexpr std::int64_t kMost = std::numeric_limits<std::uint16_t>::max();
  ASSIGN_OR_RETURN(const JsonCursor rows_member, json.At("rows"));
  ASSIGN_OR_RETURN(const std::int64_t rows, rows_member.Integer(0, kMost));
  ASSIGN_OR_RETURN(const JsonCursor columns_member, json.At("columns"));
  ASSIGN_OR_RETURN(const std::int64_t columns, columns_member.Integer(0, kMost));
  return TerminalSize{static_cast<std::uint16_t>(rows), static_cast<std::uint16_t>(columns)};
}

}  // namespace

std::string WriteControlRequest(const ControlRequest& request) {
  Json json;
  json["request"] = kKinds.at(static_cast<std::size_t>(request.kind));
  if (request.kind == ControlRequestKind::kSignal) {
    json["signal"] = request.signal;
  }
  if (request.kind == ControlRequestKind::kExecute) {
    json["arguments"] = ToLatin1(request.arguments);
    json["environment"] = ToLatin1(request.environment);
    json["working_directory"] = ToLatin1({request.working_directory});
    if (request.terminal) {
      json["terminal"] = {{"rows", request.terminal->rows}, {"columns", request.terminal->columns}};
    }
  }
  if (request.kind == ControlRequestKind::kUpdate) {
    json["resources"] = Json::parse(WriteResourceLimits(request.limits), nullptr, false);
  }
  return Dump(json);
}

Expected<ControlRequest> ReadControlRequest(std::string_view text, std::string_view source) {
  ASSIGN_OR_RETURN(const nlohmann::json document, JsonCursor::Parse(text, source));
  const JsonCursor json(document, source);
  ASSIGN_OR_RETURN(const JsonCursor kind, json.At("request"));
  ASSIGN_OR_RETURN(const std::string name, kind.String());
  const auto index = static_cast<std::size_t>(std::ranges::find(kKinds, name) - kKinds.begin());
  if (index == kKinds.size()) {
    return Fail(kind.Mistake("no such request"));
  }
  ControlRequest request;
  request.kind = static_cast<ControlRequestKind>(index);
  if (request.kind == ControlRequestKind::kSignal) {
    ASSIGN_OR_RETURN(const JsonCursor member, json.At("signal"));
    ASSIGN_OR_RETURN(const std::int64_t signal, member.Integer(1, kHighestSignal));
    request.signal = static_cast<int>(signal);
  }
  if (request.kind == ControlRequestKind::kExecute) {
    ASSIGN_OR_RETURN(const JsonCursor arguments, json.At("arguments"));
    ASSIGN_OR_RETURN(request.arguments, FromLatin1(arguments));
    if (request.arguments.empty() || request.arguments.front().empty()) {
      return Fail(arguments.Mistake("expected a command"));
    }
    ASSIGN_OR_RETURN(const JsonCursor environment, json.At("environment"));
    ASSIGN_OR_RETURN(request.environment, FromLatin1(environment));
    ASSIGN_OR_RETURN(const JsonCursor folder, json.At("working_directory"));
    ASSIGN_OR_RETURN(const std::vector<std::string> folders, FromLatin1(folder));
    request.working_directory = folders.empty() ? "" : folders.front();
    if (const auto terminal = json.Find("terminal")) {
      ASSIGN_OR_RETURN(request.terminal, ReadTerminalSize(*terminal));
    }
  }
  if (request.kind == ControlRequestKind::kUpdate) {
    ASSIGN_OR_RETURN(const JsonCursor resources, json.At("resources"));
    ASSIGN_OR_RETURN(request.limits, ReadResourceLimits(resources));
  }
  return request;
}

std::string WriteControlReply(const ControlReply& reply) {
  Json json = Json::object();
  if (!reply.error.empty()) {
    json["error"] = ToUtf8(reply.error);
  }
  if (reply.state) {
    json["state"] = Json::parse(WriteSandboxState(*reply.state));
  }
  if (reply.outcome) {
    json["outcome"] = OutcomeJson(*reply.outcome);
  }
  if (reply.terminal) {
    json["terminal"] = true;
  }
  return Dump(json);
}

Expected<ControlReply> ReadControlReply(std::string_view text, std::string_view source) {
  ASSIGN_OR_RETURN(const nlohmann::json document, JsonCursor::Parse(text, source));
  const JsonCursor json(document, source);
  ASSIGN_OR_RETURN(const auto members, json.Members());
  ControlReply reply;
  for (const auto& [name, member] : members) {
    if (name == "error") {
      ASSIGN_OR_RETURN(reply.error, member.String());
    } else if (name == "state") {
      ASSIGN_OR_RETURN(reply.state, ReadSandboxState(member.value().dump(), source));
    } else if (name == "outcome") {
      ASSIGN_OR_RETURN(reply.outcome, ReadOutcome(member));
    } else if (name == "terminal") {
      ASSIGN_OR_RETURN(reply.terminal, member.Boolean());
    } else {
      return Fail(member.Mistake("no part of a reply"));
    }
  }
  return reply;
}

}  // namespace cordon
