#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "model/recording.h"

namespace cordon {

/// The file of a bundle that is its report: neither listed in the proof nor read again, so that a
/// bundle is whole without it.
inline constexpr std::string_view kReportFile = "report.html";

/// What a report is about: a recording, a policy bundle, or a policy with the recording that it was
/// made of. At least one of the two is there.
struct ReportSubject {
  std::string name;    ///< what people call it: that of the policy, or of the recording's file
  std::string source;  ///< where its bundle is, for messages
  const Recording* recording = nullptr;
  const std::map<std::string, std::string>* bundle = nullptr;  ///< name of a file -> its content
};

/// One HTML page about one subject or two, side by side. It needs nothing beside it, neither
/// network nor files, and says the essentials without scripts; a Content-Security-Policy of its own
/// lets no script run but its own. Whatever a workload put into names is shown as text.
/// Deterministic. Fails with kInvalidInput naming `source` and the part of the bundle that is
/// missing or wrong; with kLimit where conditions of a policy are too many to tell apart.
Expected<std::string> WriteReport(const std::vector<ReportSubject>& subjects);

}  // namespace cordon
