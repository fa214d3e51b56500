#pragma once

#include <linux/filter.h>

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "common/error.h"
#include "model/syscall.h"

namespace cordon {

/// Would the kernel load `program` as a seccomp filter? Fails with kInvalidInput, naming the
/// instruction, for what its checkers refuse (kernel/seccomp.c seccomp_check_filter,
/// net/core/filter.c bpf_check_classic): an instruction outside the seccomp subset, a load that is
/// not an aligned word of struct seccomp_data, a jump out of the program, a shift by 32 or more, a
/// division by constant zero, a read of scratch memory that some path has not written, no return at
/// the end, no instruction or more than BPF_MAXINSNS.
Status CheckBpf(std::span<const sock_filter> program);

/// One run of a program.
struct BpfRun {
  std::uint32_t word = 0;          ///< what it returned
  std::uint64_t instructions = 0;  ///< that it made, the one that returns included
};

/// A program that passed CheckBpf(), ready to be run many times.
class BpfInterpreter {
 public:
  /// Fails like CheckBpf().
  static Expected<BpfInterpreter> Create(std::vector<sock_filter> program);

  /// The 32-bit SECCOMP_RET_* word that the program returns for `invocation`, as the kernel would
  /// run it (seccomp(2): the classic BPF subset on struct seccomp_data in the byte order of the
  /// invocation's architecture; the instruction pointer is 0).
  std::uint32_t Run(const SyscallInvocation& invocation) const;

  /// The same, and what it took.
  BpfRun RunCounting(const SyscallInvocation& invocation) const;

  /// The same for struct seccomp_data, word by word.
  BpfRun RunCounting(const std::array<std::uint32_t, 16>& words) const;

 private:
  explicit BpfInterpreter(std::vector<sock_filter> program) : program_(std::move(program)) {}

  std::vector<sock_filter> program_;
};

/// BpfInterpreter for one run.
Expected<std::uint32_t> InterpretBpf(std::span<const sock_filter> program,
                                     const SyscallInvocation& invocation);

}  // namespace cordon
