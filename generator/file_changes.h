#pragma once

#include <map>
#include <set>
#include <string>

#include "model/recording.h"

namespace cordon {

/// How a recording changed the file tree, as mounts and path rules need it.
class FileChanges {
 public:
  explicit FileChanges(const Recording& recording);

  /// Did `path` not exist before the workload made it?
  bool WasCreated(const std::string& path) const { return created_.contains(path); }

  /// The nearest folder at or above `folder` that the workload found there.
  std::string ExistingFolder(std::string folder) const;

  /// Folders that the workload found there and in which entries came or went, with what was beneath
  /// them counted to them.
  const std::set<std::string>& changing_folders() const { return changing_; }

  /// The innermost changing folder at or above the one that holds `path`, or an empty string.
  std::string ChangingFolderOf(const std::string& path) const;

  /// Folders that were there between which something was renamed or linked. A recording does not
  /// say which pairs.
  const std::set<std::string>& crossed_folders() const { return crossed_; }

 private:
  void FindCrossed(const Recording& recording);

  std::set<std::string> created_;
  std::set<std::string> changing_;
  std::set<std::string> crossed_;
};

/// Is the path of `key` one in the file system? Pipes, sockets and anonymous inodes are not.
bool HasPath(const FileKey& key);

/// Was it opened by the workload? What it only got as an open descriptor (its standard output, say)
/// needs neither a mount nor a rule.
bool WasOpened(const FileObservation& file);

/// Did it do what a read-only mount refuses?
bool ChangesFile(const FileObservation& file);

/// Did it make an entry come or go?
bool ChangesParent(const FileObservation& file);

}  // namespace cordon
