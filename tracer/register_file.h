#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "model/architecture.h"

namespace cordon {

/// What the tracer changes in a task that is about to make a call.
enum class RegisterRole : std::uint8_t {
  kFirstArgument,
  kCallNumber,
  kResult,  ///< what the program finds when the call is not made (number -1)
};

/// Where a register lies in what PTRACE_GETREGSET gives.
struct RegisterSlot {
  RegisterRole role;
  Architecture abi;          ///< of the call
  unsigned note;             ///< NT_* of linux/elf.h
  std::size_t regset_bytes;  ///< size of the whole set: which layout this is
  std::size_t offset;        ///< bytes from its start
  std::size_t width;         ///< bytes
};

/// Largest set of any row.
inline constexpr std::size_t kMaxRegsetBytes = 512;

/// The note to ask for to find `role` of a call of `abi`; nothing for an ABI without rows.
std::optional<unsigned> RegisterNote(RegisterRole role, Architecture abi);

/// Where `role` lies in a set of `regset_bytes`; nothing when no row says. A call of one ABI may be
/// made by a task with the registers of another: int 0x80 from 64-bit code.
std::optional<RegisterSlot> FindRegister(RegisterRole role, Architecture abi,
                                         std::size_t regset_bytes);

/// Does the result of a call lie where its first argument was, so that this one is lost?
bool ResultReplacesFirstArgument(Architecture abi);

}  // namespace cordon
