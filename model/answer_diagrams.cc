#include "model/answer_diagrams.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace cordon {
namespace {

constexpr unsigned kRegisters = 6;
constexpr unsigned kBits = 64;
constexpr unsigned kLevels = kRegisters * kBits;

constexpr unsigned LevelOf(unsigned index, unsigned bit) {
  return (index * kBits) + (kBits - 1 - bit);
}

constexpr unsigned IndexOf(unsigned level) {
  return level / kBits;
}

constexpr std::uint64_t BitOf(unsigned level) {
  return std::uint64_t{1} << (kBits - 1 - (level % kBits));
}

constexpr bool IsInHighHalf(unsigned level) {
  return level % kBits < kBits / 2;
}

std::tuple<int, std::uint16_t> Rank(const SeccompAction& action) {
  return {Restrictiveness(action.kind), action.data};
}

}  // namespace

SeccompAction Prefer(const SeccompAction& left, const SeccompAction& right,
                     AnswerPreference preference) {
  const bool left_is_stricter = Rank(left) > Rank(right);
  return left_is_stricter == (preference == AnswerPreference::kMoreRestrictive) ? left : right;
}

std::size_t AnswerDiagrams::HashDecision::operator()(const Decision& decision) const {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  std::uint64_t hash = decision.level;
  hash = (hash * kOdd) ^ decision.zero;
  hash = (hash * kOdd) ^ decision.one;
  return (hash * kOdd) >> 16U;
}

bool AnswerDiagrams::IsAnswer(Node node) const {
  return nodes_[node].level == kLevels;
}

bool AnswerDiagrams::Full() {
  return ++steps_ > kMaxSteps;
}

AnswerDiagrams::Node AnswerDiagrams::Answer(const std::optional<SeccompAction>& action) {
  const auto found = std::ranges::find(answers_, action);
  const auto index = static_cast<Node>(found - answers_.begin());
  if (found == answers_.end()) {
    answers_.push_back(action);
  }
  // Both branches alike would be reduced away, so an answer is put in directly.
  const auto [entry, is_new] =
      known_.try_emplace({kLevels, index, index}, static_cast<Node>(nodes_.size()));
  if (is_new) {
    nodes_.push_back({kLevels, index, index});
  }
  return entry->second;
}

AnswerDiagrams::Node AnswerDiagrams::Decide(unsigned level, Node zero, Node one) {
  if (zero == one) {
    return zero;
  }
  const auto [entry, is_new] =
      known_.try_emplace({level, zero, one}, static_cast<Node>(nodes_.size()));
  if (is_new) {
    nodes_.push_back({level, zero, one});
  }
  return entry->second;
}

AnswerDiagrams::Node AnswerDiagrams::Where(const ArgumentCondition& condition, unsigned bits,
                                           Node holds, Node otherwise) {
  const bool masked = condition.comparison == Comparison::kMaskedEqual;
  if (masked && (condition.value & ~condition.mask) != 0) {
    return otherwise;
  }
  // What is decided by the higher bits, from the lowest bit up: when the bit is below the value's,
  // above it, and when no bit differs.
  Node below = otherwise;
  Node above = otherwise;
  Node same = otherwise;
  switch (condition.comparison) {
    case Comparison::kEqual:
    case Comparison::kMaskedEqual:
      same = holds;
      break;
    case Comparison::kNotEqual:
      below = above = holds;
      break;
    case Comparison::kLess:
      below = holds;
      break;
    case Comparison::kLessOrEqual:
      below = same = holds;
      break;
    case Comparison::kGreater:
      above = holds;
      break;
    case Comparison::kGreaterOrEqual:
      above = same = holds;
      break;
  }
  for (unsigned bit = 0; bit < bits; ++bit) {
    const std::uint64_t one = std::uint64_t{1} << bit;
    if (masked && (condition.mask & one) == 0) {
      continue;
    }
    const unsigned level = LevelOf(condition.index, bit);
    same = (condition.value & one) != 0 ? Decide(level, below, same) : Decide(level, same, above);
  }
  return same;
}

AnswerDiagrams::Node AnswerDiagrams::Combine(Node left, Node right, AnswerPreference preference,
                                             PairMemo& memo) {
  if (left == right || Full()) {
    return left;
  }
  if (const auto found = memo.find({left, right}); found != memo.end()) {
    return found->second;
  }
  // Copies: the table grows below.
  const Decision a = nodes_[left];
  const Decision b = nodes_[right];
  Node result = 0;
  if (a.level == kLevels && b.level == kLevels) {
    const std::optional<SeccompAction> x = answers_[a.zero];
    const std::optional<SeccompAction> y = answers_[b.zero];
    result = !x ? right : !y ? left : Answer(Prefer(*x, *y, preference));
  } else {
    const unsigned level = std::min(a.level, b.level);
    const Node zero = Combine(a.level == level ? a.zero : left, b.level == level ? b.zero : right,
                              preference, memo);
    const Node one = Combine(a.level == level ? a.one : left, b.level == level ? b.one : right,
                             preference, memo);
    result = Decide(level, zero, one);
  }
  memo.emplace(std::pair(left, right), result);
  return result;
}

AnswerDiagrams::Node AnswerDiagrams::Fill(Node function, const SeccompAction& action,
                                          std::map<Node, Node>& memo) {
  if (const auto found = memo.find(function); found != memo.end()) {
    return found->second;
  }
  const Decision decision = nodes_[function];
  Node result = function;
  if (decision.level != kLevels) {
    const Node zero = Fill(decision.zero, action, memo);
    const Node one = Fill(decision.one, action, memo);
    result = Decide(decision.level, zero, one);
  } else if (!answers_[decision.zero]) {
    result = Answer(action);
  }
  memo.emplace(function, result);
  return result;
}

AnswerDiagrams::Node AnswerDiagrams::WithoutHighHalves(Node function, AnswerPreference preference,
                                                       const std::set<unsigned>& registers,
                                                       std::map<Node, Node>& memo) {
  if (Full()) {
    return function;
  }
  if (const auto found = memo.find(function); found != memo.end()) {
    return found->second;
  }
  const Decision decision = nodes_[function];
  Node result = function;
  if (decision.level != kLevels) {
    const Node zero = WithoutHighHalves(decision.zero, preference, registers, memo);
    const Node one = WithoutHighHalves(decision.one, preference, registers, memo);
    PairMemo pairs;
    const bool forgotten =
        IsInHighHalf(decision.level) && registers.contains(IndexOf(decision.level));
    result = forgotten ? Combine(zero, one, preference, pairs) : Decide(decision.level, zero, one);
  }
  memo.emplace(function, result);
  return result;
}

Expected<AnswerDiagrams::Node> AnswerDiagrams::Checked(Node node) const {
  if (steps_ > kMaxSteps) {
    return Fail(MakeError(ErrorCode::kLimit,
                          "the conditions on its arguments are too many to tell them apart"));
  }
  return node;
}

Expected<AnswerDiagrams::Node> AnswerDiagrams::Of(const CallRules& rules) {
  const unsigned bits = rules.comparable_bits() >> (kBits / 2) == 0 ? kBits / 2 : kBits;
  const Node nothing = Answer(std::nullopt);
  Node whole = nothing;
  for (const CallRules::Rule& rule : rules.rules()) {
    std::vector<ArgumentCondition> conditions = rule.conditions;
    // The last register is decided last, and so is built first.
    std::ranges::sort(conditions, std::ranges::greater(), &ArgumentCondition::index);
    Node one = Answer(rule.action);
    for (const ArgumentCondition& condition : conditions) {
      one = Where(condition, bits, one, nothing);
    }
    PairMemo memo;
    whole = Combine(whole, one, AnswerPreference::kMoreRestrictive, memo);
  }
  std::map<Node, Node> memo;
  return Checked(Fill(whole, rules.default_action(), memo));
}

Expected<AnswerDiagrams::Node> AnswerDiagrams::Combine(Node left, Node right,
                                                       AnswerPreference preference) {
  PairMemo memo;
  return Checked(Combine(left, right, preference, memo));
}

Expected<AnswerDiagrams::Node> AnswerDiagrams::WithoutHighHalves(
    Node function, AnswerPreference preference, const std::set<unsigned>& registers) {
  std::map<Node, Node> memo;
  return Checked(WithoutHighHalves(function, preference, registers, memo));
}

std::vector<SeccompAction> AnswerDiagrams::Answers(Node function) const {
  std::vector<SeccompAction> answers;
  std::set<Node> seen;
  std::vector<Node> open = {function};
  while (!open.empty()) {
    const Node node = open.back();
    open.pop_back();
    if (!seen.insert(node).second) {
      continue;
    }
    if (IsAnswer(node)) {
      answers.push_back(answers_[nodes_[node].zero].value_or(SeccompAction{}));
    } else {
      open.insert(open.end(), {nodes_[node].zero, nodes_[node].one});
    }
  }
  return answers;
}

std::optional<SeccompAction> AnswerDiagrams::Constant(Node function) const {
  return IsAnswer(function) ? answers_[nodes_[function].zero] : std::nullopt;
}

std::optional<AnswerExample> AnswerDiagrams::Find(
    Node left, Node right,
    const std::function<bool(const SeccompAction&, const SeccompAction&)>& relation) const {
  struct Place {
    Node left = 0;
    Node right = 0;
    std::array<std::uint64_t, 6> registers{};
  };

  std::set<std::pair<Node, Node>> seen;
  std::vector<Place> open = {{left, right, {}}};
  while (!open.empty()) {
    const Place place = open.back();
    open.pop_back();
    if (!seen.emplace(place.left, place.right).second) {
      continue;
    }
    const Decision& a = nodes_[place.left];
    const Decision& b = nodes_[place.right];
    const unsigned level = std::min(a.level, b.level);
    if (level == kLevels) {
      const SeccompAction x = answers_[a.zero].value_or(SeccompAction{});
      const SeccompAction y = answers_[b.zero].value_or(SeccompAction{});
      if (relation(x, y)) {
        return AnswerExample{place.registers, x, y};
      }
      continue;
    }
    Place one = place;
    one.left = a.level == level ? a.one : place.left;
    one.right = b.level == level ? b.one : place.right;
    one.registers.at(IndexOf(level)) |= BitOf(level);
    open.push_back(one);
    // Taken first: the examples are small numbers.
    open.push_back({a.level == level ? a.zero : place.left, b.level == level ? b.zero : place.right,
                    place.registers});
  }
  return std::nullopt;
}

std::map<AnswerDiagrams::Node, std::vector<ArgumentCondition>> AnswerDiagrams::Branches(
    Node function, unsigned bits) {
  struct Place {
    Node node = 0;
    std::uint64_t mask = 0;
    std::uint64_t value = 0;
  };

  const unsigned index = IndexOf(nodes_[function].level);
  const std::uint64_t all_bits = bits == kBits ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  std::map<Node, std::vector<ArgumentCondition>> branches;
  std::vector<Place> open = {{function, 0, 0}};
  while (!open.empty()) {
    const Place place = open.back();
    open.pop_back();
    const Decision& decision = nodes_[place.node];
    if (IndexOf(decision.level) == index) {
      const std::uint64_t bit = BitOf(decision.level);
      open.push_back({decision.one, place.mask | bit, place.value | bit});
      open.push_back({decision.zero, place.mask | bit, place.value});
    } else if (place.mask == all_bits) {
      branches[place.node].push_back({index, Comparison::kEqual, place.value, 0});
    } else {
      branches[place.node].push_back({index, Comparison::kMaskedEqual, place.value, place.mask});
    }
  }
  return branches;
}

std::optional<ArgumentCondition> AnswerDiagrams::AsOneCondition(Node function, Node successor,
                                                                unsigned bits) {
  const unsigned index = IndexOf(nodes_[function].level);
  const std::uint64_t all_bits = bits == kBits ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  std::uint64_t low = all_bits;
  std::uint64_t high = 0;
  std::vector<ArgumentCondition> others;
  const auto branches = Branches(function, bits);
  for (const auto& [node, conditions] : branches) {
    for (const ArgumentCondition& condition : conditions) {
      const std::uint64_t mask =
          condition.comparison == Comparison::kEqual ? all_bits : condition.mask;
      if (node != successor) {
        others.push_back({index, Comparison::kMaskedEqual, condition.value, mask});
      } else {
        low = std::min(low, condition.value);
        high = std::max(high, condition.value | (all_bits & ~mask));
      }
    }
  }
  std::vector<ArgumentCondition> candidates;
  if (others.size() == 1 && others.front().mask == all_bits) {
    candidates.push_back({index, Comparison::kNotEqual, others.front().value, 0});
  }
  if (low == 0) {
    candidates.push_back({index, Comparison::kLessOrEqual, high, 0});
  } else if (high == all_bits && bits == kBits) {
    // Of 32 bits CanBothHold() would not see that it excludes a masked comparison.
    candidates.push_back({index, Comparison::kGreaterOrEqual, low, 0});
  }
  // The candidate holds exactly for what leads to the successor if it makes the same function.
  for (const ArgumentCondition& candidate : candidates) {
    const Node nothing = Answer(std::nullopt);
    const Node holds = Answer(SeccompAction::Allow());
    Node wanted = nothing;
    for (const ArgumentCondition& condition : branches.at(successor)) {
      PairMemo memo;
      wanted = Combine(wanted, Where(condition, bits, holds, nothing),
                       AnswerPreference::kMorePermissive, memo);
    }
    if (Where(candidate, bits, holds, nothing) == wanted) {
      return candidate;
    }
  }
  return std::nullopt;
}

std::optional<std::vector<AnswerDiagrams::Rule>> AnswerDiagrams::Rules(
    Node function, const SeccompAction& otherwise, unsigned bits, std::size_t maximum,
    std::map<Node, std::vector<Rule>>& memo) {
  if (const auto found = memo.find(function); found != memo.end()) {
    return found->second;
  }
  std::vector<Rule> rules;
  if (const std::optional<SeccompAction> answer = Constant(function)) {
    if (*answer != otherwise) {
      rules.emplace_back(*answer, std::vector<ArgumentCondition>{});
    }
    return rules;
  }
  auto branches = Branches(function, bits);
  for (auto& [successor, conditions] : branches) {
    const auto rest = Rules(successor, otherwise, bits, maximum, memo);
    if (!rest) {
      return std::nullopt;
    }
    if (conditions.size() > 1 && !rest->empty()) {
      if (const auto one = AsOneCondition(function, successor, bits)) {
        conditions = {*one};
      }
    }
    for (const ArgumentCondition& condition : conditions) {
      for (const auto& [answer, others] : *rest) {
        std::vector<ArgumentCondition> all = {condition};
        all.insert(all.end(), others.begin(), others.end());
        rules.emplace_back(answer, std::move(all));
      }
    }
    if (rules.size() > maximum) {
      return std::nullopt;
    }
  }
  memo.emplace(function, rules);
  return rules;
}

Expected<std::vector<AnswerDiagrams::Rule>> AnswerDiagrams::Rules(Node function,
                                                                  const SeccompAction& otherwise,
                                                                  unsigned bits,
                                                                  std::size_t maximum) {
  std::map<Node, std::vector<Rule>> memo;
  std::optional<std::vector<Rule>> rules = Rules(function, otherwise, bits, maximum, memo);
  if (!rules || steps_ > kMaxSteps) {
    return Fail(MakeError(ErrorCode::kLimit,
                          fmt::format("it takes more than {} rules to say it", maximum)));
  }
  std::ranges::sort(*rules);
  return *std::move(rules);
}

}  // namespace cordon
