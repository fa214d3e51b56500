#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/error.h"
#include "model/seccomp_policy.h"

namespace cordon {

/// Which of two answers is taken where policies are put together. Actions are in the kernel's order
/// (Restrictiveness()), of two errnos the greater counts as more restrictive, as in Evaluate().
enum class AnswerPreference : std::uint8_t { kMorePermissive, kMoreRestrictive };

/// The one of the two that `preference` says.
SeccompAction Prefer(const SeccompAction& left, const SeccompAction& right,
                     AnswerPreference preference);

/// What a call with certain registers is answered.
struct AnswerExample {
  std::array<std::uint64_t, 6> registers{};
  SeccompAction left;
  SeccompAction right;
};

/// Functions from the six registers of a call to its answer, as decision diagrams over their bits:
/// reduced and ordered (by register, highest bit first), so that two functions are the same exactly
/// if their nodes are equal. What is asked of them is decided for all 2^384 arguments, not sampled.
/// Every function that makes nodes fails with kLimit once all of them together have taken
/// kMaxSteps, which only conditions made for that need; what was made is of no use after that.
class AnswerDiagrams {
 public:
  /// A function; valid for the diagrams that made it.
  using Node = std::uint32_t;

  static constexpr std::size_t kMaxSteps = std::size_t{1} << 20;

  /// What `rules` answer, as CallRules::Answer() does.
  Expected<Node> Of(const CallRules& rules);

  /// At each point the preferred answer of the two.
  Expected<Node> Combine(Node left, Node right, AnswerPreference preference);

  /// The preferred answer of all calls that differ in the high halves of `registers` only, which
  /// are numbers from 0 to 5.
  Expected<Node> WithoutHighHalves(Node function, AnswerPreference preference,
                                   const std::set<unsigned>& registers = {0, 1, 2, 3, 4, 5});

  /// Every answer that it gives to some arguments.
  std::vector<SeccompAction> Answers(Node function) const;

  /// The answer, if it is the same whatever the arguments.
  std::optional<SeccompAction> Constant(Node function) const;

  /// Arguments for which `relation` holds between the answers of the two; nothing if there are
  /// none.
  std::optional<AnswerExample> Find(
      Node left, Node right,
      const std::function<bool(const SeccompAction&, const SeccompAction&)>& relation) const;

  /// An answer and when it is given.
  using Rule = std::pair<SeccompAction, std::vector<ArgumentCondition>>;

  /// The conditions under which `function` answers anything but `otherwise`: rules that exclude
  /// each other, with at most one condition for each register. `bits` (32 or 64) are the bits of a
  /// register that the rules will compare. Fails with kLimit if there are more than `maximum`.
  Expected<std::vector<Rule>> Rules(Node function, const SeccompAction& otherwise, unsigned bits,
                                    std::size_t maximum);

 private:
  struct Decision {
    unsigned level = 0;  ///< of the bit; kLevels for an answer
    Node zero = 0;       ///< for an answer: its index in answers_
    Node one = 0;
    auto operator<=>(const Decision&) const = default;
  };

  struct HashDecision {
    std::size_t operator()(const Decision& decision) const;
  };

  using PairMemo = std::map<std::pair<Node, Node>, Node>;

  bool IsAnswer(Node node) const;
  /// Counts a step; were there too many?
  bool Full();
  Node Answer(const std::optional<SeccompAction>& action);
  Node Decide(unsigned level, Node zero, Node one);
  Node Where(const ArgumentCondition& condition, unsigned bits, Node holds, Node otherwise);
  Node Combine(Node left, Node right, AnswerPreference preference, PairMemo& memo);
  Node Fill(Node function, const SeccompAction& action, std::map<Node, Node>& memo);
  Node WithoutHighHalves(Node function, AnswerPreference preference,
                         const std::set<unsigned>& registers, std::map<Node, Node>& memo);
  Expected<Node> Checked(Node node) const;
  std::map<Node, std::vector<ArgumentCondition>> Branches(Node function, unsigned bits);
  std::optional<ArgumentCondition> AsOneCondition(Node function, Node successor, unsigned bits);
  std::optional<std::vector<Rule>> Rules(Node function, const SeccompAction& otherwise,
                                         unsigned bits, std::size_t maximum,
                                         std::map<Node, std::vector<Rule>>& memo);

  std::vector<Decision> nodes_;
  std::unordered_map<Decision, Node, HashDecision> known_;
  std::vector<std::optional<SeccompAction>> answers_;  ///< nothing: no rule has matched yet
  std::size_t steps_ = 0;
};

}  // namespace cordon
