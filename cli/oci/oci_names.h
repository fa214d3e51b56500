#pragma once

#include <string>

#include "model/oci_spec.h"

namespace cordon::cli {

/// An annotation of the container; empty: it has none of that name.
std::string OciAnnotation(const OciSpec& spec, const std::string& name);

/// What files about the container are called: the annotation dev.cordon.name, the engine's name for
/// it, or `id`.
std::string OciContainerName(const OciSpec& spec, const std::string& id);

}  // namespace cordon::cli
