#pragma once

#include <string>
#include <vector>

#include "common/child_process.h"
#include "model/sandbox_config.h"
#include "model/seccomp_policy.h"

namespace cordon::testing {

/// Who runs `cordon run` in a test.
enum class Caller : std::uint8_t { kSelf, kNobody };

/// `cordon run ARGUMENTS…` to its end; fails the test when it cannot be run at all.
ProgramOutput CordonRun(const std::vector<std::string>& arguments, Caller caller = Caller::kSelf);

/// The same command without cordon: the control.
ProgramOutput Directly(const std::vector<std::string>& arguments);

/// The path of the victim program `name`.
std::string Victim(const std::string& name);

/// A seccomp policy that allows everything but `names`, which get EPERM.
SeccompPolicy AllBut(const std::vector<std::string>& names);

/// Writes a bundle with these parts into the new folder `path`.
void WriteBundle(const std::string& path, const SandboxConfig& config, const SeccompPolicy& policy);

/// "NAME:\tVALUE" of a /proc/PID/status text -> VALUE.
std::string StatusField(const std::string& status, const std::string& name);

bool IsRoot();

}  // namespace cordon::testing
