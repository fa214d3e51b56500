#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"
#include "model/oci_spec.h"

/// Reads what OCI runtimes are given (runtime-spec 1.2: config.md, config-linux.md). A member that
/// is not understood, or that means something this build cannot do, is kInvalidInput with `source`
/// and its JSON pointer; a document over the limit is kLimit. A member that is null is as if it
/// were not there, which is how Go's writers say that.
namespace cordon {

inline constexpr std::size_t kMaxOciSpecBytes = std::size_t{16} << 20;

/// A config.json.
Expected<OciSpec> ReadOciSpec(std::string_view text, std::string_view source);

/// The object `process` of one by itself, as `exec --process` takes it.
Expected<OciProcess> ReadOciProcess(std::string_view text, std::string_view source);

/// The object `linux.resources` of one by itself, as `update --resources` takes it.
Expected<OciResources> ReadOciResources(std::string_view text, std::string_view source);

/// What "rslave" and its like say; nothing for another word.
std::optional<OciPropagationMode> OciPropagationFromName(std::string_view name);

}  // namespace cordon
