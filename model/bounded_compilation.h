#pragma once

#include <linux/filter.h>

#include <functional>
#include <vector>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// What `compile` makes of `policy` by libseccomp, which does not end for every policy: 2.5.4 goes
/// round in circles on some where a rule has several conditions and one compares otherwise than by
/// equality (its _db_tree_add meets a node again that it has just split), and takes quadratic time
/// over the conditional rules of a call. A policy that may be such a one is compiled in a child
/// process that may use five seconds of processor time. Fails like `compile`, and with kLimit when
/// that time is over. The caller must be single-threaded.
Expected<std::vector<sock_filter>> CompileBounded(
    const SeccompPolicy& policy,
    const std::function<Expected<std::vector<sock_filter>>()>& compile);

}  // namespace cordon
