#pragma once

#include <memory>
#include <string>

#include "common/error.h"

namespace cordon {

/// A table of the ip family that lives as long as this: it is made with `flags owner`, so nobody
/// else changes it, and the kernel (Linux 5.12) removes it with the netlink socket that made it,
/// also when this process is killed.
class NftablesTable {
 public:
  NftablesTable(NftablesTable&&) noexcept = default;
  NftablesTable& operator=(NftablesTable&&) noexcept = default;
  NftablesTable(const NftablesTable&) = delete;
  NftablesTable& operator=(const NftablesTable&) = delete;
  ~NftablesTable() = default;

  /// Makes the table `name` and runs `commands` of nft(8), which fill it, as one transaction in the
  /// caller's network namespace. The caller must hold CAP_NET_ADMIN there. kUnsupported where
  /// libnftables.so.1 is not installed, kSystem with nft's own words when the kernel refuses.
  static Expected<NftablesTable> Make(const std::string& name, const std::string& commands);

 private:
  struct Context;

  struct Release {
    void operator()(Context* context) const;
  };

  explicit NftablesTable(std::unique_ptr<Context, Release> context)
      : context_(std::move(context)) {}

  std::unique_ptr<Context, Release> context_;
};

}  // namespace cordon
