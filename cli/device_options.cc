#include "cli/device_options.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <limits>
#include <optional>

#include "common/text.h"

namespace cordon::cli {
namespace {

std::unexpected<Error> Wrong(const std::string& option, const std::string& text,
                             const std::string& expected) {
  return Fail(InvalidInput(option + " " + Quote(text) + ": expected " + expected));
}

/// Of letters of rwm; nothing for any other.
std::optional<std::uint8_t> AccessOf(const std::string& letters) {
  std::uint8_t access = 0;
  for (const char letter : letters) {
    const std::uint8_t bit = letter == 'r'   ? kReadDevice
                             : letter == 'w' ? kWriteDevice
                             : letter == 'm' ? kMakeDevice
                                             : 0;
    if (bit == 0) {
      return std::nullopt;
    }
    access |= bit;
  }
  return access == 0 ? std::nullopt : std::optional(access);
}

Status AddDevice(const std::string& text, Devices& devices) {
  const std::string expected = "DEVICE[:INSIDE][:rwm] with absolute paths";
  const std::vector<std::string> parts = Split(text, ':');
  const std::string& path = parts.front();
  std::string inside = path;
  std::optional<std::uint8_t> access = kAnyDeviceAccess;
  if (parts.size() > 1 && parts[1].starts_with("/")) {
    inside = parts[1];
  }
  if (parts.size() > 1 && !parts.back().starts_with("/")) {
    access = AccessOf(parts.back());
  }
  if (path.empty() || path.front() != '/' || parts.size() > 3 || !access ||
      (parts.size() == 3 && !parts[1].starts_with("/"))) {
    return Wrong("--device", text, expected);
  }
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    const int stat_errno = errno;
    return Fail(SystemError(stat_errno, "--device " + Quote(path)));
  }
  if (!S_ISBLK(status.st_mode) && !S_ISCHR(status.st_mode)) {
    return Fail(InvalidInput("--device " + Quote(path) + ": this is no device"));
  }
  devices.mounts.push_back({inside, "bind", path, {"bind", "nosuid", "noexec"}});
  devices.rules.push_back({DeviceAnswer::kAllow,
                           S_ISBLK(status.st_mode) ? DeviceKind::kBlock : DeviceKind::kCharacter,
                           major(status.st_rdev), minor(status.st_rdev), *access});
  return {};
}

/// A number, or '*'; false for anything else.
bool TakeNumber(const std::string& text, std::optional<std::uint32_t>& number) {
  const std::optional<std::uint64_t> value = ParseUnsigned(text);
  if (value && *value <= std::numeric_limits<std::uint32_t>::max()) {
    number = static_cast<std::uint32_t>(*value);
  }
  return number || text == "*";
}

Status AddRule(const std::string& text, Devices& devices) {
  const std::vector<std::string> words = Split(text, ' ');
  DeviceRule rule;
  rule.answer = DeviceAnswer::kAllow;
  if (text != "a") {
    const std::vector<std::string> numbers =
        words.size() == 3 ? Split(words[1], ':') : std::vector<std::string>();
    const std::optional<std::uint8_t> access =
        words.size() == 3 ? AccessOf(words[2]) : std::nullopt;
    if (!access || (words[0] != "b" && words[0] != "c") || numbers.size() != 2 ||
        !TakeNumber(numbers[0], rule.major) || !TakeNumber(numbers[1], rule.minor)) {
      return Wrong("--device-rule", text,
                   "a, or what it is, its numbers and what is allowed, such as 'c 10:229 rw'");
    }
    rule.kind = words[0] == "b" ? DeviceKind::kBlock : DeviceKind::kCharacter;
    rule.access = *access;
  }
  devices.rules.push_back(rule);
  return {};
}

}  // namespace

Expected<Devices> ParseDevices(const std::vector<std::string>& devices,
                               const std::vector<std::string>& rules) {
  Devices parsed;
  for (const std::string& text : devices) {
    RETURN_IF_ERROR(AddDevice(text, parsed));
  }
  for (const std::string& text : rules) {
    RETURN_IF_ERROR(AddRule(text, parsed));
  }
  return parsed;
}

}  // namespace cordon::cli
