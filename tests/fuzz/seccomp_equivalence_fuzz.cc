// Bytes spell a policy and calls: what libseccomp compiles answers each call as Evaluate() does.

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/bpf_interpreter.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_policy.h"
#include "tests/fuzz/broken.h"

namespace {

using namespace cordon;

/// Takes numbers off the front of the input; zeros once it is used up.
class Spelling {
 public:
  explicit Spelling(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  std::uint8_t Byte() {
    if (bytes_.empty()) {
      return 0;
    }
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  std::uint64_t Word() {
    std::uint64_t word = 0;
    // The first byte says how many follow: short words are likelier.
    for (int i = Byte() % 9; i > 0; i--) {
      word = (word << 8U) | Byte();
    }
    return word;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

constexpr std::string_view kNames[] = {"read",  "socket", "socketcall", "clone", "ioctl", "openat",
                                       "semop", "ipc",    "clone3",     "mmap",  "mmap2", "prctl"};

SeccompAction ReadAction(Spelling& spelling) {
  switch (spelling.Byte() % 5) {
    case 0:
      return SeccompAction::Errno(1);
    case 1:
      return SeccompAction::Errno(38);
    case 2:
      return SeccompAction::Notify();
    case 3:
      return {SeccompActionKind::kKillProcess, 0};
    default:
      return SeccompAction::Allow();
  }
}

SeccompRule ReadRule(Spelling& spelling) {
  SeccompRule rule;
  rule.names.emplace_back(kNames[spelling.Byte() % std::size(kNames)]);
  rule.action = ReadAction(spelling);
  const std::uint8_t conditions = spelling.Byte();
  for (unsigned index = 0; index < 3; index++) {
    if ((conditions & (1U << index)) == 0) {
      continue;
    }
    ArgumentCondition condition{.index = index};
    condition.comparison = static_cast<Comparison>(spelling.Byte() % 7);
    condition.value = spelling.Word();
    if (condition.comparison == Comparison::kMaskedEqual) {
      condition.mask = spelling.Word();
      condition.value &= condition.mask;
    }
    rule.conditions.push_back(condition);
  }
  return rule;
}

SeccompPolicy ReadPolicy(Spelling& spelling) {
  SeccompPolicy policy;
  policy.default_action = SeccompAction::Errno(38);
  policy.architectures = {Architecture::kX86_64};
  const std::uint8_t more = spelling.Byte();
  if ((more & 1U) != 0) {
    policy.architectures.push_back(Architecture::kX86);
  }
  if ((more & 2U) != 0) {
    policy.architectures.push_back(Architecture::kAarch64);
  }
  for (int rules = spelling.Byte() % 8; rules > 0; rules--) {
    policy.rules.push_back(ReadRule(spelling));
    if (!CheckConsistent(policy)) {
      policy.rules.pop_back();
    }
  }
  return policy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Spelling spelling({data, size});
  const SeccompPolicy policy = ReadPolicy(spelling);
  const auto program = CompileSeccomp(policy);
  if (!program) {
    return 0;  // refused, so nothing is claimed
  }
  const auto interpreter = BpfInterpreter::Create(*program);
  if (!interpreter) {
    Broken("what was compiled passes the kernel's checker", interpreter.error().message);
  }
  do {
    SyscallInvocation call;
    call.call.arch = policy.architectures[spelling.Byte() % policy.architectures.size()];
    call.call.number =
        SyscallNumber(call.call.arch, kNames[spelling.Byte() % std::size(kNames)]).value_or(-1);
    for (unsigned index = 0; index < 3; index++) {
      call.arguments.at(index) = spelling.Word();
    }
    if (ActionOfWord(interpreter->Run(call)) != Evaluate(policy, call)) {
      Broken("the compiled filter means what the policy says", SyscallLabel(call.call));
    }
  } while (!spelling.empty());
  return 0;
}
