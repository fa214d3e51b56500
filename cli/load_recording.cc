#include "cli/load_recording.h"

#include "common/file.h"
#include "common/text.h"
#include "model/recording_json.h"

namespace cordon::cli {

Expected<Recording> LoadRecording(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxRecordingBytes));
  return ReadRecording(text, Quote(path));
}

Expected<Recording> LoadRecordings(const std::vector<std::string>& paths) {
  Recording merged;
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const Recording one, LoadRecording(path));
    merged.Merge(one);
  }
  return merged;
}

}  // namespace cordon::cli
