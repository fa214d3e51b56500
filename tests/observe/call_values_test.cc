#include "observe/call_values.h"

#include <gtest/gtest.h>
#include <linux/net.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace cordon {
namespace {

std::uint64_t AddressOf(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

SyscallInvocation Call(std::string_view name, std::array<std::uint64_t, 6> arguments,
                       Architecture arch = Architecture::kX86_64) {
  return {.call = {arch, SyscallNumber(arch, name).value()}, .arguments = arguments};
}

TEST(ReadArgumentTuple, MasksRegistersToWhatTheKernelLooksAt) {
  const SyscallInvocation call = Call("socket", {0xdead00000002, 0x80001, 0});
  const auto tuple = ReadArgumentTuple(call, SignatureOf(call.call), ProcessMemory(::getpid()));
  ASSERT_TRUE(tuple.has_value());
  EXPECT_EQ(*tuple, (ArgumentTuple{2, 0x80001, 0}));
}

TEST(ReadArgumentTuple, ReadsMembers) {
  const std::array<std::uint64_t, 3> how{0x80000, 0, 0x10};
  const SyscallInvocation call = Call("openat2", {0, 0, AddressOf(how.data()), sizeof how});
  EXPECT_EQ(ReadArgumentTuple(call, SignatureOf(call.call), ProcessMemory(::getpid())).value(),
            (ArgumentTuple{0x80000, 0x10}));
}

TEST(ReadArgumentTuple, FailsForUnreadableMembers) {
  const SyscallInvocation call = Call("clone3", {8, 88});
  EXPECT_FALSE(
      ReadArgumentTuple(call, SignatureOf(call.call), ProcessMemory(::getpid())).has_value());
}

TEST(UnwrapSocketCall, FindsTheCallMeant) {
  const std::array<std::uint32_t, 3> words{AF_INET, SOCK_STREAM, 6};
  const SyscallInvocation call =
      Call("socketcall", {SYS_SOCKET, AddressOf(words.data())}, Architecture::kX86);
  const auto inner = UnwrapSocketCall(call, ProcessMemory(::getpid()));
  ASSERT_TRUE(inner.has_value());
  EXPECT_EQ(SyscallName(inner->call), "socket");
  EXPECT_EQ(inner->arguments[0], static_cast<std::uint64_t>(AF_INET));
  EXPECT_EQ(inner->arguments[2], 6U);
}

TEST(UnwrapSocketCall, RefusesNonsense) {
  EXPECT_FALSE(
      UnwrapSocketCall(Call("socketcall", {99, 0}, Architecture::kX86), ProcessMemory(::getpid()))
          .has_value());
  EXPECT_FALSE(UnwrapSocketCall(Call("socketcall", {SYS_BIND, 8}, Architecture::kX86),
                                ProcessMemory(::getpid()))
                   .has_value());
}

TEST(ReadMessageDestination, ReadsTheName) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  const ProcessMemory memory(::getpid());
  const auto named = ReadMessageDestination({AddressOf(&message)}, NativeArchitecture(), memory);
  ASSERT_TRUE(named.has_value() && named->has_value());
  EXPECT_EQ((*named)->port, 9);
  message.msg_name = nullptr;
  EXPECT_FALSE(ReadMessageDestination({AddressOf(&message)}, NativeArchitecture(), memory)
                   .value()
                   .has_value());
}

TEST(ReadSocketAddress, RefusesLengthsThatTheKernelRefuses) {
  std::array<char, 512> bytes{};
  EXPECT_FALSE(ReadSocketAddress({AddressOf(bytes.data())}, bytes.size(), ProcessMemory(::getpid()))
                   .has_value());
}

}  // namespace
}  // namespace cordon
