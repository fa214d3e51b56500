#include "generator/seccomp_proof.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "generator/attack_surface.h"
#include "model/bpf_interpreter.h"
#include "model/holds.h"
#include "model/recorded_calls.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_names.h"

namespace cordon {
namespace {

bool IsNamed(const RecordedCall& call) {
  return SyscallName(call.invocation.call).has_value();
}

/// One consumer of the policy.
struct Reader {
  std::string name;
  SeccompPolicy policy;  ///< as it reads it
  Expected<std::vector<sock_filter>> (*compile)(const SeccompPolicy&) = nullptr;
  /// Numbers without a name get the default action, which this reader changes: nothing in a profile
  /// could help them.
  bool unnamed_calls_hold = true;
};

std::vector<Reader> ReadersOf(const SeccompPolicy& policy, ContainerRuntime runtime) {
  std::vector<Reader> readers = {
      {"cordon", policy, CompileSeccomp, true},
      {"cordon, notifying", NotifyingVariant(policy), CompileSeccomp, true}};
  if (runtime != ContainerRuntime::kCordon) {
    readers.push_back({"runc 1.1", policy, CompileAsRunc, true});
    readers.push_back({"crun 1.8", policy, CompileAsCrun, true});
    readers.push_back(
        {"runc 1.1 under Docker 20.10", AsDocker2010Reads(policy), CompileAsRunc, false});
  }
  return readers;
}

Expected<SeccompReading> Prove(const Reader& reader, const SeccompPolicy& plain,
                               const std::vector<RecordedCall>& calls) {
  Expected<std::vector<sock_filter>> program = reader.compile(reader.policy);
  if (!program) {
    return Fail(program.error().WithContext(fmt::format("the policy for {}", reader.name)));
  }
  SeccompReading reading{reader.name, MeasureBpf(*program), 0};
  ASSIGN_OR_RETURN(const BpfInterpreter interpreter, BpfInterpreter::Create(*std::move(program)));
  for (const RecordedCall& call : calls) {
    bool holds = true;
    SeccompAction answer;
    for (const SyscallInvocation& invocation :
         {call.invocation, WithDirtyRegisters(call.invocation)}) {
      answer = ActionOfWord(interpreter.Run(invocation));
      if (answer.kind == SeccompActionKind::kNotify &&
          reader.policy.default_action.kind == SeccompActionKind::kNotify) {
        answer = Evaluate(plain, invocation);  // which is what the supervisor answers
      }
      holds = holds && Holds(call.results, answer);
    }
    if (holds) {
      ++reading.held;
      continue;
    }
    if (!IsNamed(call) && !reader.unnamed_calls_hold) {
      continue;
    }
    const std::string what =
        fmt::format("{} on {} ({:#x}, {:#x}, {:#x}), recorded with {}, would get {}",
                    SyscallLabel(call.invocation.call), Name(call.invocation.call.arch),
                    call.invocation.arguments[0], call.invocation.arguments[1],
                    call.invocation.arguments[2], DescribeResults(call.results), Describe(answer));
    if (IsNamed(call) && !LibseccompKnows(SyscallName(call.invocation.call).value_or(""))) {
      return Fail(MakeError(ErrorCode::kUnsupported,
                            fmt::format("{} has no name for a recorded call, so no profile can "
                                        "allow it under {}: {}; with --runtime cordon it can",
                                        SeccompCompilerVersion(), reader.name, what)));
    }
    return Fail(
        MakeError(ErrorCode::kInternal,
                  fmt::format("the policy fails its own proof under {}: {}", reader.name, what)));
  }
  return reading;
}

}  // namespace

Expected<SeccompProof> ProveSeccomp(const Recording& recording, const GeneratedSeccomp& generated,
                                    ContainerRuntime runtime) {
  const std::vector<RecordedCall> calls = RecordedCalls(recording);
  SeccompProof proof;
  proof.recorded = calls.size();
  proof.left_out = generated.left_out;
  proof.unrestricted = generated.unrestricted;
  for (const Reader& reader : ReadersOf(generated.policy, runtime)) {
    ASSIGN_OR_RETURN(SeccompReading reading, Prove(reader, generated.policy, calls));
    proof.readings.push_back(std::move(reading));
  }
  ASSIGN_OR_RETURN(proof.surface, MeasureAttackSurface(generated.policy));
  proof.surface.filter = proof.readings.front().cost;
  return proof;
}

}  // namespace cordon
