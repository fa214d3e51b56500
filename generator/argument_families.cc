#include "generator/argument_families.h"

#include <linux/in6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace cordon {
namespace {

// As kTcgets2.
constexpr std::uint64_t kTcsets2 = 0x402c542b;
constexpr std::uint64_t kTcsetsw2 = 0x402c542c;
constexpr std::uint64_t kTcsetsf2 = 0x402c542d;

constexpr std::string_view kTime =
    "with 64-bit time a C library for 32 bits sets the option's new form first, and the old one "
    "where the kernel has no other (musl, src/network/setsockopt.c)";

/// An option of sockets in the form for `long` and in that for 64-bit time (asm-generic/socket.h).
ArgumentFamily TwoForms(std::uint64_t old_form, std::uint64_t new_form) {
  const std::vector<WatchedValues> both = {{SOL_SOCKET, old_form}, {SOL_SOCKET, new_form}};
  return {"setsockopt", both, both, kTime};
}

}  // namespace

std::span<const ArgumentFamily> ArgumentFamilies() {
  static const std::vector<ArgumentFamily> families = {
      // What is asked depends on the C library, what follows on whether there is a terminal, which
      // the recorded run may not have had (`docker run -t`, tcsetpgrp(3) by an init).
      {"ioctl",
       {{TCGETS}, {kTcgets2}, {TIOCGWINSZ}},
       {{TCGETS},
        {TCSETS},
        {TCSETSW},
        {TCSETSF},
        {kTcgets2},
        {kTcsets2},
        {kTcsetsw2},
        {kTcsetsf2},
        {TIOCGWINSZ},
        {TIOCGPGRP},
        {TIOCSPGRP}},
       "who asks whether it is at a terminal goes on to use it where there is one"},
      TwoForms(20, 66),  // SO_RCVTIMEO
      TwoForms(21, 67),  // SO_SNDTIMEO
      TwoForms(29, 63),  // SO_TIMESTAMP
      TwoForms(35, 64),  // SO_TIMESTAMPNS
      TwoForms(37, 65),  // SO_TIMESTAMPING
      {"setsockopt",
       {{IPPROTO_IP, IP_RECVERR}, {IPPROTO_IPV6, IPV6_RECVERR}},
       {{IPPROTO_IP, IP_RECVERR},
        {IPPROTO_IPV6, IPV6_RECVERR},
        {IPPROTO_IPV6, IPV6_V6ONLY},
        {IPPROTO_TCP, TCP_FASTOPEN_CONNECT}},
       "a resolver asks name servers of either family: glibc wants to hear of errors "
       "(resolv/res_send.c), musl takes both families on one socket and sends with the first "
       "packet (src/network/res_msend.c)"},
  };
  return families;
}

}  // namespace cordon
