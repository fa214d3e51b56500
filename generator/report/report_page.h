#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "generator/report/report_value.h"

namespace cordon::report {

/// `page`, a template of ctemplate, with what `view` says: a text or number is the value of its
/// name, `true` shows the section of its name, an object shows it with values of its own, an array
/// once for each element (of a text, as ITEM). Names are taken from the sections around where a
/// section has none of its own. Every value is escaped for the place where it stands, but what the
/// template marks `:none`. Fails with kInternal where the template is no template.
Expected<std::string> ExpandPage(std::string_view page, const Json& view);

}  // namespace cordon::report
