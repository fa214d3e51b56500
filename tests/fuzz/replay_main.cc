// Runs LLVMFuzzerTestOneInput on every file of the folders named on the command line: what a build
// without libFuzzer can do with a corpus. Exit 2 when there is nothing to run, so that a lost
// corpus does not pass as a test.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "common/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  constexpr std::size_t kMaxInputBytes = std::size_t{64} << 20;
  std::vector<std::filesystem::path> inputs;
  for (int i = 1; i < argc; i++) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], error)) {
      inputs.push_back(entry.path());
    }
  }
  std::ranges::sort(inputs);
  for (const auto& path : inputs) {
    const auto content = cordon::ReadFile(path.string(), kMaxInputBytes);
    if (!content) {
      (void)std::fprintf(stderr, "%s\n", content.error().message.c_str());
      return 2;
    }
    std::printf("%s\n", path.c_str());
    const std::vector<std::uint8_t> bytes(content->begin(), content->end());
    (void)LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  if (inputs.empty()) {
    (void)std::fprintf(stderr, "there is no input to run\n");
    return 2;
  }
  std::printf("%zu inputs\n", inputs.size());
  return 0;
}
