#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "model/bpf_interpreter.h"
#include "model/seccomp_compiler.h"

// What the kernel does with a compiled filter is what Evaluate() says.
namespace cordon {
namespace {

struct Probe {
  long number;
  std::array<long, 4> arguments;
};

/// The errno that the kernel answers to `probe` under `program`: 0 for success, nothing if the
/// child could not be asked. `program` is checked by the kernel alone: an empty one loads no
/// filter.
std::optional<int> AskKernel(std::vector<sock_filter> program, const Probe& probe) {
  constexpr int kNotLoaded = 255;
  const pid_t child = ::fork();
  if (child == 0) {
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    if (!program.empty() && (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                             ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)) {
      ::_exit(kNotLoaded);
    }
    const long result = ::syscall(probe.number, probe.arguments[0], probe.arguments[1],
                                  probe.arguments[2], probe.arguments[3]);
    ::_exit(result < 0 ? errno : 0);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
      WEXITSTATUS(status) == kNotLoaded) {
    return std::nullopt;
  }
  return WEXITSTATUS(status);
}

TEST(SeccompKernel, AnswersAsEvaluateDoes) {
  if (NativeArchitecture() != Architecture::kX86_64) {
    GTEST_SKIP() << "SKIPPED: the probes are x86_64 numbers";
  }
  constexpr std::uint64_t kInt = 0xffffffff;
  const SeccompPolicy policy{
      SeccompAction::Errno(ENOSYS),
      {Architecture::kX86_64, Architecture::kX86},
      {{{"exit_group", "getppid"}, SeccompAction::Allow(), {}, ""},
       {{"socketcall"}, SeccompAction::Errno(EACCES), {}, ""},
       {{"socket"}, SeccompAction::Allow(), {{0, Comparison::kMaskedEqual, 1, kInt}}, ""},
       {{"socket"}, SeccompAction::Errno(EPERM), {{0, Comparison::kMaskedEqual, 2, kInt}}, ""},
       {{"getuid"}, SeccompAction::Errno(EXDEV), {}, ""}},
      {}};
  const Expected<std::vector<sock_filter>> program = CompileSeccomp(policy);
  ASSERT_TRUE(program.has_value()) << program.error().message;
  const std::vector<Probe> probes = {{SYS_getppid, {}},
                                     {SYS_getuid, {}},
                                     {SYS_getgid, {}},
                                     {SYS_socket, {1, 1, 0, 0}},
                                     {SYS_socket, {2, 1, 0, 0}},
                                     {SYS_socket, {16, 3, 0, 0}},
                                     {SYS_socket, {1 | (7L << 32), 1, 0, 0}}};
  for (const Probe& probe : probes) {
    const SeccompAction expected =
        Evaluate(policy, {{Architecture::kX86_64, static_cast<std::int32_t>(probe.number)},
                          {static_cast<std::uint64_t>(probe.arguments[0])}});
    const int expected_errno = expected.kind == SeccompActionKind::kErrno ? expected.data : 0;
    EXPECT_EQ(AskKernel(*program, probe), expected_errno)
        << probe.number << " " << probe.arguments[0];
    EXPECT_EQ(AskKernel({}, probe), 0)
        << "without a filter: " << probe.number << " " << probe.arguments[0];
  }
}

TEST(SeccompKernel, LoadsWhatCheckBpfAcceptsAndRefusesTheRest) {
  const auto op = [](int code, std::uint32_t k) {
    return sock_filter{static_cast<std::uint16_t>(code), 0, 0, k};
  };
  const sock_filter allow = op(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const std::vector<std::vector<sock_filter>> programs = {
      {allow},
      {op(BPF_LD | BPF_IMM, 1)},
      {op(BPF_ALU | BPF_LSH | BPF_K, 31), allow},
      {op(BPF_ALU | BPF_LSH | BPF_K, 32), allow},
      {op(BPF_ALU | BPF_DIV | BPF_K, 0), allow},
      {op(BPF_ALU | BPF_MOD | BPF_K, 3), allow},
      {op(BPF_ALU | BPF_XOR | BPF_K, 3), allow},
      {op(BPF_LD | BPF_W | BPF_ABS, 60), allow},
      {op(BPF_LD | BPF_W | BPF_ABS, 64), allow},
      {op(BPF_LD | BPF_W | BPF_ABS, 2), allow},
      {op(BPF_LD | BPF_MEM, 0), allow},
      {op(BPF_ST, 0), op(BPF_LD | BPF_MEM, 0), allow},
      {op(BPF_ST, 16), allow},
      {op(BPF_JMP | BPF_JA, 0), allow},
      {op(BPF_JMP | BPF_JA, 1), allow},
      {op(BPF_LD | BPF_W | BPF_LEN, 0), allow},
  };
  for (std::size_t i = 0; i < programs.size(); ++i) {
    EXPECT_EQ(AskKernel(programs[i], {SYS_getppid, {}}).has_value(),
              CheckBpf(programs[i]).has_value())
        << "program " << i;
  }
}

}  // namespace
}  // namespace cordon
