#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "model/syscall.h"

namespace cordon {

/// What a filter answers (seccomp(2)), in the kernel's order of restrictiveness.
enum class SeccompActionKind : std::uint8_t {
  kAllow,
  kLog,
  kTrace,
  kNotify,
  kErrno,
  kTrap,
  kKillThread,
  kKillProcess
};

struct SeccompAction {
  SeccompActionKind kind = SeccompActionKind::kAllow;
  std::uint16_t data = 0;  ///< the errno of kErrno, the message of kTrace; 0 otherwise

  static constexpr SeccompAction Allow() { return {SeccompActionKind::kAllow, 0}; }

  static constexpr SeccompAction Errno(std::uint16_t value) {
    return {SeccompActionKind::kErrno, value};
  }

  static constexpr SeccompAction Notify() { return {SeccompActionKind::kNotify, 0}; }

  auto operator<=>(const SeccompAction&) const = default;
};

/// Comparison of one 64-bit register with constants, as SCMP_CMP_*.
enum class Comparison : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kMaskedEqual
};

/// One condition on one register argument.
struct ArgumentCondition {
  unsigned index = 0;  ///< 0..5
  Comparison comparison = Comparison::kEqual;
  std::uint64_t value = 0;  ///< for kMaskedEqual: compared with (register & mask)
  std::uint64_t mask = 0;   ///< kMaskedEqual only

  auto operator<=>(const ArgumentCondition&) const = default;
};

/// `action` for each of `names` when all `conditions` hold. Two conditions never name the same
/// index: runc, crun and Podman would read them as alternatives (docs/decisions).
struct SeccompRule {
  std::vector<std::string> names;  ///< as in policies/syscalls.csv, or "syscall_N" never: unnamed
                                   ///< calls cannot be said in a profile
  SeccompAction action;
  std::vector<ArgumentCondition> conditions;
  std::string comment;  ///< why this rule is here; not part of the meaning
  bool operator==(const SeccompRule&) const = default;
};

struct SeccompPolicy {
  SeccompAction default_action;
  std::vector<Architecture>
      architectures;  ///< calls of any other architecture get the default action
  std::vector<SeccompRule> rules;
  std::set<std::string> flags;  ///< "SECCOMP_FILTER_FLAG_LOG", …
  bool operator==(const SeccompPolicy&) const = default;
};

/// What `policy` answers to `invocation`: the reference semantics that BPF and kernel are tested
/// against. It is what runc 1.1, crun 1.8 and libseccomp 2.5 make of the same document:
/// - a rule names a call on every architecture of the policy that has it; calls of any other
/// architecture get the default action
///   (under runc and crun they kill the thread instead);
/// - a rule whose action is the default action is as if it were not there: all of them skip it;
/// - a rule for a call that x86, s390x and ppc64le also reach through socketcall(2) or ipc(2)
/// speaks for that way in too (there its condition on
///   argument 0 is lost), unless a rule names the multiplexer itself without a condition;
/// - on 32-bit architectures only the low halves of value, mask and register are compared.
/// Of several rules that match, the most restrictive action wins, in the kernel's order
/// KILL_PROCESS > KILL_THREAD > TRAP > ERRNO > NOTIFY > TRACE > LOG > ALLOW, between two errnos the
/// greater. Only for a policy that passes CheckConsistent() is that what libseccomp makes of it.
SeccompAction Evaluate(const SeccompPolicy& policy, const SyscallInvocation& invocation);

/// What a policy answers to one call, worked out once for many argument values.
class CallRules {
 public:
  struct Rule {
    SeccompAction action;
    std::vector<ArgumentCondition> conditions;  ///< as they are compared on the call's architecture
    std::size_t index = 0;                      ///< in SeccompPolicy::rules
  };

  CallRules(const SeccompPolicy& policy, Syscall call);

  /// As Evaluate() of the call with these registers.
  SeccompAction Answer(const std::array<std::uint64_t, 6>& arguments) const;

  /// The rule that Answer() goes by; nothing where it is the default action.
  const Rule* Find(const std::array<std::uint64_t, 6>& arguments) const;

  /// Is there a rule with such an action, whatever its conditions?
  bool CanAnswer(SeccompActionKind kind) const;

  /// Those that may match; where none does, the call gets the default action.
  const std::vector<Rule>& rules() const { return rules_; }

  const SeccompAction& default_action() const { return default_action_; }

  /// The bits of a register that are compared: the low 32 on 32-bit architectures and x32.
  std::uint64_t comparable_bits() const { return comparable_bits_; }

 private:
  SeccompAction default_action_;
  std::uint64_t comparable_bits_ = 0;
  std::vector<Rule> rules_;
};

/// Does `policy` mean the same to every consumer, in whatever order it applies the rules?
/// libseccomp lets an unconditional rule swallow the conditional ones of the same call, keeps the
/// first of two unconditional ones, and tries overlapping conditions in an order of its own. So any
/// two rules for one call that differ in action must have conditions on the same argument that
/// exclude each other. Fails with kInvalidInput, naming the call and both rules by index, where
/// they do not; also for an argument index over 5, two conditions on one index, a masked comparison
/// that can never hold, a name that is no call, and a policy without architectures.
Status CheckConsistent(const SeccompPolicy& policy);

/// Two rules for one call that differ in action and do not exclude each other.
struct RuleConflict {
  std::size_t first = 0;  ///< both in SeccompPolicy::rules
  std::size_t second = 0;
  Syscall call;
};

/// The first such pair, if any: what CheckConsistent() refuses.
std::optional<RuleConflict> FindRuleConflict(const SeccompPolicy& policy);

/// "rules X and Y answer differently to the same CALL …", with what the caller calls the two rules.
std::string Describe(const RuleConflict& conflict, std::string_view first, std::string_view second);

/// Can one register value satisfy both? Exact for two masked or equality comparisons and for two
/// ranges; otherwise errs towards true.
bool CanBothHold(const ArgumentCondition& left, const ArgumentCondition& right);

/// How "socket", "semop" and their kin are also reached on x86, s390x and ppc64le.
struct MultiplexedWay {
  std::string_view multiplexer;  ///< "socketcall" or "ipc"
  std::uint64_t code = 0;  ///< its argument 0, SYS_* of linux/net.h or the SEMOP … of linux/ipc.h
};

/// The multiplexed way to call `name` on `arch`, if libseccomp knows one.
std::optional<MultiplexedWay> FindMultiplexedWay(Architecture arch, std::string_view name);

/// Is a call that gets `action` made: ALLOW or LOG? What NOTIFY and TRACE lead to, others decide.
bool Admits(const SeccompAction& action);

/// The position of `kind` in the kernel's order of restrictiveness; greater is more restrictive.
int Restrictiveness(SeccompActionKind kind);

}  // namespace cordon
