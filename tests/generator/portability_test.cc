// What a policy learned with glibc 2.36 on x86_64 says to the calls that other C libraries make for
// the same work on aarch64, asked of the policy as it reads there. On aarch64 only the generic
// system calls exist (linux/include/uapi/asm-generic/unistd.h): no open, stat, fork, pipe, poll …

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "generator/seccomp_generator.h"
#include "tests/testing/recorded.h"

namespace cordon {
namespace {

constexpr std::uint64_t kFork = 0x01200011;    // CHILD_CLEARTID | CHILD_SETTID | SIGCHLD
constexpr std::uint64_t kThread = 0x003d0f00;  // what pthread_create() asks for
constexpr std::uint64_t kSpawn = 0x4111;       // CLONE_VM | CLONE_VFORK | SIGCHLD

struct Made {
  std::string name;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

/// One thing that a program does, with the calls that C libraries make of it.
struct Operation {
  std::string what;
  std::vector<Made> recorded;  ///< glibc 2.36 on x86_64, as tests/victims/portable.c was recorded
  std::vector<Made> glibc;     ///< on aarch64: glibc 2.36 sysdeps/unix/sysv/linux
  std::vector<Made> musl;      ///< on aarch64: musl 1.2.3 src/
};

std::vector<Operation> Operations() {
  return {
      {"opens a file",
       {{"openat"}, {"read"}, {"close"}},
       {{"openat"}, {"read"}, {"close"}},
       {{"openat"}, {"fcntl"}, {"readv"}, {"close"}}},
      {"prints", {{"write"}}, {{"write"}}, {{"ioctl", 1, 0x5413}, {"writev"}}},
      {"asks for the state of a file",
       {{"newfstatat"}, {"fstatfs"}},
       {{"newfstatat"}, {"fstat"}, {"statx"}, {"fstatfs"}},
       {{"newfstatat"}, {"fstat"}, {"fstatfs"}}},
      {"by the older calls",
       {{"stat"}, {"lstat"}, {"access"}, {"readlink"}},
       {{"newfstatat"}, {"faccessat"}, {"faccessat2"}, {"readlinkat"}},
       {{"newfstatat"}, {"faccessat"}, {"readlinkat"}}},
      {"changes names",
       {{"link"}, {"symlink"}, {"rename"}, {"unlink"}, {"mkdir"}, {"rmdir"}, {"mknod"}},
       {{"linkat"}, {"symlinkat"}, {"renameat"}, {"unlinkat"}, {"mkdirat"}, {"mknodat"}},
       {{"linkat"}, {"symlinkat"}, {"renameat"}, {"renameat2"}, {"unlinkat"}, {"mkdirat"}}},
      {"changes attributes",
       {{"chmod"}, {"chown"}, {"utimensat"}, {"utimes"}, {"ftruncate"}},
       {{"fchmodat"}, {"fchownat"}, {"utimensat"}, {"ftruncate"}},
       {{"fchmodat"}, {"fchownat"}, {"utimensat"}, {"ftruncate"}}},
      {"lists a folder", {{"getdents64"}}, {{"getdents64"}}, {{"getdents64"}}},
      {"forks",
       {{"clone", kFork}, {"wait4"}},
       {{"clone", kFork}, {"wait4"}},
       {{"rt_sigprocmask"}, {"clone", 17}, {"gettid"}, {"wait4"}}},
      {"by its own call", {{"fork"}, {"vfork"}}, {{"clone", kFork}}, {{"clone", 17}}},
      {"spawns a program",
       {{"clone3"}, {"execve"}, {"wait4"}},
       {{"clone3"}, {"clone", kSpawn}, {"execve"}, {"wait4"}},
       {{"pipe2"}, {"clone", kSpawn}, {"fcntl"}, {"execve"}, {"wait4"}}},
      {"starts a thread",
       {{"clone3"}, {"futex"}, {"mprotect"}},
       {{"clone3"}, {"clone", kThread}, {"futex"}, {"mprotect"}},
       {{"membarrier"}, {"clone", kThread | 0x400000}, {"futex"}, {"mprotect"}}},
      {"makes a pipe and waits for it",
       {{"pipe"}, {"poll"}, {"select"}, {"pselect6"}, {"dup2"}},
       {{"pipe2"}, {"ppoll"}, {"pselect6"}, {"dup3"}},
       {{"pipe2"}, {"ppoll"}, {"pselect6"}, {"dup3"}}},
      {"waits for events",
       {{"epoll_create"}, {"epoll_ctl"}, {"epoll_wait"}, {"eventfd2"}, {"inotify_init"}},
       {{"epoll_create1"}, {"epoll_ctl"}, {"epoll_pwait"}, {"eventfd2"}, {"inotify_init1"}},
       {{"epoll_create1"}, {"epoll_ctl"}, {"epoll_pwait"}, {"eventfd2"}, {"inotify_init1"}}},
      {"sleeps and tells the time",
       {{"clock_nanosleep"}, {"clock_gettime"}, {"gettimeofday"}, {"alarm"}},
       {{"clock_nanosleep"}, {"clock_gettime"}, {"setitimer"}},
       {{"nanosleep"}, {"clock_nanosleep"}, {"clock_gettime"}, {"setitimer"}}},
      {"signals itself", {{"tgkill"}, {"rt_sigaction"}}, {{"tgkill"}}, {{"tkill"}}},
      {"asks for limits and groups",
       {{"getrlimit"}, {"getpgrp"}},
       {{"prlimit64"}, {"getpgid"}},
       {{"prlimit64"}, {"getrlimit"}, {"getpgid"}}},
      {"serves TCP",
       {{"socket", AF_INET, SOCK_STREAM}, {"bind"}, {"listen"}, {"accept"}, {"recvfrom"}},
       {{"socket", AF_INET, SOCK_STREAM}, {"accept"}, {"accept4"}, {"recvfrom"}},
       {{"socket", AF_INET, SOCK_STREAM | SOCK_CLOEXEC}, {"accept"}, {"recvfrom"}}},
  };
}

SeccompPolicy LearnedFrom(const Operation& operation, Portability portability) {
  testing::Recorded recorded;
  recorded.Calls({"execve", "brk"});
  for (const Made& call : operation.recorded) {
    ArgumentTuple tuple;
    if (call.name == "socket") {
      tuple = {call.first, call.second, 0};
    } else if (call.name == "clone") {
      tuple = {call.first};
    }
    recorded.Call(call.name, tuple);
  }
  Expected<GeneratedSeccomp> generated = GenerateSeccomp(
      recorded.recording(), {.runtime = ContainerRuntime::kCordon, .portability = portability});
  EXPECT_TRUE(generated.has_value()) << generated.error().message;
  SeccompPolicy policy = generated ? std::move(generated->policy) : SeccompPolicy{};
  // What an engine on aarch64 makes of the profile (archMap): its rules for its own calls.
  policy.architectures = {Architecture::kAarch64};
  return policy;
}

SeccompAction Answer(const SeccompPolicy& policy, const Made& call) {
  const auto number = SyscallNumber(Architecture::kAarch64, call.name);
  EXPECT_TRUE(number.has_value()) << call.name << " is not on aarch64";
  return Evaluate(policy, {{Architecture::kAarch64, number.value_or(-1)},
                           {call.first, call.second, 0, 0, 0, 0}});
}

TEST(Portability, WhatAarch64MakesOfTheSameWorkIsAllowed) {
  for (const Operation& operation : Operations()) {
    const SeccompPolicy policy = LearnedFrom(operation, Portability::kPortable);
    EXPECT_TRUE(CheckConsistent(policy).has_value());
    for (const std::vector<Made>& calls : {operation.glibc, operation.musl}) {
      for (const Made& call : calls) {
        EXPECT_EQ(Answer(policy, call), SeccompAction::Allow())
            << "a program that " << operation.what << ": " << call.name;
      }
    }
    // Controls: what none of them is for stays shut, arguments included.
    for (const Made& call : std::vector<Made>{{"ptrace"},
                                              {"mount"},
                                              {"bpf"},
                                              {"ioctl", 0, 0x5412},
                                              {"unshare"},
                                              {"socket", 38, 5},
                                              {"clone", kFork | 0x10000000}}) {
      EXPECT_NE(Answer(policy, call), SeccompAction::Allow())
          << "a program that " << operation.what << ": " << call.name;
    }
  }
}

TEST(Portability, ExactPoliciesAreForTheLibraryThatWasRecorded) {
  std::size_t refused = 0;
  for (const Operation& operation : Operations()) {
    const SeccompPolicy policy = LearnedFrom(operation, Portability::kExact);
    for (const std::vector<Made>& calls : {operation.glibc, operation.musl}) {
      for (const Made& call : calls) {
        refused += Answer(policy, call) == SeccompAction::Allow() ? 0 : 1;
      }
    }
  }
  EXPECT_GT(refused, 40U);
}

TEST(Portability, AsksForTheTerminalOnly) {
  const Operation prints = {"prints", {{"write"}}, {}, {}};
  const SeccompPolicy policy = LearnedFrom(prints, Portability::kPortable);
  EXPECT_EQ(Answer(policy, {"ioctl", 1, 0x5413}), SeccompAction::Allow());
  for (const std::uint64_t request : {0x5401, 0x5412, 0x5414, 0x541c, 0x89e0}) {
    EXPECT_EQ(Answer(policy, {"ioctl", 1, request}), SeccompAction::Errno(EPERM)) << request;
  }
}

}  // namespace
}  // namespace cordon
