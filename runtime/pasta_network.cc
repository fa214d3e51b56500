#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "common/background_program.h"
#include "common/file.h"
#include "common/temporary_folder.h"
#include "common/text.h"
#include "model/ipv4_address.h"
#include "runtime/private_network.h"
#include "runtime/published_port.h"

namespace cordon {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr std::string_view kAddress = "10.214.0.2";
constexpr std::string_view kGateway = "10.214.0.1";

class PastaNetwork final : public PrivateNetwork {
 public:
  explicit PastaNetwork(BackgroundProgram pasta) : pasta_(std::move(pasta)) {}

  const std::string& address() const override { return address_; }

 private:
  BackgroundProgram pasta_;
  std::string address_{kAddress};
};

/// Its defaults are another program's: without these options it would forward every port that
/// listens on either side, and carry what is sent to the gateway to the host's loopback address.
std::vector<std::string> Arguments(pid_t first, const std::vector<PublishedPort>& published,
                                   const std::string& ready) {
  std::vector<std::string> arguments{
      "pasta",       "--foreground", "--quiet",   "--config-net",
      "--ipv4-only", "--no-map-gw",  "--address", std::string(kAddress),
      "--netmask",   "24",           "--gateway", std::string(kGateway),
      "--ns-ifname", "eth0",         "--pid",     ready,
      "-T",          "none",         "-U",        "none"};
  bool tcp = false;
  bool udp = false;
  for (const PublishedPort& port : published) {
    const bool is_udp = port.transport == Transport::kUdp;
    (is_udp ? udp : tcp) = true;
    arguments.insert(
        arguments.end(),
        {is_udp ? "-u" : "-t",
         fmt::format("{}{}:{}", port.address == 0 ? "" : Ipv4AddressText(port.address) + "/",
                     port.host, port.container)});
  }
  if (!tcp) {
    arguments.insert(arguments.end(), {"-t", "none"});
  }
  if (!udp) {
    arguments.insert(arguments.end(), {"-u", "none"});
  }
  arguments.insert(arguments.end(), {"--userns", fmt::format("/proc/{}/ns/user", first), "--netns",
                                     fmt::format("/proc/{}/ns/net", first)});
  return arguments;
}

/// The last line of what the program says; it also says what it could not tell the system's log.
std::string LastWords(int errors) {
  std::string said;
  std::array<char, 4096> buffer{};
  ssize_t length = 0;
  while ((length = ::read(errors, buffer.data(), buffer.size())) > 0) {
    said.append(buffer.data(), static_cast<std::size_t>(length));
  }
  std::string last;
  for (const std::string& line : Split(said, '\n')) {
    if (!line.empty() && !line.ends_with("to syslog")) {
      last = line;
    }
  }
  return last;
}

}  // namespace

Expected<std::unique_ptr<PrivateNetwork>> MakePastaNetwork(
    pid_t first, const std::vector<PublishedPort>& published) {
  for (const PublishedPort& port : published) {
    ASSIGN_OR_RETURN(const UniqueFd free, TakeHostPort(port));  // pasta only warns
  }
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) {
    const int access_errno = errno;
    return Fail(MakeError(ErrorCode::kUnsupported,
                          std::string("a private network without privilege needs /dev/net/tun (") +
                              std::strerror(access_errno) +
                              "): as root, modprobe tun; chmod 666 /dev/net/tun"));
  }
  ASSIGN_OR_RETURN(const TemporaryFolder folder, TemporaryFolder::Create("cordon-network"));
  const std::string ready_path = folder / "ready";
  if (::mkfifo(ready_path.c_str(), 0600) != 0) {
    const int mkfifo_errno = errno;
    return Fail(SystemError(mkfifo_errno, ready_path));
  }
  // It writes its process id when all is set up. Open for both, so that it need not wait for us.
  ASSIGN_OR_RETURN(const UniqueFd ready, OpenAt(AT_FDCWD, ready_path, O_RDWR | O_NONBLOCK));
  ASSIGN_OR_RETURN(BackgroundProgram pasta,
                   BackgroundProgram::Start(Arguments(first, published, ready_path)));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    std::array<pollfd, 2> waits{{{.fd = ready.get(), .events = POLLIN, .revents = 0},
                                 {.fd = pasta.errors(), .events = 0, .revents = 0}}};
    const int count =
        left.count() <= 0 ? 0 : ::poll(waits.data(), waits.size(), static_cast<int>(left.count()));
    if (count == 0) {
      return Fail(SystemError(ETIMEDOUT, "waiting for pasta, which gives the sandbox a network"));
    }
    if (waits[0].revents != 0) {
      pasta.CloseErrors();
      return std::make_unique<PastaNetwork>(std::move(pasta));
    }
    if (count > 0) {
      return Fail(MakeError(ErrorCode::kUnsupported,
                            "giving the sandbox a network of its own without privilege: " +
                                Quote(LastWords(pasta.errors()))));
    }
  }
}

}  // namespace cordon
