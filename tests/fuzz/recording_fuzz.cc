// Any bytes as a recording: either one sentence that names the source, or a recording that writes
// to bytes which read back as itself.

#include <cstdint>
#include <string_view>

#include "model/recording_json.h"
#include "tests/fuzz/broken.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto recording = cordon::ReadRecording(text, "input.json");
  if (!recording) {
    if (!recording.error().message.contains("input.json")) {
      Broken("an error names the file", recording.error().message);
    }
    return 0;
  }
  const std::string written = cordon::WriteRecording(*recording);
  const auto again = cordon::ReadRecording(written, "written.json");
  if (!again) {
    Broken("what was written can be read", again.error().message);
  }
  if (*again != *recording || cordon::WriteRecording(*again) != written) {
    Broken("reading gives what was written", written);
  }
  cordon::Recording merged = *recording;
  merged.Merge(*recording);
  if (merged != *recording) {
    Broken("merging is idempotent", written);
  }
  return 0;
}
