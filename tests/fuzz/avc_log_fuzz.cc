// Any bytes as a log of denials: either one sentence that names the source, or a recording that
// reads back as itself.

#include <cstdint>
#include <string_view>

#include "model/avc_log.h"
#include "model/recording_json.h"
#include "tests/fuzz/broken.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto recording = cordon::ReadAvcLog(text, "audit.log", "");
  if (!recording) {
    if (!recording.error().message.contains("audit.log")) {
      Broken("an error names the file", recording.error().message);
    }
    return 0;
  }
  const std::string written = cordon::WriteRecording(*recording);
  const auto again = cordon::ReadRecording(written, "written.json");
  if (!again) {
    Broken("what was read can be written", again.error().message);
  }
  if (cordon::WriteRecording(*again) != written) {
    Broken("a recording of denials is stable", written);
  }
  return 0;
}
