#include "model/seccomp_profile_context.h"

#include <charconv>

namespace cordon {
namespace {

constexpr unsigned kMaxVersionNumber = 255;

std::optional<unsigned> Number(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number <= kMaxVersionNumber ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<KernelVersion> ParseKernelVersion(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) {
    return std::nullopt;
  }
  const std::optional<unsigned> major = Number(text.substr(0, dot));
  const std::optional<unsigned> minor = Number(text.substr(dot + 1));
  if (!major || !minor || (*major == 0 && *minor == 0)) {
    return std::nullopt;
  }
  return KernelVersion{*major, *minor};
}

const std::set<std::string>& DefaultContainerCapabilities() {
  static const std::set<std::string> kDefaults = {
      "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
      "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",   "CAP_SETFCAP",
      "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};
  return kDefaults;
}

}  // namespace cordon
