#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "cli/oci/oci_call.h"
#include "common/error.h"
#include "model/oci_spec.h"
#include "runtime/oci_folder.h"
#include "runtime/oci_process.h"
#include "tracer/recorder.h"

namespace cordon::cli {

/// Where recordings go when nobody says.
std::string DefaultRecordingFolder();

/// How a container is to be recorded.
struct OciLearning {
  std::string folder;  ///< of recordings
  std::string name;    ///< of this one, without ".recording.json"
  ContainerRecordOptions record;
};

/// Decides how the container `id` is recorded, and makes `filter` one that its tracer sees through.
/// Nothing where it is not to be. The folder is that of the annotation dev.cordon.recordings, of
/// --cordon-learn, of the variable CORDON_RECORDINGS, or DefaultRecordingFolder(); the name is that
/// of the annotation dev.cordon.name, the engine's name for the container, or `id`. Fails where
/// the folder cannot be made.
Expected<std::optional<OciLearning>> PlanLearning(const OciCall& call, const OciSpec& spec,
                                                  const std::string& id, OciFilter& filter);

/// Leaves a tracer behind for the container in `folder`, whose first process waits for its start.
/// It outlives the caller, and ends with the container, once the recording is written; what goes
/// wrong then is in FOLDER/cordon-learn.log.
Status LeaveTracer(const OciFolder& folder, OciLearning learning, pid_t process);

}  // namespace cordon::cli
