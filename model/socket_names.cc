#include "model/socket_names.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace cordon {
namespace {

using Row = std::pair<int, std::string_view>;

constexpr std::array<Row, 24> kFamilies{{
    {AF_UNSPEC, "unspec"},   {AF_UNIX, "unix"},       {AF_INET, "inet"},
    {AF_AX25, "ax25"},       {AF_IPX, "ipx"},         {AF_APPLETALK, "appletalk"},
    {AF_X25, "x25"},         {AF_INET6, "inet6"},     {AF_KEY, "key"},
    {AF_NETLINK, "netlink"}, {AF_PACKET, "packet"},   {AF_RDS, "rds"},
    {AF_PPPOX, "pppox"},     {AF_LLC, "llc"},         {AF_IB, "ib"},
    {AF_CAN, "can"},         {AF_TIPC, "tipc"},       {AF_BLUETOOTH, "bluetooth"},
    {AF_ALG, "alg"},         {AF_NFC, "nfc"},         {AF_VSOCK, "vsock"},
    {AF_KCM, "kcm"},         {AF_QIPCRTR, "qipcrtr"}, {AF_XDP, "xdp"},
}};

constexpr std::array<Row, 7> kTypes{{
    {SOCK_STREAM, "stream"},
    {SOCK_DGRAM, "dgram"},
    {SOCK_RAW, "raw"},
    {SOCK_RDM, "rdm"},
    {SOCK_SEQPACKET, "seqpacket"},
    {SOCK_DCCP, "dccp"},
    {SOCK_PACKET, "packet"},
}};

template <std::size_t N>
std::optional<std::string_view> NameOf(const std::array<Row, N>& rows, int number) {
  const auto* found =
      std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.first == number; });
  return found == rows.end() ? std::nullopt : std::optional(found->second);
}

template <std::size_t N>
std::optional<int> NumberOf(const std::array<Row, N>& rows, std::string_view name) {
  const auto* found =
      std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.second == name; });
  return found == rows.end() ? std::nullopt : std::optional(found->first);
}

}  // namespace

std::optional<std::string_view> SocketFamilyName(int family) {
  return NameOf(kFamilies, family);
}

std::optional<int> SocketFamilyFromName(std::string_view name) {
  return NumberOf(kFamilies, name);
}

std::optional<std::string_view> SocketTypeName(int type) {
  return NameOf(kTypes, type);
}

std::optional<int> SocketTypeFromName(std::string_view name) {
  return NumberOf(kTypes, name);
}

}  // namespace cordon
