#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tracer/call_shape.h"

/// The memory in a traced process from which its stubs decide, by themselves, whether a call is
/// known. All of it lies behind the stubs' code, is written by the tracer while the process runs,
/// and holds nothing that a wrong value could turn into more than a call seen or not seen.
namespace cordon {

/// Offsets into the memory, in bytes.
struct KnownCallsLayout {
  static constexpr std::uint64_t kSeed = 0;  ///< u64: what keys begin with
  static constexpr std::uint64_t kNamesSeed =
      8;  ///< u64: what keys of calls with a path begin with
  static constexpr std::uint64_t kNameKeysAddress = 0x10;  ///< u64: where kNameKeys lies
  static constexpr std::uint64_t kPendingAddress = 0x18;   ///< u64: where kPending lies
  /// u8: a call with a path that is not known is made first and reported then.
  static constexpr std::uint64_t kReportsUnknown = 0x20;
  static constexpr std::uint64_t kPlain = 0x200;  ///< u8 by number: a plain call is known
  static constexpr std::uint64_t kPlainCalls = 512;
  static constexpr std::uint64_t kHits = 0x1000;  ///< u64 counters, each on a cache line
  static constexpr std::uint64_t kHitCounters = 64;
  static constexpr std::uint64_t kHitStride = 64;
  /// u64: what a thread in a call with a path expects, told by its stack: a word of its own in the
  /// lower half, what it expects in the upper half.
  static constexpr std::uint64_t kPending = 0x2000;
  static constexpr unsigned kPendingBits = 8;
  static constexpr std::uint64_t kIdentities = 0x4000;  ///< u32 by descriptor; 0: not known
  static constexpr std::uint64_t kDescriptors = 4096;
  static constexpr std::uint64_t kKeys = 0x8000;  ///< u64; 0: free
  static constexpr unsigned kKeyBits = 13;
  static constexpr std::uint64_t kNameKeys = 0x18000;  ///< as kKeys
  /// u64 beside each of kNameKeys: the result that is known: 0, a negative errno, or, of a call
  /// that opens, the identity of what it opens.
  static constexpr std::uint64_t kResults = 0x10000;  ///< from the key
  static constexpr std::uint64_t kBytes = 0x38000;
};

/// Odd, so that multiplying by it loses nothing.
inline constexpr std::uint64_t kKeyFactor = 0x9e3779b97f4a7c15;

/// The key of a call: `parts` are the values of its shape's parts in their order, scalars masked,
/// descriptors as identities. 64 bits, of which a stub computes the same.
std::uint64_t KeyOf(std::uint64_t seed, std::int32_t number, std::span<const std::uint64_t> parts);

/// The key of a call with a path. `directory` is what it begins at: kWorkingDirectory or the
/// identity of a descriptor.
std::uint64_t NameKeyOf(std::uint64_t seed, std::int32_t number, std::uint32_t directory,
                        std::string_view path, std::span<const std::uint64_t> parts);

/// AT_FDCWD as the kernel takes it; no identity is as large.
inline constexpr std::uint32_t kWorkingDirectory = 0xffffff9c;

/// Odd and positive, so that an instruction can hold it.
inline constexpr std::uint32_t kNameFactor = 0x5bd1e995;

/// Where a key may lie: the slot it is looked for in first, counted from kKeys; the other is the
/// one beside it (slot ^ 1).
inline std::uint64_t SlotOf(std::uint64_t key) {
  return key >> (64 - KnownCallsLayout::kKeyBits);
}

}  // namespace cordon
