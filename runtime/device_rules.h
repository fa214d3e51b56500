#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <vector>

#include "common/error.h"
#include "model/resource_limits.h"
#include "runtime/cgroup_plan.h"

/// Which devices the processes of a cgroup may open and make, whatever files lead to them.
namespace cordon {

struct DeviceRequest {
  DeviceKind kind = DeviceKind::kCharacter;
  DeviceNumber device;
  std::uint8_t access = kReadDevice;
};

/// What `rules` say: for each bit of the access the last rule that fits, denied where none does.
DeviceAnswer EvaluateDevice(const std::vector<DeviceRule>& rules, const DeviceRequest& request);

/// The writes to devices.deny and devices.allow (devices.rst of cgroup-v1) that say the same. v1
/// has one default and exceptions to it: fails with kUnsupported for rules that take a part out of
/// an exception.
Expected<std::vector<CgroupStep::Write>> DeviceWritesOfV1(const std::vector<DeviceRule>& rules);

/// The program (BPF_PROG_TYPE_CGROUP_DEVICE) that answers the same on v2: 1 allows, 0 denies.
std::vector<bpf_insn> CompileDeviceRules(const std::vector<DeviceRule>& rules);

/// Loads the program of `rules` and attaches it to the cgroup folder `cgroup` beside those of the
/// folders above, which must allow too (Linux 4.15). It goes with the folder. Needs CAP_BPF and
/// CAP_NET_ADMIN, or CAP_SYS_ADMIN.
Status AttachDeviceProgram(int cgroup, const std::vector<DeviceRule>& rules);

/// What every sandbox with device rules may use: null, zero, full, random, urandom, tty, its
/// terminals.
std::vector<DeviceRule> OrdinaryDevices();

}  // namespace cordon
