#include "generator/report/report_page.h"

#include <ctemplate/template.h>

namespace cordon::report {
namespace {

// NOLINTNEXTLINE(misc-no-recursion): as deep as the sections of the template
void Fill(ctemplate::TemplateDictionary& dictionary, const Json& view) {
  for (const auto& [name, value] : view.items()) {
    if (value.is_string()) {
      dictionary.SetValue(name, value.get_ref<const std::string&>());
    } else if (value.is_number()) {
      dictionary.SetValue(name, value.dump());
    } else if (value.is_boolean()) {
      if (value.get<bool>()) {
        dictionary.ShowSection(name);
      }
    } else if (value.is_object()) {
      Fill(*dictionary.AddSectionDictionary(name), value);
    } else if (value.is_array()) {
      for (const Json& element : value) {
        ctemplate::TemplateDictionary& section = *dictionary.AddSectionDictionary(name);
        if (element.is_object()) {
          Fill(section, element);
        } else if (element.is_string()) {
          section.SetValue("ITEM", element.get_ref<const std::string&>());
        }
      }
    }
  }
}

}  // namespace

Expected<std::string> ExpandPage(std::string_view page, const Json& view) {
  ctemplate::TemplateCache cache;
  const std::string source = "{{%AUTOESCAPE context=\"HTML\"}}" + std::string(page);
  std::string text;
  if (!cache.StringToTemplateCache("report", source, ctemplate::STRIP_BLANK_LINES)) {
    return Fail(MakeError(ErrorCode::kInternal, "the template of the report is not one"));
  }
  ctemplate::TemplateDictionary dictionary("report");
  Fill(dictionary, view);
  if (!cache.ExpandWithData("report", ctemplate::STRIP_BLANK_LINES, &dictionary, nullptr, &text)) {
    return Fail(MakeError(ErrorCode::kInternal, "the template of the report could not be filled"));
  }
  return text;
}

}  // namespace cordon::report
