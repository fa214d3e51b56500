#include "model/bounded_compilation.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "common/forked_task.h"

namespace cordon {
namespace {

constexpr unsigned kProcessorSeconds = 5;

/// Of two conditions each and on one call, a thousand rules take libseccomp 2.5.4 less than 0.2 s.
constexpr std::size_t kManyConditionalRules = 1000;

bool ComparesOtherwise(const ArgumentCondition& condition) {
  return condition.comparison != Comparison::kEqual &&
         condition.comparison != Comparison::kMaskedEqual;
}

bool MayNotEnd(const SeccompPolicy& policy) {
  bool several = false;
  bool otherwise = false;
  std::size_t conditional = 0;
  for (const SeccompRule& rule : policy.rules) {
    several = several || rule.conditions.size() > 1;
    otherwise = otherwise || std::ranges::any_of(rule.conditions, ComparesOtherwise);
    conditional += rule.conditions.empty() ? 0 : rule.names.size();
  }
  return (several && otherwise) || conditional > kManyConditionalRules;
}

// What the child sends: kProgram and the instructions, or a failure's code + 1 and its sentence.
constexpr char kProgram = 0;

std::string Pack(const Expected<std::vector<sock_filter>>& program) {
  if (!program) {
    return static_cast<char>(static_cast<int>(program.error().code) + 1) + program.error().message;
  }
  std::string packed(1 + (program->size() * sizeof(sock_filter)), kProgram);
  std::memcpy(packed.data() + 1, program->data(), packed.size() - 1);
  return packed;
}

Expected<std::vector<sock_filter>> Unpack(std::string_view packed) {
  if (!packed.starts_with(kProgram) && !packed.empty()) {
    return Fail(
        MakeError(static_cast<ErrorCode>(packed.front() - 1), std::string(packed.substr(1))));
  }
  if (packed.size() % sizeof(sock_filter) != 1) {
    return Fail(MakeError(ErrorCode::kInternal, "the compiled filter was cut short"));
  }
  packed.remove_prefix(1);
  std::vector<sock_filter> program(packed.size() / sizeof(sock_filter));
  std::memcpy(program.data(), packed.data(), packed.size());
  return program;
}

}  // namespace

Expected<std::vector<sock_filter>> CompileBounded(
    const SeccompPolicy& policy,
    const std::function<Expected<std::vector<sock_filter>>()>& compile) {
  if (!MayNotEnd(policy)) {
    return compile();
  }
  const Expected<std::string> packed =
      RunForked([&] { return Pack(compile()); },
                "compiling the policy's conditions on arguments with libseccomp",
                {.processor_seconds = kProcessorSeconds});
  return packed ? Unpack(*packed) : Fail(packed.error());
}

}  // namespace cordon
