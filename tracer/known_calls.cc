#include "tracer/known_calls.h"

namespace cordon {

std::uint64_t KeyOf(std::uint64_t seed, std::int32_t number, std::span<const std::uint64_t> parts) {
  std::uint64_t key = (seed ^ static_cast<std::uint32_t>(number)) * kKeyFactor;
  for (const std::uint64_t part : parts) {
    key = (key ^ part) * kKeyFactor;
  }
  return key;
}

std::uint64_t NameKeyOf(std::uint64_t seed, std::int32_t number, std::uint32_t directory,
                        std::string_view path, std::span<const std::uint64_t> parts) {
  std::uint64_t key = (seed ^ static_cast<std::uint32_t>(number)) * kNameFactor;
  key = (key ^ directory) * kNameFactor;
  for (const char byte : path) {
    key = (key ^ static_cast<std::uint8_t>(byte)) * kNameFactor;
  }
  key *= kNameFactor;  // the NUL
  for (const std::uint64_t part : parts) {
    key = (key ^ part) * kNameFactor;
  }
  return key;
}

}  // namespace cordon
