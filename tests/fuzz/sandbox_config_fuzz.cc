// Any bytes as a config.json: either one sentence that names the source, or a configuration that
// writes to bytes which read back as itself.

#include <cstdint>
#include <string_view>

#include "model/sandbox_config_json.h"
#include "tests/fuzz/broken.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = cordon::ReadSandboxConfig(text, "input.json");
  if (!config) {
    if (!config.error().message.contains("input.json")) {
      Broken("an error names the file", config.error().message);
    }
    return 0;
  }
  const std::string written = cordon::WriteSandboxConfig(*config);
  const auto again = cordon::ReadSandboxConfig(written, "written.json");
  if (!again) {
    Broken("what was written can be read", again.error().message);
  }
  if (*again != *config || cordon::WriteSandboxConfig(*again) != written) {
    Broken("reading gives what was written", written);
  }
  return 0;
}
