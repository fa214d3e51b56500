#pragma once

#include "common/error.h"
#include "model/json_cursor.h"
#include "model/outcome.h"

/// An outcome as JSON: {"exited": 3}, {"signaled": 9} or {"not_executed": 2}. For *_json.cc files
/// only.
namespace cordon {

nlohmann::ordered_json OutcomeJson(const Outcome& outcome);

/// Fails with kInvalidInput naming the place.
Expected<Outcome> ReadOutcome(const JsonCursor& json);

}  // namespace cordon
