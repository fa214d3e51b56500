#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "model/recording.h"

namespace cordon {

/// Raised whenever a reader of the former version would misread a recording.
inline constexpr int kRecordingSchemaVersion = 1;

/// Largest recording that is read.
inline constexpr std::size_t kMaxRecordingBytes = std::size_t{1} << 30;

/// The document: ordered, so equal recordings are equal bytes, with a final newline. Format:
/// docs/recording-format.md.
std::string WriteRecording(const Recording& recording);

/// Is `text` meant to be a recording, rather than a policy? It is if it has a schema_version.
bool IsRecording(std::string_view text);

/// Reads what WriteRecording wrote. Unknown keys are ignored; everything known is checked. Fails
/// with kInvalidInput, naming `source` (the file) and the JSON pointer or byte of the first
/// mistake; another schema_version is named as such.
Expected<Recording> ReadRecording(std::string_view text, std::string_view source);

}  // namespace cordon
