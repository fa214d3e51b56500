// Any bytes as a seccomp profile: either one sentence that names the source, or a policy that
// writes to bytes which read back as itself.

#include <cstdint>
#include <string_view>

#include "model/seccomp_policy_json.h"
#include "tests/fuzz/broken.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = cordon::ReadSeccompPolicy(text, "input.json");
  if (!policy) {
    if (!policy.error().message.contains("input.json")) {
      Broken("an error names the file", policy.error().message);
    }
    return 0;
  }
  const std::string written = cordon::WriteSeccompPolicy(*policy);
  const auto again = cordon::ReadSeccompPolicy(written, "written.json");
  if (!again) {
    Broken("what was written can be read", again.error().message);
  }
  if (*again != *policy || cordon::WriteSeccompPolicy(*again) != written) {
    Broken("reading gives what was written", written);
  }
  return 0;
}
