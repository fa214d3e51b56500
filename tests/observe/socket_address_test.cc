#include "observe/socket_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "common/unique_fd.h"

namespace cordon {
namespace {

template <typename T>
std::span<const std::byte> Bytes(const T& value, std::size_t size = sizeof(T)) {
  return std::as_bytes(std::span(&value, 1)).first(size);
}

TEST(DecodeSocketAddress, Inet) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(8080);
  ASSERT_EQ(::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
  EXPECT_EQ(DecodeSocketAddress(Bytes(address)).value(),
            (SocketAddress{AF_INET, "127.0.0.1", 8080}));
  EXPECT_FALSE(DecodeSocketAddress(Bytes(address, 8)).has_value());
  EXPECT_FALSE(DecodeSocketAddress(Bytes(address, 1)).has_value());
}

TEST(DecodeSocketAddress, Inet6) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(53);
  address.sin6_addr = in6addr_loopback;
  EXPECT_EQ(DecodeSocketAddress(Bytes(address)).value(), (SocketAddress{AF_INET6, "::1", 53}));
}

TEST(DecodeSocketAddress, Unix) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/run/x.sock");
  EXPECT_EQ(DecodeSocketAddress(Bytes(address)).value().address, "/run/x.sock");
  EXPECT_EQ(DecodeSocketAddress(Bytes(address, 2)).value().address, "");
  std::memcpy(address.sun_path, "\0name", 5);
  EXPECT_EQ(DecodeSocketAddress(Bytes(address, 2 + 5)).value().address, "@name");
}

TEST(IdentifySocket, AsksTheKernel) {
  const UniqueFd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    GTEST_SKIP() << "SKIPPED: no IPv6 here";
  }
  const auto identity = IdentifySocket(::getpid(), fd.get());
  ASSERT_TRUE(identity.has_value()) << identity.error().message;
  EXPECT_EQ(*identity, (SocketIdentity{AF_INET6, SOCK_DGRAM, IPPROTO_UDP}));
  EXPECT_FALSE(IdentifySocket(::getpid(), 0x7fffffff).has_value());
}

TEST(DescribeSocket, TellsWhereItListens) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_TRUE(fd.valid());
  auto socket = DescribeSocket(::getpid(), fd.get());
  ASSERT_TRUE(socket.has_value()) << socket.error().message;
  EXPECT_FALSE(socket->listens);
  EXPECT_FALSE(socket->peer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd.get(), 1), 0);
  socket = DescribeSocket(::getpid(), fd.get());
  ASSERT_TRUE(socket.has_value()) << socket.error().message;
  EXPECT_TRUE(socket->listens);
  ASSERT_TRUE(socket->bound);
  EXPECT_EQ(socket->bound->address, "127.0.0.1");
  EXPECT_NE(socket->bound->port, 0);
}

}  // namespace
}  // namespace cordon
