#include "generator/report/file_kind.h"

namespace cordon::report {

FileKind KindOf(const FileObservation& file) {
  using enum FileAccess;
  if (file.access.empty()) {
    return FileKind::kMissing;
  }
  if (file.access.HasAny({kExecute, kMapExecute})) {
    return FileKind::kExecuted;
  }
  if (file.access.HasAny({kWrite, kAppend, kCreate, kTruncate, kMapWrite, kSetattr, kUnlink,
                          kRename, kLink, kMount, kAddName, kRemoveName, kReparent, kArrive,
                          kExecModified})) {
    return FileKind::kChanged;
  }
  if (file.access.HasAny(
          {kOpen, kRead, kMap, kLock, kWatch, kWatchReads, kIoctl, kReadLink, kConnect})) {
    return FileKind::kRead;
  }
  return FileKind::kLooked;
}

std::string_view KindWord(FileKind kind) {
  switch (kind) {
    case FileKind::kExecuted:
      return "executed";
    case FileKind::kChanged:
      return "changed";
    case FileKind::kRead:
      return "read";
    case FileKind::kLooked:
      return "looked at";
    case FileKind::kMissing:
      return "not found";
  }
  return {};
}

std::string_view KindClass(FileKind kind) {
  switch (kind) {
    case FileKind::kExecuted:
      return "executed";
    case FileKind::kChanged:
      return "changed";
    case FileKind::kRead:
      return "read";
    case FileKind::kLooked:
      return "looked";
    case FileKind::kMissing:
      return "missing";
  }
  return {};
}

}  // namespace cordon::report
