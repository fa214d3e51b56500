#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "model/file_access.h"

/// One SELinux policy module: the domain of a workload, the types of its private files, and what
/// the domain may do. Nothing is in it without a reason. Names are flat (no CIL blocks), so that
/// audit2allow and checkmodule can read them too.
namespace cordon {

/// Why something is in a policy: every place where it was seen ("/etc/nginx/nginx.conf",
/// "socket(AF_INET, SOCK_STREAM)").
struct SelinuxReasons {
  std::set<std::string> places;

  void Add(std::string place) { places.insert(std::move(place)); }

  /// "/etc/passwd and 3 more"; empty without places.
  std::string Summary() const;
  bool operator==(const SelinuxReasons&) const = default;
};

/// A type that the module declares, with the attributes of the target that it joins.
struct SelinuxType {
  std::set<std::string> attributes;
  SelinuxReasons reasons;
  bool operator==(const SelinuxType&) const = default;
};

/// The left side of an access vector rule. `target` may be "self".
struct AccessVectorKey {
  std::string source;
  std::string target;
  std::string object_class;
  auto operator<=>(const AccessVectorKey&) const = default;
};

struct AccessVectorRule {
  std::set<std::string> permissions;
  SelinuxReasons reasons;
  bool operator==(const AccessVectorRule&) const = default;
};

/// The ioctl requests that `ioctl` in an allow rule is narrowed to. The kernel compares the low 16
/// bits (security/selinux/hooks.c ioctl_has_perm).
struct IoctlRule {
  std::set<std::uint16_t> requests;
  SelinuxReasons reasons;
  bool operator==(const IoctlRule&) const = default;
};

/// What a new object of `object_class`, made by `source` in a directory of type `target`, is
/// called; with `name` only an entry of that name.
struct TransitionKey {
  std::string source;
  std::string target;
  std::string object_class;
  std::string name;  ///< empty: any
  auto operator<=>(const TransitionKey&) const = default;
};

struct TransitionRule {
  std::string type;
  SelinuxReasons reasons;
  bool operator==(const TransitionRule&) const = default;
};

/// A file context: `regex` is anchored at both ends (selabel_file(5)); without `file_class` it
/// means every class.
struct FileContextKey {
  std::string regex;
  std::optional<FileClass> file_class;
  auto operator<=>(const FileContextKey&) const = default;
};

struct FileContextRule {
  std::string type;
  SelinuxReasons reasons;
  bool operator==(const FileContextRule&) const = default;
};

/// A port that gets a type of the module. `protocol` is "tcp", "udp", "dccp" or "sctp".
struct PortKey {
  std::string protocol;
  std::uint16_t port = 0;
  auto operator<=>(const PortKey&) const = default;
};

/// Does the kernel refuse what the rules of a domain do not allow, or only log it?
enum class DomainMode : std::uint8_t { kEnforcing, kPermissive };

struct SelinuxPolicy {
  std::string name;    ///< of the module, and the stem of its types
  std::string domain;  ///< NAME_t
  DomainMode mode = DomainMode::kEnforcing;
  std::map<std::string, SelinuxType> types;
  /// Attributes that the module declares, with their members.
  std::map<std::string, std::set<std::string>> attributes;
  std::map<std::string, std::set<std::string>> role_types;  ///< role -> types
  std::map<AccessVectorKey, AccessVectorRule> allow;
  std::map<AccessVectorKey, AccessVectorRule> dontaudit;
  std::map<AccessVectorKey, IoctlRule> allow_ioctl;
  std::map<TransitionKey, TransitionRule> transitions;
  std::map<FileContextKey, FileContextRule> file_contexts;
  std::map<PortKey, TransitionRule> ports;

  /// Adds to the allow rule of `key`.
  void Allow(const AccessVectorKey& key, const std::set<std::string>& permissions,
             const std::string& place);
  bool operator==(const SelinuxPolicy&) const = default;
};

/// SELinux's name of an inode class: "file", "dir", "lnk_file", …; nothing for kAnonymous.
std::optional<std::string_view> SelinuxClassName(FileClass file_class);

}  // namespace cordon
