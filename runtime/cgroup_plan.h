#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/error.h"
#include "model/resource_limits.h"
#include "runtime/cgroup_layout.h"
#include "runtime/launch_request.h"

namespace cordon {

enum class CgroupVersion : std::uint8_t { kV1, kV2 };

/// One cgroup to make below `parent`, and the limits to write into its files, in order.
struct CgroupStep {
  enum class Rule : std::uint8_t {
    kAlways,
    kWhereThere,  ///< the file need not exist (swap accounting)
    kAsParent,    ///< what the parent has, where nothing is there yet: the value is not used
  };

  struct Write {
    std::string file;  ///< or several, separated by '|': the first that is there
    std::string value;
    Rule rule = Rule::kAlways;
    bool operator==(const Write&) const = default;
  };

  CgroupVersion version = CgroupVersion::kV1;
  CgroupPlacement placement = CgroupPlacement::kNearCaller;
  std::string parent;                    ///< a folder below a cgroup mount
  std::string root;                      ///< of `parent`'s hierarchy
  std::vector<std::string> controllers;  ///< what must work in it; of v2 those that it names so
  std::vector<Write> writes;
  std::vector<DeviceRule> devices;  ///< v2: for a program that is attached; empty: none
  LimitOrigin origin = LimitOrigin::kNone;
  bool operator==(const CgroupStep&) const = default;
};

/// A limit that no cgroup of this host can hold.
struct UnheldLimit {
  std::string controller;
  std::string option;  ///< of the command line
  LimitOrigin origin = LimitOrigin::kNone;
  std::string reason;  ///< a clause
};

struct CgroupPlan {
  std::vector<CgroupStep> steps;
  std::vector<UnheldLimit> unheld;
};

/// Where `limits` go on a host of `layout`: each to the v1 hierarchy of its controller where there
/// is one, else to the unified hierarchy. Pure. Fails with kInvalidInput for limits that mean
/// nothing together.
Expected<CgroupPlan> PlanCgroups(const ResourceLimits& limits, const LimitOrigins& origins,
                                 const CgroupLayout& layout);

/// The cpu.weight of v2 that is as much as `shares` of v1: 100 for 1024, which everybody has.
std::uint64_t WeightOfShares(std::uint64_t shares);

/// The origins of `change`, which was asked for; of all else, that it is only proposed.
LimitOrigins OriginsOfChange(const ResourceLimits& change);

}  // namespace cordon
