#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "generator/cil_scanner.h"
#include "model/file_access.h"

struct selabel_handle;

namespace cordon {

/// Says which type SELinux gives to a path under a target policy, on any host: from the target's
/// file contexts (through libselinux), from the policy's rules for file systems without labels
/// (proc, sysfs, tmpfs …), else from the directory that the path is in.
class FileLabels {
 public:
  /// `file_contexts` in the format of file_contexts(5), `substitutions` in that of
  /// file_contexts.subs_dist(5). Only the file system parts of `facts` are kept. Fails with
  /// kInvalidInput when libselinux refuses the text.
  static Expected<FileLabels> Create(std::string_view file_contexts, std::string_view substitutions,
                                     const PolicyFacts& facts);

  /// The type of `path` (absolute, canonical). "self" for what recordings write as /proc/self;
  /// empty if nothing says, as for the entries in /proc of tasks outside the workload, whose domain
  /// is not recorded.
  std::string TypeOf(const std::string& path, FileClass file_class) const;

  /// Does a rule name this path, rather than its type being that of the directory around it?
  bool Names(const std::string& path, FileClass file_class) const;

 private:
  struct Close {
    void operator()(selabel_handle* handle) const;
  };

  FileLabels() = default;

  /// A line of the file contexts, and the literal text that each path begins with that it matches.
  struct Line {
    std::string literal;
    std::string text;
    std::size_t place = 0;  ///< among all lines
  };

  using Handle = std::unique_ptr<selabel_handle, Close>;

  static Expected<Handle> Open(std::string_view file_contexts);

  std::string Look(const std::string& path, FileClass file_class) const;
  selabel_handle* HandleFor(const std::string& path) const;
  std::string Substituted(const std::string& path) const;
  std::optional<std::string> UnlabelledFilesystemType(std::string_view path,
                                                      FileClass file_class) const;
  std::string GenfsType(std::string_view filesystem, std::string_view path) const;

  Handle all_;
  std::vector<Line> lines_;  ///< by their literals
  /// By a folder: of the lines that can match a path in it. libselinux tries them one after the
  /// other, so with all of them each look-up costs as much as there are.
  mutable std::map<std::string, Handle> handles_;
  std::vector<std::pair<std::string, std::string>> substitutions_;  ///< longest alias first
  std::vector<FilesystemPrefix> filesystem_prefixes_;
  std::map<std::string, std::string> filesystem_types_;
  mutable std::map<std::pair<std::string, FileClass>, std::string> cache_;
};

/// The last component of `path`.
std::string BaseName(const std::string& path);

}  // namespace cordon
