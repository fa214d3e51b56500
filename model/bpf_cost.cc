#include "model/bpf_cost.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <queue>
#include <tuple>
#include <vector>

namespace cordon {
namespace {

/// What is known of one 32-bit word of the call on one way: (word & mask) compared with k.
struct WordCondition {
  std::uint32_t mask = 0;
  std::uint32_t k = 0;
  std::uint16_t comparison = BPF_JEQ;  ///< BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET
  bool holds = true;
};

/// Whether a condition holds for all words that begin with certain high bits; nothing: it depends.
std::optional<bool> Decided(const WordCondition& condition, std::uint32_t word, unsigned open) {
  // `open` low bits are not chosen yet: the smallest and the largest that they allow.
  const auto rest = static_cast<std::uint32_t>((std::uint64_t{1} << open) - 1);
  const std::uint32_t low = word & condition.mask;
  const std::uint32_t high = (word | rest) & condition.mask;
  switch (condition.comparison) {
    case BPF_JGT:
      return low > condition.k     ? std::optional(true)
             : high <= condition.k ? std::optional(false)
                                   : std::nullopt;
    case BPF_JGE:
      return low >= condition.k   ? std::optional(true)
             : high < condition.k ? std::optional(false)
                                  : std::nullopt;
    case BPF_JSET:
      return (low & condition.k) != 0    ? std::optional(true)
             : (high & condition.k) == 0 ? std::optional(false)
                                         : std::nullopt;
    default: {  // BPF_JEQ
      const std::uint32_t chosen = ~rest;
      if (((low ^ condition.k) & chosen) != 0 || (condition.k & ~condition.mask) != 0) {
        return false;
      }
      return low == high ? std::optional(true) : std::nullopt;
    }
  }
}

enum class Search : std::uint8_t { kFound, kNone, kGivenUp };

/// A value of the low `open` bits of `word` for which all `conditions` hold.
Search FindWord(const std::vector<WordCondition>& conditions, unsigned open, std::uint32_t& word,
                std::size_t& steps) {
  constexpr std::size_t kMaxSteps = 1U << 14U;
  if (++steps > kMaxSteps) {
    return Search::kGivenUp;
  }
  bool all = true;
  std::uint32_t asked = 0;
  for (const WordCondition& condition : conditions) {
    const std::optional<bool> decided = Decided(condition, word, open);
    if (decided && *decided != condition.holds) {
      return Search::kNone;
    }
    all = all && decided.has_value();
    asked |= decided ? 0 : condition.mask;
  }
  if (all) {
    return Search::kFound;
  }
  const std::uint32_t without = word;
  const std::uint32_t bit = 1U << (open - 1);
  for (const std::uint32_t choice : {0U, bit}) {
    if ((choice & ~asked) != 0) {
      continue;  // nothing depends on it
    }
    word = without | choice;
    const Search search = FindWord(conditions, open - 1, word, steps);
    if (search != Search::kNone) {
      return search;
    }
  }
  return Search::kNone;
}

/// What the accumulator holds.
struct Accumulator {
  std::optional<std::size_t> word;  ///< of the call, masked; nothing: something else
  std::uint32_t mask = 0;
};

void Follow(const sock_filter& instruction, Accumulator& a) {
  const auto kind = BPF_CLASS(instruction.code);
  if (instruction.code == (BPF_LD | BPF_W | BPF_ABS)) {
    a = {instruction.k / 4, 0xffffffff};
  } else if (instruction.code == (BPF_ALU | BPF_AND | BPF_K)) {
    a.mask &= instruction.k;
  } else if (kind == BPF_LD || kind == BPF_ALU || instruction.code == (BPF_MISC | BPF_TXA)) {
    a = {};
  }
}

/// The beginning of a way through the program, up to a conditional jump or the end.
struct Way {
  std::size_t pc = 0;
  std::uint64_t made = 0;   ///< instructions before pc
  std::uint64_t bound = 0;  ///< no way that begins so is longer
  Accumulator a;
  std::array<std::vector<WordCondition>, 16> conditions;
  bool certain = true;  ///< there is a call that goes it

  bool operator<(const Way& other) const {
    return std::tie(bound, made) < std::tie(other.bound, other.made);
  }
};

/// Looks for the dearest way, in the order of what they may cost.
class DearestWay {
 public:
  explicit DearestWay(std::span<const sock_filter> program)
      : program_(program), from_(program.size() + 1, 0) {
    // Jumps lead forward only, so the cost from an instruction on is known once that of all later
    // ones is.
    for (std::size_t i = program.size(); i-- > 0;) {
      const sock_filter& instruction = program[i];
      std::uint64_t rest = 0;
      if (instruction.code == (BPF_JMP | BPF_JA)) {
        rest = from_[i + 1 + instruction.k];
      } else if (BPF_CLASS(instruction.code) == BPF_JMP) {
        rest = std::max(from_[i + 1 + instruction.jt], from_[i + 1 + instruction.jf]);
      } else if (BPF_CLASS(instruction.code) != BPF_RET) {
        rest = from_[i + 1];
      }
      from_[i] = 1 + rest;
    }
  }

  BpfCost Find() {
    constexpr std::size_t kMaxWays = 1U << 14U;
    Add({}, 0);
    for (std::size_t taken = 0; taken < kMaxWays; ++taken) {
      Way way = ways_.top();
      ways_.pop();
      if (BPF_CLASS(program_[way.pc].code) == BPF_RET) {
        return Cost(way);
      }
      const sock_filter& jump = program_[way.pc];
      Branch(way, jump, true, way.pc + 1 + jump.jt);
      Branch(way, jump, false, way.pc + 1 + jump.jf);
    }
    return {program_.size(), ways_.top().bound, {}, false};
  }

 private:
  /// Goes on from `pc` to the next place where there is a choice.
  void Add(Way way, std::size_t pc) {
    while (BPF_CLASS(program_[pc].code) != BPF_RET &&
           (BPF_CLASS(program_[pc].code) != BPF_JMP || program_[pc].code == (BPF_JMP | BPF_JA))) {
      Follow(program_[pc], way.a);
      pc += program_[pc].code == (BPF_JMP | BPF_JA) ? program_[pc].k + 1 : 1;
      ++way.made;
    }
    way.pc = pc;
    way.bound = way.made + from_[pc];
    ways_.push(std::move(way));
  }

  void Branch(Way way, const sock_filter& jump, bool holds, std::size_t target) {
    ++way.made;
    if (!way.a.word || BPF_SRC(jump.code) == BPF_X) {
      way.certain = false;
      Add(std::move(way), target);
      return;
    }
    std::vector<WordCondition>& conditions = way.conditions.at(*way.a.word);
    conditions.push_back(
        {way.a.mask, jump.k, static_cast<std::uint16_t>(BPF_OP(jump.code)), holds});
    std::uint32_t word = 0;
    std::size_t steps = 0;
    const Search search = FindWord(conditions, 32, word, steps);
    if (search == Search::kNone) {
      return;
    }
    way.certain = way.certain && search == Search::kFound;
    Add(std::move(way), target);
  }

  BpfCost Cost(const Way& way) const {
    BpfCost cost{program_.size(), way.bound, {}, way.certain};
    for (std::size_t i = 0; i < cost.dearest.size(); ++i) {
      std::size_t steps = 0;
      (void)FindWord(way.conditions.at(i), 32, cost.dearest.at(i), steps);
    }
    return cost;
  }

  std::span<const sock_filter> program_;
  std::vector<std::uint64_t> from_;  ///< the most that any way from each instruction on takes
  std::priority_queue<Way> ways_;
};

}  // namespace

BpfCost MeasureBpf(std::span<const sock_filter> program) {
  return DearestWay(program).Find();
}

}  // namespace cordon
