// policy_answers PROFILE: what a seccomp profile answers to calls of this host's own ABI. Reads a
// call a line from standard input, as call_probe takes them ("41,38,5" is socket(38, 5, -1 …)), and
// prints "CALL NAME ANSWER": "allow", or the errno as a number. policy_answers: prints the calls to
// ask about, a line each.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

#include "common/file.h"
#include "model/seccomp_policy.h"
#include "model/seccomp_policy_json.h"

namespace {

using cordon::SyscallInvocation;

/// Calls that cannot be tried: where they are let through they end the probe, block it, or write
/// out every file system of the machine.
constexpr std::array kNotTried = {"exit", "exit_group", "pause",     "rt_sigreturn",
                                  "sync", "uprobe",     "uretprobe", "vhangup"};

/// Calls whose argument decides, beside the one with all ones that every call has.
constexpr std::array kWithArguments = {
    "41,1,1,0",                              // socket: unix, stream
    "41,2,1,0",                              // inet, stream
    "41,2,3,1",                              // inet, raw, ICMP
    "41,10,2,0",                             // inet6, datagram
    "41,16,3,0",                             // netlink, route
    "41,17,3,768",                           // packet, raw
    "41,38,5,0",                             // alg: CVE-2026-31431
    "41,40,1,0",                             // vsock
    "53,1,1,0,18446744073709551615",         // socketpair: unix
    "62,2147483647,0",                       // kill: a process that is not there
    "135,262144",                            // personality: ADDR_NO_RANDOMIZE
    "135,8",                                 // personality: PER_LINUX32
    "272,268435456",                         // unshare: CLONE_NEWUSER
    "272,131072",                            // unshare: CLONE_NEWNS
    "56,268435473",                          // clone: CLONE_NEWUSER | SIGCHLD
    "56,17,0,0,0,0",                         // clone: as fork
    "16,4294967295,21522",                   // ioctl: TIOCSTI
    "16,4294967295,21532",                   // ioctl: TIOCLINUX
    "16,4294967295,21505",                   // ioctl: TCGETS
    "157,22,2,0",                            // prctl: PR_SET_SECCOMP
    "157,3,0,0,0,0",                         // prctl: PR_GET_DUMPABLE
    "10,4096,0,7",                           // mprotect: read, write and execute
    "9,0,4096,7,34,18446744073709551615,0",  // mmap: the same
};

void PrintCalls() {
  for (const auto& [number, name] : cordon::SyscallsOf(cordon::NativeArchitecture())) {
    if (std::ranges::find(kNotTried, name) == kNotTried.end()) {
      fmt::print("{}\n", number);
    }
  }
  for (const char* call : kWithArguments) {
    fmt::print("{}\n", call);
  }
}

SyscallInvocation Parse(std::string_view text) {
  SyscallInvocation invocation{{cordon::NativeArchitecture(), -1}, {}};
  invocation.arguments.fill(~std::uint64_t{0});
  const char* end =
      std::from_chars(text.data(), text.data() + text.size(), invocation.call.number).ptr;
  for (std::uint64_t& argument : invocation.arguments) {
    if (end != text.data() + text.size() && *end == ',') {
      end = std::from_chars(end + 1, text.data() + text.size(), argument).ptr;
    }
  }
  return invocation;
}

int Answer(const std::string& file) {
  const auto text = cordon::ReadFile(file, cordon::kMaxSeccompProfileBytes);
  const auto policy = text ? cordon::ReadSeccompPolicy(*text, file)
                           : cordon::Expected<cordon::SeccompPolicy>(cordon::Fail(text.error()));
  if (!policy) {
    fmt::print(stderr, "policy_answers: {}\n", policy.error().message);
    return 2;
  }
  for (std::string line; std::getline(std::cin, line);) {
    const SyscallInvocation invocation = Parse(line);
    const cordon::SeccompAction action = Evaluate(*policy, invocation);
    fmt::print("{} {} {}\n", line, cordon::SyscallLabel(invocation.call),
               action.kind == cordon::SeccompActionKind::kAllow ? "allow"
               : action.kind == cordon::SeccompActionKind::kErrno
                   ? std::to_string(action.data)
                   : fmt::format("action-{}", static_cast<int>(action.kind)));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1) {
      return Answer(argv[1]);
    }
    PrintCalls();
    return 0;
  } catch (const std::exception& error) {
    (void)std::fputs(error.what(), stderr);
  }
  return 2;
}
