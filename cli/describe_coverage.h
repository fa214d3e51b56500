#pragma once

#include <string>

#include "model/recording.h"

namespace cordon::cli {

/// The last lines of `show`: whether the recording is complete, complete except for something, or
/// partial, and what is missing, one line each.
std::string DescribeVerdict(const Recording& recording);

/// When the runs found something new for the last time, and how likely the next call or use of a
/// file is to be of a kind that was not seen (Good-Turing estimate); empty where nothing was
/// counted.
std::string DescribeSaturation(const Recording& recording);

}  // namespace cordon::cli
