#include "model/syscall.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/architecture_tables.h"

namespace cordon {
namespace {

struct Row {
  std::string_view name;
  std::array<std::int32_t, kArchitectureCount> numbers;  ///< -1: this ABI has no such call
};

/// policies/syscalls.csv, one row per name, by name.
constexpr Row kRows[] = {
#include "policies/syscall_rows.inc"
};

using NumberedNames = std::vector<std::pair<std::int32_t, std::string_view>>;

NumberedNames SortByNumber(Architecture arch) {
  NumberedNames table;
  for (const Row& row : kRows) {
    const std::int32_t number = row.numbers.at(static_cast<std::size_t>(arch));
    if (number >= 0) {
      table.emplace_back(number, row.name);
    }
  }
  std::ranges::sort(table);
  return table;
}

const Row* FindRow(std::string_view name) {
  const auto* row = std::lower_bound(
      std::begin(kRows), std::end(kRows), name,
      [](const Row& candidate, std::string_view wanted) { return candidate.name < wanted; });
  return row != std::end(kRows) && row->name == name ? row : nullptr;
}

static_assert(std::is_sorted(std::begin(kRows), std::end(kRows),
                             [](const Row& a, const Row& b) { return a.name < b.name; }),
              "policies/syscalls.csv must be sorted by name, in byte order");

}  // namespace

const std::vector<std::pair<std::int32_t, std::string_view>>& SyscallsOf(Architecture arch) {
  static ArchitectureTables<NumberedNames> tables;
  return tables.For(arch, SortByNumber);
}

std::optional<std::string_view> SyscallName(Syscall call) {
  const auto& table = SyscallsOf(call.arch);
  const auto found =
      std::lower_bound(table.begin(), table.end(), std::pair(call.number, std::string_view()));
  if (found == table.end() || found->first != call.number) {
    return std::nullopt;
  }
  return found->second;
}

std::string SyscallLabel(Syscall call) {
  const auto name = SyscallName(call);
  return name ? std::string(*name) : fmt::format("syscall_{}", call.number);
}

std::optional<std::int32_t> SyscallNumber(Architecture arch, std::string_view name) {
  const Row* row = FindRow(name);
  if (row == nullptr) {
    return std::nullopt;
  }
  const std::int32_t number = row->numbers.at(static_cast<std::size_t>(arch));
  return number < 0 ? std::nullopt : std::optional(number);
}

bool IsSyscallName(std::string_view name) {
  return FindRow(name) != nullptr;
}

}  // namespace cordon
