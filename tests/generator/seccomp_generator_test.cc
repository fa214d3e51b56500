#include "generator/seccomp_generator.h"

#include <gtest/gtest.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "generator/seccomp_proof.h"
#include "model/seccomp_comparison.h"
#include "model/seccomp_compiler.h"
#include "model/seccomp_policy_json.h"
#include "tests/testing/random_recording.h"
#include "tests/testing/recorded.h"

namespace cordon {
namespace {

using testing::Recorded;

constexpr SeccompAction kAllow = SeccompAction::Allow();
constexpr SeccompAction kEperm = SeccompAction::Errno(EPERM);
constexpr SeccompAction kEnosys = SeccompAction::Errno(ENOSYS);

GeneratedSeccomp Generate(const Recording& recording, const SeccompOptions& options = {}) {
  Expected<GeneratedSeccomp> generated = GenerateSeccomp(recording, options);
  EXPECT_TRUE(generated.has_value()) << generated.error().message;
  return generated ? *std::move(generated) : GeneratedSeccomp{};
}

SeccompAction Ask(const GeneratedSeccomp& generated, std::string_view name,
                  std::array<std::uint64_t, 6> arguments = {},
                  Architecture arch = Architecture::kX86_64) {
  return Evaluate(generated.policy, {{arch, SyscallNumber(arch, name).value_or(-1)}, arguments});
}

SeccompProof Prove(const Recording& recording, const GeneratedSeccomp& generated,
                   ContainerRuntime runtime = ContainerRuntime::kRunc) {
  const Expected<SeccompProof> proof = ProveSeccomp(recording, generated, runtime);
  EXPECT_TRUE(proof.has_value()) << proof.error().message;
  return proof ? *proof : SeccompProof{};
}

Recorded SmallServer() {
  Recorded recorded;
  recorded
      .Calls({"execve", "brk", "read", "write", "openat", "close", "newfstatat", "mprotect",
              "epoll_wait"})
      .Call("socket", {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0})
      .Call("clone", {CLONE_CHILD_SETTID | 17})
      .Call("ioctl", {0x5401}, ENOTTY)
      .NoReturn("exit_group");
  return recorded;
}

TEST(GenerateSeccomp, SortsCallsIntoThreeClasses) {
  const GeneratedSeccomp generated =
      Generate(SmallServer().recording(), {.runtime = ContainerRuntime::kNone});
  for (const char* name : {"read", "openat", "execve", "exit", "exit_group", "rt_sigreturn",
                           "restart_syscall", "clock_gettime", "getcpu"}) {
    EXPECT_EQ(Ask(generated, name), kAllow) << name;
  }
  for (const char* name : {"unshare", "mount", "umount2", "ptrace", "setns", "bpf", "keyctl",
                           "add_key", "init_module", "pivot_root", "personality", "userfaultfd",
                           "kexec_load", "chroot", "process_vm_readv", "sync", "bind"}) {
    EXPECT_EQ(Ask(generated, name), kEperm) << name;
  }
  for (const char* name :
       {"clone3", "close_range", "rseq", "renameat2", "getrandom", "io_uring_setup", "fsopen",
        "pidfd_open", "landlock_create_ruleset", "afs_syscall", "mseal", "listns"}) {
    EXPECT_EQ(Ask(generated, name), kEnosys) << name;
  }
  EXPECT_EQ(Evaluate(generated.policy, {{Architecture::kX86_64, 9999}, {}}), kEnosys);
  EXPECT_EQ(generated.policy.default_action, kEnosys);
}

TEST(GenerateSeccomp, WritesEveryClassOutByName) {
  // Docker 20.10 has another default, so nothing that has a name may lean on it.
  const GeneratedSeccomp generated = Generate(SmallServer().recording());
  std::set<std::string> named;
  for (const SeccompRule& rule : generated.policy.rules) {
    named.insert(rule.names.begin(), rule.names.end());
    EXPECT_FALSE(rule.comment.empty());
  }
  for (const auto& [number, name] : SyscallsOf(Architecture::kX86_64)) {
    EXPECT_TRUE(named.contains(std::string(name))) << name;
  }
}

TEST(GenerateSeccomp, GivesEveryRuleAReason) {
  const GeneratedSeccomp generated = Generate(SmallServer().recording());
  for (std::size_t i = 0; i < generated.policy.rules.size(); ++i) {
    ASSERT_TRUE(generated.reasons.contains(i)) << i;
    EXPECT_FALSE(generated.reasons.at(i).empty()) << i;
  }
  std::string evidence;
  for (const auto& [rule, lines] : generated.reasons) {
    for (const std::string& line : lines) {
      evidence += line.starts_with("openat: 1 times, ok 1") ? line : "";
    }
  }
  EXPECT_NE(evidence.find("by /usr/bin/victim"), std::string::npos) << evidence;
}

TEST(GenerateSeccomp, AddsTheBaseSetOfTheRuntimeOnly) {
  const auto allows = [&](ContainerRuntime runtime, std::string_view name) {
    return Ask(Generate(SmallServer().recording(), {.runtime = runtime}), name) == kAllow;
  };
  EXPECT_TRUE(allows(ContainerRuntime::kRunc, "capset"));
  EXPECT_TRUE(allows(ContainerRuntime::kCrun, "capset"));
  EXPECT_TRUE(allows(ContainerRuntime::kRunc, "setgid"));
  EXPECT_FALSE(allows(ContainerRuntime::kCrun, "setgid"));
  const GeneratedSeccomp runc =
      Generate(SmallServer().recording(), {.runtime = ContainerRuntime::kRunc});
  const auto rule = std::ranges::find_if(runc.policy.rules, [](const SeccompRule& one) {
    return std::ranges::find(one.names, "capset") != one.names.end();
  });
  ASSERT_NE(rule, runc.policy.rules.end());
  EXPECT_NE(rule->comment.find("base set of runc"), std::string::npos);
}

TEST(GenerateSeccomp, StartsUnderAnyRuntimeUnlessOneIsNamed) {
  const SeccompPolicy any = Generate(SmallServer().recording()).policy;
  for (const ContainerRuntime one :
       {ContainerRuntime::kRunc, ContainerRuntime::kCrun, ContainerRuntime::kCordon}) {
    const SeccompPolicy its = Generate(SmallServer().recording(), {.runtime = one}).policy;
    const auto more = FindDifferences(its, any, AnswerRelation::kLeftIsLarger);
    ASSERT_TRUE(more.has_value()) << more.error().message;
    EXPECT_TRUE(more->empty());
  }
  // What runc and crun make besides, and no program here did.
  for (const char* name : {"setgid", "setresgid", "umask"}) {
    EXPECT_EQ(Ask({.policy = any, .reasons = {}, .left_out = {}, .unrestricted = {}}, name), kAllow)
        << name;
  }
  EXPECT_NE(Ask({.policy = any, .reasons = {}, .left_out = {}, .unrestricted = {}}, "ptrace"),
            kAllow);
}

TEST(GenerateSeccomp, AddsOnlyWhatTheReleaseAndItsPrivilegesNeed) {
  const auto allows = [&](const SeccompOptions& options, std::string_view name) {
    return Ask(Generate(SmallServer().recording(), options), name) == kAllow;
  };
  const auto cordon = [](NoNewPrivileges mode) {
    return SeccompOptions{.runtime = ContainerRuntime::kCordon, .no_new_privileges = mode};
  };
  EXPECT_FALSE(allows(cordon(NoNewPrivileges::kOn), "capset"));
  EXPECT_TRUE(allows(cordon(NoNewPrivileges::kOff), "capset"));
  EXPECT_TRUE(allows(cordon(NoNewPrivileges::kEither), "capset"));
  EXPECT_FALSE(allows({.version = RuntimeVersion{1, 1}}, "recvfrom"));
  EXPECT_TRUE(allows({.version = RuntimeVersion{1, 2}}, "recvfrom"));
  EXPECT_TRUE(allows({}, "recvfrom"));
  // Without no_new_privileges the filter is loaded earlier: what comes after it then includes what
  // comes after it with.
  EXPECT_TRUE(allows({.no_new_privileges = NoNewPrivileges::kOff}, "getpid"));
  EXPECT_TRUE(allows({.no_new_privileges = NoNewPrivileges::kOff}, "setgid"));
  EXPECT_FALSE(allows({.no_new_privileges = NoNewPrivileges::kOn}, "setgid"));
  const SeccompOptions measured{.measured = {{.reason = "measured",
                                              .versions = "9.9",
                                              .first = {9, 9},
                                              .last = {9, 9},
                                              .names = {"acct"}}}};
  EXPECT_TRUE(allows(measured, "acct"));
  EXPECT_FALSE(allows(measured, "setgid"));
}

TEST(GenerateSeccomp, AddsEquivalentCallsUnlessExact) {
  const GeneratedSeccomp portable =
      Generate(SmallServer().recording(), {.runtime = ContainerRuntime::kCordon});
  const GeneratedSeccomp exact =
      Generate(SmallServer().recording(),
               {.runtime = ContainerRuntime::kCordon, .portability = Portability::kExact});
  for (const char* name : {"open", "openat2", "stat", "statx", "epoll_pwait", "fork", "vfork"}) {
    EXPECT_EQ(Ask(portable, name), kAllow) << name;
    EXPECT_NE(Ask(exact, name), kAllow) << name;
  }
  EXPECT_EQ(Ask(portable, "clone3"), kEnosys);
  EXPECT_EQ(Ask(exact, "openat2"), kEnosys);
  EXPECT_EQ(Ask(exact, "open"), kEperm);
}

TEST(GenerateSeccomp, RefusesUnseenArgumentsByErrnoNotByDefault) {
  const GeneratedSeccomp generated = Generate(SmallServer().recording());
  EXPECT_EQ(Ask(generated, "socket", {AF_INET, SOCK_STREAM}), kAllow);
  EXPECT_EQ(Ask(generated, "socket", {AF_INET, SOCK_RAW}), kEperm);
  EXPECT_EQ(Ask(generated, "socket", {AF_ALG, SOCK_SEQPACKET}), kEperm);
  EXPECT_EQ(Ask(generated, "socket", {AF_PACKET, SOCK_RAW}), kEperm);
  EXPECT_EQ(Ask(generated, "clone", {17}), kAllow);
  EXPECT_EQ(Ask(generated, "clone", {17 | CLONE_NEWUSER}), kEperm);
  EXPECT_EQ(Ask(generated, "ioctl", {0, 0x5413}), kAllow);
  EXPECT_EQ(Ask(generated, "ioctl", {0, 0x5412}), kEperm);
}

TEST(GenerateSeccomp, TellsRequestsAndOptionsApart) {
  Recorded recorded = SmallServer();
  recorded.Call("setsockopt", {SOL_SOCKET, SO_RCVTIMEO}).Call("ioctl", {FIONBIO});
  const GeneratedSeccomp portable =
      Generate(recorded.recording(), {.runtime = ContainerRuntime::kNone});
  const GeneratedSeccomp exact =
      Generate(recorded.recording(),
               {.runtime = ContainerRuntime::kNone, .portability = Portability::kExact});
  for (const GeneratedSeccomp* generated : {&portable, &exact}) {
    EXPECT_EQ(Ask(*generated, "ioctl", {0, TCGETS}), kAllow);
    EXPECT_EQ(Ask(*generated, "ioctl", {0, FIONBIO}), kAllow);
    EXPECT_EQ(Ask(*generated, "ioctl", {0, FIOCLEX}), kEperm);
    EXPECT_EQ(Ask(*generated, "setsockopt", {0, SOL_SOCKET, SO_RCVTIMEO}), kAllow);
    EXPECT_EQ(Ask(*generated, "setsockopt", {0, SOL_SOCKET, SO_ATTACH_FILTER}), kEperm);
    EXPECT_EQ(Ask(*generated, "setsockopt", {0, SOL_TCP, SO_RCVTIMEO}), kEperm);
    Prove(recorded.recording(), *generated);
  }
  // Another C library asks another way, or goes on where there is a terminal.
  constexpr std::uint64_t kNewReceiveTimeout = 66;
  for (const auto& [generated, answer] :
       {std::pair(&portable, kAllow), std::pair(&exact, kEperm)}) {
    EXPECT_EQ(Ask(*generated, "ioctl", {0, TIOCGWINSZ}), answer);
    EXPECT_EQ(Ask(*generated, "ioctl", {0, TIOCSPGRP}), answer);
    EXPECT_EQ(Ask(*generated, "ioctl", {0, TIOCSTI}), kEperm);
    EXPECT_EQ(Ask(*generated, "setsockopt", {0, SOL_SOCKET, kNewReceiveTimeout}), answer);
  }
}

TEST(GenerateSeccomp, GeneralisesWhatGrewPastTheBoundAndSaysSo) {
  Recorded recorded;
  recorded.Calls({"execve"}).NoReturn("exit_group").Call("keyctl", {0xffffffff});
  for (std::uint64_t request = 0x8910; request < 0x8960; ++request) {
    recorded.Call("ioctl", {request});
  }
  for (std::uint64_t option = 0; option < 70; ++option) {
    recorded.Call("setsockopt", {SOL_SOCKET, option});
  }
  for (std::uint64_t bits = 0; bits < 70; ++bits) {
    recorded.Call("personality", {bits << 24});
  }
  for (std::uint64_t spread = 0; spread < 70; ++spread) {
    recorded.Call("keyctl", {spread * 0x3a6b2c5});
  }
  const GeneratedSeccomp generated = Generate(recorded.recording());
  EXPECT_EQ(Ask(generated, "ioctl", {0, 0x8910}), kAllow);
  EXPECT_EQ(Ask(generated, "ioctl", {0, 0x895f}), kAllow);
  EXPECT_EQ(Ask(generated, "ioctl", {0, 0x8960}), kEperm);
  EXPECT_EQ(Ask(generated, "ioctl", {0, 0x10008910}), kEperm);
  EXPECT_EQ(Ask(generated, "setsockopt", {0, SOL_SOCKET, 127}), kAllow);
  EXPECT_EQ(Ask(generated, "setsockopt", {0, SOL_SOCKET, 128}), kEperm);
  EXPECT_EQ(Ask(generated, "setsockopt", {0, IPPROTO_IP, 64}), kEperm);
  EXPECT_EQ(Ask(generated, "personality", {0x7f000000}), kAllow);
  EXPECT_EQ(Ask(generated, "personality", {0x7f000001}), kEperm);
  EXPECT_EQ(Ask(generated, "keyctl", {0x12345678}), kAllow);
  Prove(recorded.recording(), generated);
  const auto says = [&](std::string_view text) {
    return std::ranges::any_of(generated.unrestricted, [&](const std::string& line) {
      return line.find(text) != std::string::npos;
    });
  };
  EXPECT_TRUE(says("ioctl: more than 64 requests were seen"));
  EXPECT_TRUE(says("setsockopt: more than 64 level and option were seen"));
  EXPECT_TRUE(says("keyctl: its operations are not told apart"));
}

TEST(GenerateSeccomp, AllowsSeenNamespacesAndKeepsPlainThreadsForTheRuntime) {
  Recorded recorded = SmallServer();
  recorded.Call("personality", {8}).Call("personality", {0xffffffff});
  Recording recording = recorded.recording();
  recording.syscalls[{Architecture::kX86_64, 56}].tuples = {
      {{CLONE_NEWNET | 17}, {1, {{0, 1}}, {}}}};
  const GeneratedSeccomp generated = Generate(recording);
  EXPECT_EQ(Ask(generated, "clone", {CLONE_NEWNET | 17}), kAllow);
  EXPECT_EQ(Ask(generated, "clone", {17}), kAllow);  // runc's threads
  EXPECT_EQ(Ask(generated, "clone", {CLONE_NEWPID | 17}), kEperm);
  EXPECT_EQ(Ask(generated, "personality", {8}), kAllow);
  EXPECT_EQ(Ask(generated, "personality", {0x40000}), kEperm);
}

TEST(GenerateSeccomp, LeavesOutWhatAlwaysFailedAndListsIt) {
  Recorded recorded = SmallServer();
  recorded.Call("clone3", {}, ENOSYS)
      .Call("mount", {}, EPERM)
      .Call("keyctl", {}, ENOSYS)
      .Call("fsopen", {}, EPERM)
      .Call("sync")
      .Number(9999, ENOSYS);
  const GeneratedSeccomp generated = Generate(recorded.recording());
  EXPECT_EQ(Ask(generated, "clone3"), kEnosys);
  EXPECT_EQ(Ask(generated, "mount"), kEperm);
  EXPECT_EQ(Ask(generated, "keyctl"), kEnosys);
  EXPECT_EQ(Ask(generated, "fsopen"), kEperm);
  const std::vector<std::string> expected = {
      "clone3: always ENOSYS", "fsopen: always EPERM", "keyctl: always ENOSYS",
      "mount: always EPERM", "syscall_9999 on x86_64: always ENOSYS, and without a name"};
  EXPECT_EQ(generated.left_out, expected);
  Prove(recorded.recording(), generated);

  // The same calls, once with another result: they must be allowed.
  recorded.Call("clone3", {}).Call("mount", {}, ENOENT);
  const GeneratedSeccomp wider = Generate(recorded.recording());
  EXPECT_EQ(Ask(wider, "clone3"), kAllow);
  EXPECT_EQ(Ask(wider, "mount"), kAllow);
}

TEST(GenerateSeccomp, RefusesASocketThatWasOnlyEverRefused) {
  Recorded recorded = SmallServer();
  recorded.Call("socket", {AF_PACKET, SOCK_RAW, 0}, EPERM)
      .Call("socket", {AF_ALG, SOCK_SEQPACKET, 0}, EAFNOSUPPORT);
  const GeneratedSeccomp generated = Generate(recorded.recording());
  EXPECT_EQ(Ask(generated, "socket", {AF_PACKET, SOCK_RAW}), kEperm);
  EXPECT_EQ(Ask(generated, "socket", {AF_ALG, SOCK_SEQPACKET}),
            kAllow);  // the kernel says EAFNOSUPPORT, the policy could not
  Prove(recorded.recording(), generated);
}

TEST(GenerateSeccomp, GivesUnseenCallsWhatOnViolationSays) {
  const auto answer = [](OnViolation on_violation) {
    return Ask(Generate(SmallServer().recording(), {.on_violation = on_violation}), "mount").kind;
  };
  EXPECT_EQ(answer(OnViolation::kErrno), SeccompActionKind::kErrno);
  EXPECT_EQ(answer(OnViolation::kLog), SeccompActionKind::kLog);
  EXPECT_EQ(answer(OnViolation::kKill), SeccompActionKind::kKillProcess);
  EXPECT_EQ(answer(OnViolation::kNotify), SeccompActionKind::kNotify);
  for (const OnViolation one :
       {OnViolation::kErrno, OnViolation::kLog, OnViolation::kKill, OnViolation::kNotify}) {
    const GeneratedSeccomp generated = Generate(SmallServer().recording(), {.on_violation = one});
    EXPECT_EQ(Ask(generated, "clone3"), kEnosys);
    Prove(SmallServer().recording(), generated);
  }
}

TEST(GenerateSeccomp, ListsOnlyTheAbisThatWereUsed) {
  EXPECT_EQ(Generate(SmallServer().recording()).policy.architectures,
            std::vector{Architecture::kX86_64});
  Recorded recorded = SmallServer();
  recorded.Call("read", {}, 0, Architecture::kX86);
  EXPECT_EQ(Generate(recorded.recording()).policy.architectures,
            (std::vector{Architecture::kX86_64, Architecture::kX86}));
}

TEST(GenerateSeccomp, ClosesTheMultiplexersForEveryReader) {
  Recorded recorded = SmallServer();
  recorded.Call("read", {}, 0, Architecture::kX86)
      .Call("socket", {AF_INET, SOCK_STREAM, 0}, 0, Architecture::kX86);
  const GeneratedSeccomp generated = Generate(recorded.recording());
  const SyscallInvocation around{
      {Architecture::kX86, SyscallNumber(Architecture::kX86, "socketcall").value()}, {1}};
  for (const SeccompPolicy& policy : {generated.policy, AsDocker2010Reads(generated.policy),
                                      NotifyingVariant(generated.policy)}) {
    EXPECT_EQ(Evaluate(policy, around), SeccompAction::Errno(EACCES));
    EXPECT_TRUE(CompileAsCrun(policy).has_value() ||
                policy.default_action.kind == SeccompActionKind::kNotify);
  }
  Prove(recorded.recording(), generated);

  recorded.Call("socketcall", {}, 0, Architecture::kX86);
  const GeneratedSeccomp seen = Generate(recorded.recording());
  EXPECT_EQ(Evaluate(seen.policy, around), kAllow);
  EXPECT_TRUE(std::ranges::any_of(
      seen.unrestricted, [](const std::string& line) { return line.starts_with("socketcall"); }));
  Prove(recorded.recording(), seen);
}

TEST(GenerateSeccomp, RefusesWhatCannotBeSaid) {
  EXPECT_FALSE(GenerateSeccomp(Recording{}, {}).has_value());
  EXPECT_EQ(GenerateSeccomp(Recording{}, {}).error().code, ErrorCode::kInvalidInput);
  Recorded recorded = SmallServer();
  recorded.Number(9999, 0);
  const Expected<GeneratedSeccomp> generated = GenerateSeccomp(recorded.recording(), {});
  ASSERT_FALSE(generated.has_value());
  EXPECT_EQ(generated.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(generated.error().message.find("9999"), std::string::npos);
}

TEST(ProveSeccomp, StatesThatEveryRecordedCallHolds) {
  const Recorded recorded = SmallServer();
  const GeneratedSeccomp generated = Generate(recorded.recording());
  const SeccompProof proof = Prove(recorded.recording(), generated);
  EXPECT_EQ(proof.recorded, recorded.recording().syscalls.size());
  ASSERT_EQ(proof.readings.size(), 5U);
  for (const SeccompReading& reading : proof.readings) {
    EXPECT_EQ(reading.held, proof.recorded) << reading.reader;
    EXPECT_LT(reading.cost.instructions, 2000U) << reading.reader;
    EXPECT_LT(reading.cost.worst_case, reading.cost.instructions) << reading.reader;
  }
  ASSERT_TRUE(proof.surface.filter.has_value());
  EXPECT_EQ(proof.surface.filter->worst_case, proof.readings.front().cost.worst_case);
  // cordon's is a tree; the runtimes of these releases go from call to call.
  EXPECT_LT(2 * proof.readings.at(0).cost.worst_case, proof.readings.at(2).cost.worst_case);
  const AdmittedCalls& counts = proof.surface.architectures.at("x86_64");
  EXPECT_EQ(counts.known, SyscallsOf(Architecture::kX86_64).size());
  EXPECT_LT(counts.admitted, 120U);
  EXPECT_GT(counts.admitted, recorded.recording().syscalls.size());
}

TEST(ProveSeccomp, FailsForAPolicyThatDoesNotHold) {
  const Recorded recorded = SmallServer();
  GeneratedSeccomp generated = Generate(recorded.recording());
  Recorded more = recorded;
  more.Call("sync");
  const Expected<SeccompProof> proof =
      ProveSeccomp(more.recording(), generated, ContainerRuntime::kRunc);
  ASSERT_FALSE(proof.has_value());
  EXPECT_EQ(proof.error().code, ErrorCode::kInternal);
  EXPECT_NE(proof.error().message.find("sync on x86_64"), std::string::npos)
      << proof.error().message;
  EXPECT_NE(proof.error().message.find("EPERM"), std::string::npos) << proof.error().message;

  Recorded raw = recorded;
  raw.Call("socket", {AF_INET, SOCK_RAW, 1});
  EXPECT_FALSE(ProveSeccomp(raw.recording(), generated, ContainerRuntime::kCordon).has_value());
}

TEST(ProveSeccomp, SaysWhichCallARuntimeCannotName) {
  if (LibseccompKnows("listns")) {
    GTEST_SKIP() << "SKIPPED: this libseccomp has a name for every call of the table";
  }
  Recorded recorded = SmallServer();
  recorded.Call("listns");
  const GeneratedSeccomp generated = Generate(recorded.recording());
  const Expected<SeccompProof> runc =
      ProveSeccomp(recorded.recording(), generated, ContainerRuntime::kRunc);
  ASSERT_FALSE(runc.has_value());
  EXPECT_EQ(runc.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(runc.error().message.find("listns"), std::string::npos);
  EXPECT_TRUE(ProveSeccomp(recorded.recording(), generated, ContainerRuntime::kCordon).has_value());
}

TEST(GenerateSeccomp, DependsOnTheRecordingsNotOnTheirOrder) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    Recording one = SmallServer().recording();
    Recording other = one;
    one.Merge(testing::RandomRecording(seed));
    one.Merge(testing::RandomRecording(seed + 1000));
    other.Merge(testing::RandomRecording(seed + 1000));
    other.Merge(testing::RandomRecording(seed));
    const Expected<GeneratedSeccomp> first = GenerateSeccomp(one, {});
    const Expected<GeneratedSeccomp> second = GenerateSeccomp(other, {});
    ASSERT_EQ(first.has_value(), second.has_value());
    if (first) {
      EXPECT_EQ(WriteSeccompPolicy(first->policy), WriteSeccompPolicy(second->policy));
      EXPECT_EQ(first->reasons, second->reasons);
      EXPECT_TRUE(CheckConsistent(first->policy).has_value());
    }
  }
}

/// Does `large` admit all that `small` admits?
bool Admits(const SeccompPolicy& large, const SeccompPolicy& small) {
  const auto more = FindDifferences(small, large, AnswerRelation::kLeftIsLarger);
  EXPECT_TRUE(more.has_value()) << more.error().message;
  return more && more->empty();
}

TEST(GenerateSeccomp, AllowsWithMoreRecordingsWhatItAllowedWithFewer) {
  Recorded more = SmallServer();
  more.Call("socket", {AF_INET6, SOCK_DGRAM, 0}).Calls({"sync", "mount", "clone3"});
  const GeneratedSeccomp few = Generate(SmallServer().recording());
  const GeneratedSeccomp many = Generate(more.recording());
  EXPECT_TRUE(Admits(many.policy, few.policy));
  EXPECT_FALSE(Admits(few.policy, many.policy));

  std::size_t compared = 0;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const Recording one = testing::RandomRecording(seed);
    Recording both = one;
    both.Merge(testing::RandomRecording(seed + 1000));
    const Expected<GeneratedSeccomp> of_one = GenerateSeccomp(one, {});
    const Expected<GeneratedSeccomp> of_both = GenerateSeccomp(both, {});
    if (of_one && of_both) {
      ++compared;
      EXPECT_TRUE(Admits(of_both->policy, of_one->policy)) << "seed " << seed;
    }
  }
  EXPECT_GT(compared, 10U);
}

TEST(GenerateSeccomp, LetsThreadsMeet) {
  constexpr std::uint64_t kThread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
  SeccompOptions options{.runtime = ContainerRuntime::kNone};
  Recorded recorded = SmallServer();
  EXPECT_NE(Ask(Generate(recorded.recording(), options), "futex"), kAllow);
  recorded.Call("clone3", {kThread});
  for (const char* name : {"futex", "madvise", "munmap", "sched_getaffinity"}) {
    EXPECT_EQ(Ask(Generate(recorded.recording(), options), name), kAllow) << name;
  }
  options.portability = Portability::kExact;
  EXPECT_NE(Ask(Generate(recorded.recording(), options), "futex"), kAllow);
}

}  // namespace
}  // namespace cordon
