#include "cli/parse_run_values.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>

#include "common/text.h"
#include "model/ipv4_address.h"

namespace cordon::cli {
namespace {

std::unexpected<Error> Wrong(std::string_view option, const std::string& text,
                             std::string_view expected) {
  return Fail(InvalidInput(std::string(option) + " " + Quote(text) + ": expected " +
                           std::string(expected)));
}

/// The word of cgroup v2, and Docker's.
bool IsLifted(std::string_view text) {
  return text == "max" || text == "-1";
}

}  // namespace

Expected<std::uint64_t> ParseSize(const std::string& option, const std::string& text) {
  constexpr std::string_view kUnits = "kmg";
  if (IsLifted(text)) {
    return kUnlimited;
  }
  std::string digits = text;
  unsigned shift = 0;
  if (!digits.empty()) {
    const char last = static_cast<char>(digits.back() | 0x20);
    if (const std::size_t unit = kUnits.find(last); unit != std::string_view::npos) {
      shift = static_cast<unsigned>(10 * (unit + 1));
      digits.pop_back();
    }
  }
  const std::optional<std::uint64_t> number = ParseUnsigned(digits);
  if (!number || *number == 0 ||
      *number > std::numeric_limits<std::uint64_t>::max() >> (shift + 1)) {
    return Wrong(option, text, "a size such as 65536, 512k, 256M or 1G, or max");
  }
  return *number << shift;
}

Expected<std::uint64_t> ParseNumber(const std::string& option, const std::string& text,
                                    std::uint64_t least, std::uint64_t most) {
  const std::optional<std::uint64_t> number = ParseUnsigned(text);
  if (!number || *number < least || *number > most) {
    return Wrong(option, text,
                 "a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *number;
}

Expected<DeviceRate> ParseDeviceRate(const std::string& option, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return Wrong(option, text, "DEVICE:RATE, such as /dev/vda:10M");
  }
  const std::string path = text.substr(0, colon);
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    const int stat_errno = errno;
    return Fail(SystemError(stat_errno, option + " " + Quote(path)));
  }
  if (!S_ISBLK(status.st_mode)) {
    return Fail(InvalidInput(option + " " + Quote(path) + ": this is no block device"));
  }
  DeviceRate rate{{major(status.st_rdev), minor(status.st_rdev)}, 0};
  ASSIGN_OR_RETURN(rate.rate, ParseSize(option, text.substr(colon + 1)));
  return rate;
}

Expected<std::uint64_t> ParseCpus(const std::string& text, std::uint64_t period_us) {
  if (text == "max") {
    return kUnlimited;
  }
  double cpus = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), cpus, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(cpus >= 0.01 && cpus <= 1e6)) {
    return Wrong("--cpus", text, "a number of processors from 0.01, such as 1.5");
  }
  return static_cast<std::uint64_t>(std::llround(cpus * static_cast<double>(period_us)));
}

Expected<std::uint64_t> ParsePids(const std::string& text) {
  return IsLifted(text) ? Expected<std::uint64_t>(kUnlimited)
                        : ParseNumber("--pids", text, 1, 4'194'304);
}

Expected<PublishedPort> ParsePublish(const std::string& text) {
  PublishedPort published;
  std::string ports = text;
  if (ports.ends_with("/udp")) {
    published.transport = Transport::kUdp;
  }
  if (ports.ends_with("/udp") || ports.ends_with("/tcp")) {
    ports.resize(ports.size() - 4);
  }
  std::vector<std::string> parts = Split(ports, ':');
  if (const auto address = ParseIpv4Address(parts.front()); parts.size() == 3 && address) {
    published.address = *address;
    parts.erase(parts.begin());
  }
  const auto port = [](const std::string& part) -> std::optional<std::uint16_t> {
    const std::optional<std::uint64_t> number = ParseUnsigned(part);
    return number && *number >= 1 && *number <= 65535
               ? std::optional(static_cast<std::uint16_t>(*number))
               : std::nullopt;
  };
  if (parts.size() == 2) {
    const std::optional<std::uint16_t> host = port(parts[0]);
    const std::optional<std::uint16_t> container = port(parts[1]);
    if (host && container) {
      published.host = *host;
      published.container = *container;
      return published;
    }
  }
  return Wrong(
      "--publish", text,
      "[ADDRESS:]HOST:CTR[/udp], with an IPv4 address of the host and ports from 1 to 65535");
}

Expected<std::map<std::string, ClockOffset>> ParseTimeOffset(const std::string& text) {
  constexpr std::string_view kWhat = "seconds by clock, such as boottime=86400,monotonic=-1.5";
  constexpr double kMost = 1e9;  // 31 years; the kernel takes no clock beyond 2^33 seconds
  std::map<std::string, ClockOffset> offsets;
  for (const std::string& part : Split(text, ',')) {
    const std::size_t sign = part.find('=');
    const std::string clock = part.substr(0, sign);
    if (sign == std::string::npos || (clock != "boottime" && clock != "monotonic") ||
        offsets.contains(clock)) {
      return Wrong("--time-offset", text, kWhat);
    }
    double seconds = 0;
    const char* const end = part.data() + part.size();
    const auto [read, error] = std::from_chars(part.data() + sign + 1, end, seconds);
    if (error != std::errc() || read != end || !(std::abs(seconds) <= kMost)) {
      return Wrong("--time-offset", text, kWhat);
    }
    const double whole = std::floor(seconds);
    offsets[clock] = {
        static_cast<std::int64_t>(whole),
        static_cast<std::uint32_t>(std::min(std::llround((seconds - whole) * 1e9), 999'999'999LL))};
  }
  return offsets;
}

Expected<Volume> ParseVolume(const std::string& text) {
  constexpr std::string_view kWhat =
      "SRC:DST or SRC:DST:OPTION,… with an absolute DST and options of ro, rw, nosuid, suid, "
      "nodev, "
      "dev, noexec, exec, private, rslave, idmap, z and Z";
  constexpr std::array<std::string_view, 14> kOptions{
      "ro",   "rw",      "nosuid",   "suid",  "nodev",  "dev",   "noexec",
      "exec", "private", "rprivate", "slave", "rslave", "idmap", "ridmap"};
  const std::vector<std::string> parts = Split(text, ':');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty() || parts[1].empty() ||
      parts[1].front() != '/') {
    return Wrong("--volume", text, kWhat);
  }
  std::error_code error;
  const std::filesystem::path source = std::filesystem::canonical(parts[0], error);
  if (error) {
    return Fail(SystemError(error.value(), "--volume " + Quote(parts[0])));
  }
  Volume volume{{parts[1], "bind", source.string(), {"rbind"}}, std::nullopt};
  // A device that is named itself is meant to be used.
  if (std::filesystem::is_directory(source, error)) {
    volume.mount.options.emplace_back("nodev");
  }
  for (const std::string& option :
       parts.size() == 3 ? Split(parts[2], ',') : std::vector<std::string>{"rw"}) {
    if (option == "z" || option == "Z") {
      volume.relabel = option == "z" ? VolumeSharing::kShared : VolumeSharing::kPrivate;
    } else if (std::ranges::find(kOptions, option) != kOptions.end()) {
      volume.mount.options.push_back(option);
    } else {
      return Wrong("--volume", text, kWhat);
    }
  }
  return volume;
}

Expected<Mount> ParseTmpfs(const std::string& text) {
  const std::size_t colon = text.find(':');
  Mount mount{text.substr(0, colon), "tmpfs", "tmpfs", {"nosuid", "nodev", "noexec", "mode=1777"}};
  if (mount.destination.empty() || mount.destination.front() != '/') {
    return Wrong("--tmpfs", text, "an absolute path, or PATH:OPTION,… such as /run:size=64m");
  }
  if (colon != std::string::npos) {
    for (const std::string& option : Split(text.substr(colon + 1), ',')) {
      if (option.starts_with("mode=")) {
        std::erase(mount.options, "mode=1777");
      }
      mount.options.push_back(option);
    }
  }
  return mount;
}

Expected<int> ParseOomScoreAdj(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < -1000 || number > 1000) {
    return Wrong("--oom-score-adj", text, "a number from -1000 to 1000");
  }
  return number;
}

}  // namespace cordon::cli
