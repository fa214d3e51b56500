#include "model/policy_check.h"

#include <utility>

#include "model/holds.h"

namespace cordon {

PolicyCheck CheckRecording(const SeccompPolicy& policy, const Recording& recording) {
  PolicyCheck check;
  for (RecordedCall& call : RecordedCalls(recording)) {
    ++check.calls;
    const CallRules rules(policy, call.invocation.call);
    for (const SyscallInvocation& invocation :
         {call.invocation, WithDirtyRegisters(call.invocation)}) {
      const SeccompAction answer = rules.Answer(invocation.arguments);
      if (!Holds(call.results, answer)) {
        check.unheld.push_back({std::move(call), answer});
        break;
      }
    }
  }
  return check;
}

}  // namespace cordon
