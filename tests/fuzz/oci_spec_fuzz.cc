// Any bytes as an OCI config.json, as its process and as its resources: either one sentence that
// names the source, or a value that keeps what the readers promise.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/oci_spec_json.h"
#include "tests/fuzz/broken.h"

namespace {

template <typename Value>
void ExpectNamed(const cordon::Expected<Value>& read) {
  if (!read && !read.error().message.contains("input.json")) {
    Broken("an error names the file", read.error().message);
  }
}

void CheckProcess(const cordon::OciProcess& process) {
  if (process.arguments.empty() || !process.working_directory.starts_with('/')) {
    Broken("a process has a command and an absolute folder", process.working_directory);
  }
  for (const std::string& argument : process.arguments) {
    if (argument.contains('\0')) {
      Broken("an argument ends where C says", argument);
    }
  }
}

void CheckSpec(const cordon::OciSpec& spec) {
  if (spec.version.empty() || spec.root_path.empty()) {
    Broken("a configuration has a version and a root", spec.version);
  }
  if (spec.process) {
    CheckProcess(*spec.process);
  }
  for (const cordon::OciMount& mount : spec.mounts) {
    if (!mount.destination.starts_with('/')) {
      Broken("destinations are absolute", mount.destination);
    }
  }
  for (const auto& [name, value] : spec.resources.unified) {
    if (name.contains('/')) {
      Broken("a cgroup's file is in its folder", name);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto spec = cordon::ReadOciSpec(text, "input.json");
  ExpectNamed(spec);
  if (spec) {
    CheckSpec(*spec);
  }
  const auto process = cordon::ReadOciProcess(text, "input.json");
  ExpectNamed(process);
  if (process) {
    CheckProcess(*process);
  }
  ExpectNamed(cordon::ReadOciResources(text, "input.json"));
  return 0;
}
