#pragma once

#include <string_view>

/// The parts of the page that are the same in every report, inside the program
/// (generator/CMakeLists.txt).
namespace cordon::report {

extern const std::string_view kPage;    ///< page/*.html, a template of ctemplate
extern const std::string_view kStyle;   ///< page/style.css
extern const std::string_view kScript;  ///< script/*.js

}  // namespace cordon::report
