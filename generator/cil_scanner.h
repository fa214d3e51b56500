#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "model/file_access.h"

namespace cordon {

/// A range of ports and its type (portcon).
struct PortRange {
  std::string protocol;  ///< "tcp", "udp", "dccp", "sctp"
  std::uint16_t low = 0;
  std::uint16_t high = 0;
  std::string type;
  bool operator==(const PortRange&) const = default;
};

/// The type of a path inside file systems that keep no labels (genfscon): the longest `prefix` of
/// the path below the mount wins.
struct FilesystemPrefix {
  std::string filesystem;
  std::string prefix;
  std::string type;
  bool operator==(const FilesystemPrefix&) const = default;
};

/// A file context of a module: `regex` is anchored; no `file_class` means every class.
struct FilePattern {
  std::string regex;
  std::optional<FileClass> file_class;
  std::string type;  ///< empty: explicitly no label
  bool operator==(const FilePattern&) const = default;
};

/// The names that a policy declares and where it puts its labels: all that cordon must know of a
/// target before it writes a rule for it.
struct PolicyFacts {
  std::set<std::string> types;
  std::map<std::string, std::string> aliases;  ///< alias -> type
  std::set<std::string> attributes;
  std::set<std::string> roles;
  std::map<std::string, std::set<std::string>>
      classes;  ///< class -> permissions, those of its common too
  std::vector<PortRange> ports;
  std::vector<FilesystemPrefix> filesystem_prefixes;
  std::map<std::string, std::string>
      filesystem_types;  ///< fsuse: file system -> type of its superblock
  std::vector<FilePattern> file_patterns;

  bool HasPermission(const std::string& object_class, const std::string& permission) const;
};

/// Collects PolicyFacts from CIL text (SELinux CIL Reference Guide), statement by statement;
/// declarations inside optional and booleanif blocks count as declared. Named contexts, blocks and
/// macros, which refpolicy's modules do not have, are not followed.
class CilScanner {
 public:
  /// Adds the facts of one module. Fails with kInvalidInput naming `source` and the byte where the
  /// text is not CIL.
  Status Add(std::string_view text, std::string_view source);

  /// The facts of everything added, with commons folded into classes.
  PolicyFacts Finish();

 private:
  friend class CilReader;

  PolicyFacts facts_;
  std::map<std::string, std::set<std::string>> commons_;
  std::map<std::string, std::string> class_commons_;
};

}  // namespace cordon
