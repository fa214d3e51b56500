#include "generator/allowed_arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/argument_families.h"
#include "model/socket_names.h"

namespace cordon {
namespace {

/// What a condition's values are called: "inet stream" for a socket's.
std::string Describe(const WatchedCall& call, const WatchedValues& values) {
  if (call.name == "socket") {
    const auto family = SocketFamilyName(static_cast<int>(values.at(0)));
    const auto type = SocketTypeName(static_cast<int>(values.at(1)));
    return fmt::format("{} {}", family ? std::string(*family) : std::to_string(values.at(0)),
                       type ? std::string(*type) : std::to_string(values.at(1)));
  }
  return fmt::format("{:#x}", fmt::join(values, " "));
}

}  // namespace

void AddArgument(const WatchedCall& call, const WatchedValues& values, std::string_view reason,
                 AllowedArguments& allowed) {
  const bool is_in = std::ranges::any_of(allowed.blocks, [&](const WatchedBlocks& blocks) {
    return std::ranges::equal(blocks, values, [](const ValueBlock& block, std::uint64_t value) {
      return (value & block.mask) == block.value;
    });
  });
  if (!is_in) {
    allowed.blocks.insert(Exactly(call, values));
    allowed.reasons.push_back(fmt::format("{} {} {}", call.name, Describe(call, values), reason));
  }
}

void AddCovering(const WatchedCall& call, const std::vector<ScalarRange>& ranges,
                 AllowedArguments& allowed) {
  WatchedBlocks common;
  for (const WatchedArgument& argument : call.arguments) {
    common.push_back(CommonBits(ranges.at(argument.position), argument.mask));
  }
  if (call.arguments.size() > 1) {
    allowed.blocks.insert(common);
  } else {
    const WatchedArgument& argument = call.arguments.front();
    for (const ValueBlock& block : CoveringBlocks(ranges.at(argument.position), argument.mask)) {
      allowed.blocks.insert({block});
    }
  }
  allowed.generalised = fmt::format("{}: more than {} {} were seen; allowed is every value",
                                    call.name, kMaxArgumentTuples, call.what);
  for (std::size_t i = 0; i < common.size(); ++i) {
    const ScalarRange& range = ranges.at(call.arguments[i].position);
    allowed.generalised +=
        allowed.blocks.size() > 1
            ? fmt::format(" from {:#x} to {:#x}", range.minimum, range.maximum)
            : fmt::format("{} {:#x} in the bits {:#x}", i == 0 ? " with" : " and", common[i].value,
                          common[i].mask);
  }
  allowed.reasons.push_back(allowed.generalised);
}

void AddArgumentFamilies(const WatchedCall& call, AllowedArguments& allowed) {
  const std::set<WatchedBlocks> before = allowed.blocks;
  for (const ArgumentFamily& family : ArgumentFamilies()) {
    if (family.call == call.name &&
        std::ranges::any_of(family.seen, [&](const WatchedValues& values) {
          return before.contains(Exactly(call, values));
        })) {
      for (const WatchedValues& values : family.values) {
        AddArgument(call, values, fmt::format("for portability: {}", family.reason), allowed);
      }
    }
  }
}

}  // namespace cordon
