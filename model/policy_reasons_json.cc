#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "model/json_cursor.h"
#include "model/policy_reasons.h"

namespace cordon {

Expected<PolicyReasons> ReadPolicyReasons(std::string_view text, std::string_view source) {
  ASSIGN_OR_RETURN(const nlohmann::json json, JsonCursor::Parse(text, source));
  ASSIGN_OR_RETURN(const JsonCursor list, JsonCursor(json, source).At("seccomp"));
  ASSIGN_OR_RETURN(const std::vector<JsonCursor> elements, list.Elements());
  PolicyReasons reasons;
  for (const JsonCursor& element : elements) {
    ASSIGN_OR_RETURN(const JsonCursor place, element.At("rule"));
    ASSIGN_OR_RETURN(const std::string rule, place.String());
    ASSIGN_OR_RETURN(const JsonCursor lines, element.At("reasons"));
    ASSIGN_OR_RETURN(reasons[rule], lines.Strings());
  }
  return reasons;
}

std::vector<std::string> ReasonsFor(std::string_view name, const std::vector<std::string>& names,
                                    const std::vector<std::string>& reasons) {
  std::vector<std::string> chosen;
  std::ranges::copy_if(reasons, std::back_inserter(chosen), [&](const std::string& reason) {
    const std::string_view subject = std::string_view(reason).substr(0, reason.find(':'));
    return subject == name || std::ranges::find(names, subject) == names.end();
  });
  return chosen;
}

}  // namespace cordon
