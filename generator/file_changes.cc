#include "generator/file_changes.h"

#include "generator/path_names.h"

namespace cordon {

FileChanges::FileChanges(const Recording& recording) {
  for (const auto& [key, file] : recording.files) {
    if (HasPath(key) && file.access.HasAny({FileAccess::kCreate, FileAccess::kArrive})) {
      created_.insert(key.path);
    }
  }
  for (const auto& [key, file] : recording.files) {
    if (!HasPath(key)) {
      continue;
    }
    if (ChangesParent(file)) {
      changing_.insert(ExistingFolder(ParentPath(key.path)));
    }
    if (key.file_class == FileClass::kDirectory &&
        file.access.HasAny({FileAccess::kAddName, FileAccess::kRemoveName})) {
      changing_.insert(ExistingFolder(key.path));
    }
  }
  FindCrossed(recording);
}

void FileChanges::FindCrossed(const Recording& recording) {
  bool folder_crossed = false;
  for (const auto& [key, file] : recording.files) {
    if (HasPath(key) && file.access.Has(FileAccess::kReparent)) {
      crossed_.insert(ExistingFolder(ParentPath(key.path)));
      folder_crossed = folder_crossed || key.file_class == FileClass::kDirectory;
    }
  }
  // Where a folder arrived is not marked.
  for (const auto& [key, file] : recording.files) {
    if (folder_crossed && HasPath(key) && key.file_class == FileClass::kDirectory &&
        file.access.Has(FileAccess::kArrive)) {
      crossed_.insert(ExistingFolder(ParentPath(key.path)));
    }
  }
}

std::string FileChanges::ExistingFolder(std::string folder) const {
  while (folder != "/" && WasCreated(folder)) {
    folder = ParentPath(folder);
  }
  return folder;
}

std::string FileChanges::ChangingFolderOf(const std::string& path) const {
  std::string folder = ParentPath(path);
  for (;;) {
    if (changing_.contains(folder)) {
      return folder;
    }
    // Only what the workload made itself is counted to a folder further up.
    if (folder == "/" || !WasCreated(folder)) {
      return {};
    }
    folder = ParentPath(folder);
  }
}

bool HasPath(const FileKey& key) {
  return key.path.starts_with('/') && key.file_class != FileClass::kAnonymous;
}

bool ChangesFile(const FileObservation& file) {
  return file.access.HasAny({FileAccess::kTruncate, FileAccess::kSetattr}) ||
         (WasOpened(file) &&
          file.access.HasAny({FileAccess::kWrite, FileAccess::kAppend, FileAccess::kMapWrite}));
}

bool ChangesParent(const FileObservation& file) {
  return file.access.HasAny(
      {FileAccess::kCreate, FileAccess::kArrive, FileAccess::kUnlink, FileAccess::kRename});
}

bool WasOpened(const FileObservation& file) {
  return file.access.HasAny({FileAccess::kOpen, FileAccess::kCreate});
}

}  // namespace cordon
