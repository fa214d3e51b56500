// Any bytes as a profile of Docker's or Podman's, for two kinds of container: either one sentence
// that names the source, or a policy that every consumer reads alike and that writes to bytes which
// read back as itself.

#include <cstdint>
#include <string_view>

#include "model/seccomp_policy_json.h"
#include "tests/fuzz/broken.h"

namespace {

void Try(std::string_view text, const cordon::ProfileContext& context) {
  const auto profile = cordon::ReadContainerProfile(text, "input.json", context);
  if (!profile) {
    if (!profile.error().message.contains("input.json")) {
      Broken("an error names the file", profile.error().message);
    }
    return;
  }
  if (const auto consistent = cordon::CheckConsistent(profile->policy); !consistent) {
    Broken("what was read is consistent", consistent.error().message);
  }
  if (profile->places.size() != profile->policy.rules.size()) {
    Broken("every rule has its place", std::to_string(profile->places.size()));
  }
  for (const cordon::ProfileNote& note : profile->notes) {
    if (!note.text.contains("input.json: " + note.place)) {
      Broken("a note names file and place", note.text);
    }
  }
  const std::string written = cordon::WriteSeccompPolicy(profile->policy);
  const auto again = cordon::ReadSeccompPolicy(written, "written.json");
  if (!again) {
    Broken("what was resolved can be read by all", again.error().message);
  }
  if (*again != profile->policy) {
    Broken("reading gives what was written", written);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Try(text, {cordon::Architecture::kX86_64, cordon::DefaultContainerCapabilities(), {5, 10}});
  Try(text, {cordon::Architecture::kAarch64, {"CAP_SYS_ADMIN", "CAP_BPF"}, {4, 7}});
  return 0;
}
