#pragma once

#include <string>

namespace cordon {

/// A module of a policy, as CIL text.
struct CilModule {
  std::string name;
  std::string text;
  bool operator==(const CilModule&) const = default;
};

}  // namespace cordon
