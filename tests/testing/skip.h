#pragma once

#include <gtest/gtest.h>

/// Skips the running test with a printed reason: for a feature that this host lacks, never for one
/// of ours.
#define SKIP_BECAUSE(reason) GTEST_SKIP() << "SKIPPED: " << (reason)
