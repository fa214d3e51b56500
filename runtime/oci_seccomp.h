#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "model/oci_spec.h"
#include "runtime/oci_process.h"
#include "runtime/oci_process_plan.h"

namespace cordon {

/// The filter of a container's linux.seccomp: what runc would load, from `cache_folder` where it
/// was compiled before (named by the SHA-256 of the profile), else compiled and put there. What the
/// profile names and nobody here knows is left out, as libseccomp does it, with a sentence each in
/// `warnings`. `source` names the document. Fails with kInvalidInput for a profile that is wrong,
/// or for one that must be loaded without no_new_privs and refuses the capset that follows then;
/// with kUnsupported for SCMP_ACT_NOTIFY without a listenerPath. The caller must be
/// single-threaded.
Expected<OciFilter> LoadOciFilter(const OciSeccomp& seccomp, const OciProcessPlan& plan,
                                  const std::string& cache_folder, const std::string& source,
                                  std::vector<std::string>& warnings);

/// That what comes after the filter of `plan`'s process, capset where it keeps a privilege to load
/// it, is allowed by it. Fails with kInvalidInput.
Status CheckOciFilter(const OciFilter& filter, const OciProcessPlan& plan);

}  // namespace cordon
