#pragma once

#include <array>
#include <cstddef>
#include <mutex>

#include "model/architecture.h"

namespace cordon {

/// A table for each ABI, made when it is first asked for: few runs need that of more than one.
/// Threads may ask at the same time.
template <typename Table>
class ArchitectureTables {
 public:
  /// `make(arch)` gives the table; it is called once for each ABI.
  template <typename Make>
  const Table& For(Architecture arch, const Make& make) {
    const auto index = static_cast<std::size_t>(arch);
    std::call_once(made_.at(index), [&] { tables_.at(index) = make(arch); });
    return tables_.at(index);
  }

 private:
  std::array<std::once_flag, kArchitectureCount> made_;
  std::array<Table, kArchitectureCount> tables_;
};

}  // namespace cordon
