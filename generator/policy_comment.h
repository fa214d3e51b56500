#pragma once

#include <string>
#include <string_view>

namespace cordon {

/// `text` fit to stand in a comment that ends with its line: control bytes become \xNN.
std::string OneLine(std::string_view text);

}  // namespace cordon
