// Any bytes as records of the kernel's audit, one a line: its type, a blank, its text. What comes
// of them are refusals with a rule each, which can be written in a line.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/text.h"
#include "runtime/landlock_records.h"
#include "tests/fuzz/broken.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  cordon::LandlockRecords records;
  records.NoteLauncher(7299, {});
  for (const std::string& line : cordon::Split(text, '\n')) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    const auto type = cordon::ParseUnsigned(line.substr(0, blank));
    records.Take(static_cast<std::uint16_t>(type.value_or(0)),
                 std::string_view(line).substr(blank));
  }
  for (const cordon::Violation& violation : records.Give(cordon::LandlockRecords::Which::kAll)) {
    if (!violation.is_refusal()) {
      Broken("a refusal lacks a rule", violation.call);
    }
    if (cordon::Describe(violation).contains('\n')) {
      Broken("a refusal is one line", violation.call);
    }
  }
  return 0;
}
