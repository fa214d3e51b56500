#include "generator/seccomp_proof.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "generator/attack_surface.h"
#include "model/bpf_interpreter.h"
#include "model/holds.h"
#include "model/recorded_calls.h"
#include "model/seccomp_comparison.h"
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

bool MayAdmit(const SeccompPolicy& policy, Syscall call) {
  const CallRules rules(policy, call);
  return rules.CanAnswer(SeccompActionKind::kAllow) || rules.CanAnswer(SeccompActionKind::kLog) ||
         Admits(rules.default_action());
}

/// "execve", "socket (some arguments)": what `whole` admits and `serving` does not.
Expected<std::vector<std::string>> Withheld(const SeccompPolicy& whole,
                                            const SeccompPolicy& serving) {
  ASSIGN_OR_RETURN(const std::vector<AnswerDifference> differences,
                   FindDifferences(whole, serving, AnswerRelation::kLeftIsLarger));
  std::set<std::string> names;
  for (const AnswerDifference& difference : differences) {
    if (Admits(difference.left)) {
      const Syscall call = difference.example.call;
      names.insert(SyscallLabel(call) + (MayAdmit(serving, call) ? " (some arguments)" : ""));
    }
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace

Expected<ServingProof> ProveServing(const Recording& recording, const Recording& serving_calls,
                                    const SeccompPolicy& whole, const SeccompPolicy& serving) {
  ServingProof proof;
  for (const auto& [id, run] : recording.runs) {
    if (!run.serving_when.empty()) {
      proof.when.insert(run.serving_when);
    }
  }
  ASSIGN_OR_RETURN(const std::vector<AnswerDifference> wider,
                   FindDifferences(serving, whole, AnswerRelation::kLeftIsLarger));
  for (const AnswerDifference& difference : wider) {
    if (Admits(difference.left)) {
      return Fail(MakeError(ErrorCode::kInternal,
                            fmt::format("the policy for serving fails its own proof: it admits {}, "
                                        "which the policy does not",
                                        DescribeInvocation(difference.example))));
    }
  }
  const std::vector<RecordedCall> calls = RecordedCalls(serving_calls);
  proof.recorded = calls.size();
  const SeccompPolicy filter = TwoPhaseVariant(serving);
  ASSIGN_OR_RETURN(SeccompReading start,
                   Prove({"cordon, two phases, before the boundary", filter, CompileSeccomp, true},
                         whole, RecordedCalls(recording)));
  ASSIGN_OR_RETURN(SeccompReading serve,
                   Prove({"cordon, two phases, after the boundary", filter, CompileSeccomp, true},
                         serving, calls));
  proof.readings = {std::move(start), std::move(serve)};
  ASSIGN_OR_RETURN(proof.withheld, Withheld(whole, serving));
  ASSIGN_OR_RETURN(proof.surface, MeasureAttackSurface(serving));
  proof.surface.filter = proof.readings.front().cost;
  return proof;
}

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
