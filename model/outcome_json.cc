#include "model/outcome_json.h"

#include <cstdint>

namespace cordon {
namespace {

constexpr int kHighestSignal = 64;
constexpr int kHighestErrno = 4095;

}  // namespace

nlohmann::ordered_json OutcomeJson(const Outcome& outcome) {
  if (const auto* exited = std::get_if<Exited>(&outcome)) {
    return {{"exited", exited->code}};
  }
  if (const auto* signaled = std::get_if<Signaled>(&outcome)) {
    return {{"signaled", signaled->signal}};
  }
  return {{"not_executed", std::get<NotExecuted>(outcome).sys_errno}};
}

Expected<Outcome> ReadOutcome(const JsonCursor& json) {
  ASSIGN_OR_RETURN(const auto members, json.Members());
  if (members.size() == 1) {
    const auto& [name, cursor] = members.front();
    if (name == "exited") {
      ASSIGN_OR_RETURN(const std::int64_t code, cursor.Integer(0, 255));
      return Exited{static_cast<int>(code)};
    }
    if (name == "signaled") {
      ASSIGN_OR_RETURN(const std::int64_t signal, cursor.Integer(1, kHighestSignal));
      return Signaled{static_cast<int>(signal)};
    }
    if (name == "not_executed") {
      ASSIGN_OR_RETURN(const std::int64_t error, cursor.Integer(1, kHighestErrno));
      return NotExecuted{static_cast<int>(error)};
    }
  }
  return Fail(json.Mistake("expected one of exited, signaled, not_executed"));
}

}  // namespace cordon
