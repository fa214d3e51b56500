// Any bytes as a filter and a call: a program that the checker takes can be run, ends, and gives
// the same answer twice.

#include <linux/filter.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "model/bpf_interpreter.h"
#include "tests/fuzz/broken.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cordon::SyscallInvocation call;
  constexpr std::size_t kHeader = sizeof(std::int32_t) + sizeof(call.arguments);
  if (size < kHeader) {
    return 0;
  }
  std::memcpy(&call.call.number, data, sizeof(std::int32_t));
  std::memcpy(call.arguments.data(), data + sizeof(std::int32_t), sizeof(call.arguments));
  std::vector<sock_filter> program((size - kHeader) / sizeof(sock_filter));
  if (!program.empty()) {
    std::memcpy(program.data(), data + kHeader, program.size() * sizeof(sock_filter));
  }
  const auto interpreter = cordon::BpfInterpreter::Create(program);
  if (interpreter && interpreter->Run(call) != interpreter->Run(call)) {
    Broken("a filter has one answer to a call", std::to_string(call.call.number));
  }
  return 0;
}
