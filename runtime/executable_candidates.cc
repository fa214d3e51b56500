#include "runtime/executable_candidates.h"

#include "common/text.h"

namespace cordon {

std::vector<std::string> ExecutableCandidates(const std::string& command,
                                              const std::vector<std::string>& environment) {
  if (command.find('/') != std::string::npos) {
    return {command};
  }
  std::string path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const std::string& entry : environment) {
    if (entry.starts_with("PATH=")) {
      path = entry.substr(5);
    }
  }
  std::vector<std::string> candidates;
  for (const std::string& folder : Split(path, ':')) {
    candidates.push_back((folder.empty() ? "." : folder) + "/" + command);
  }
  return candidates;
}

}  // namespace cordon
