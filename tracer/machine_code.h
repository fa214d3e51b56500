#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace cordon {

/// Puts together x86-64 instructions that will lie at a given address.
class MachineCode {
 public:
  explicit MachineCode(std::uint64_t address) : address_(address) {}

  void Bytes(std::initializer_list<std::uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  void Word32(std::uint32_t value) { Little(value, sizeof value); }

  void Word64(std::uint64_t value) { Little(value, sizeof value); }

  /// The 32-bit distance to `target` that ends an instruction, `trailing` bytes before its end.
  void Distance(std::uint64_t target, std::uint64_t trailing = 0) {
    Word32(static_cast<std::uint32_t>(target - (here() + sizeof(std::uint32_t) + trailing)));
  }

  /// Goes to any address without touching a register: jmp *0(%rip), the address behind it.
  void JumpFar(std::uint64_t target) {
    Bytes({0xff, 0x25, 0, 0, 0, 0});
    Word64(target);
  }

  /// The address of the next byte.
  std::uint64_t here() const { return address_ + bytes_.size(); }

  std::vector<std::uint8_t>& bytes() { return bytes_; }

 private:
  void Little(std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      constexpr unsigned kByteBits = 8;
      bytes_.push_back(static_cast<std::uint8_t>(value >> (kByteBits * i)));
    }
  }

  std::uint64_t address_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace cordon
