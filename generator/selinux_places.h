#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "generator/file_labels.h"
#include "model/recording.h"
#include "model/selinux_policy.h"

namespace cordon {

/// What a private file type is for. Everything that is not the workload's own keeps the
/// distribution's type.
enum class PrivateType : std::uint8_t { kEntry, kConf, kLog, kData, kRun, kTmp, kTmpfs, kPty };

/// "exec", "conf", … as in NAME_conf_t.
std::string_view Suffix(PrivateType type);

/// Which of the files that a workload touched are its own, and how the file system is to be
/// labelled for that.
///
/// Own is: the program it starts with, unless that is a shell, an interpreter or a basic tool; what
/// it wrote where the distribution has no better type than the directory's general one; what it
/// read outside the system's directories, or in a directory of /etc or /var with its name.
struct WorkloadPlaces {
  std::map<FileKey, PrivateType> own;
  /// Directories of which everything inside has one type, also what was not seen yet.
  std::map<std::string, PrivateType> trees;
  std::map<FileContextKey, std::pair<PrivateType, SelinuxReasons>> contexts;
  /// Programs that the domain is entered through, own or not.
  std::set<std::string> entries;
};

/// `names` are what the workload's directories may be called: its own name, its programs'.
WorkloadPlaces FindPlaces(const Recording& recording, const FileLabels& labels,
                          std::string_view name);

/// Did `access` change the object or the directory?
bool Changes(FileAccessSet access);

/// A directory of the hierarchy in which many programs keep things: never given a private type
/// itself.
bool IsSharedDirectory(std::string_view path);

}  // namespace cordon
