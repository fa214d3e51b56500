#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "generator/convert_policy.h"

namespace cordon {

/// A RawSelinuxProfile object of the Security Profiles Operator (v1alpha2), in JSON, for the module
/// `cil`, whose processes run as the type `domain`. The operator puts the policy into a block
/// called like the object (older releases: NAME_NAMESPACE) and lets pods have the type
/// `process` of it, so the domain gets that name beside its own; comments are left out, since the
/// operator's check of brackets reads them (api/selinuxprofile/v1/rawselinuxprofile_types.go).
/// Deterministic. Fails with kInvalidInput where `name` cannot be an object's (RFC 1123 label).
Expected<ConvertedPolicy> ConvertSelinuxModule(std::string_view cil, std::string_view domain,
                                               const std::string& name);

/// Objects, each a JSON document, as one v1 List, which kubectl takes like them.
std::string ListOfObjects(const std::vector<std::string>& objects);

}  // namespace cordon
