#include "runtime/process_chain.h"

#include <fmt/format.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"
#include "observe/file_name.h"
#include "observe/process_status.h"

namespace cordon {
namespace {

constexpr std::size_t kMostLinks = 32;
constexpr std::size_t kCommLimit = 64;

std::string ReadCommand(const std::string& folder) {
  std::string name = ReadFile(folder + "/comm", kCommLimit).value_or("");
  while (!name.empty() && name.back() == '\n') {
    name.pop_back();
  }
  return name;
}

}  // namespace

std::vector<ProcessLink> ReadProcessChain(pid_t thread) {
  std::vector<ProcessLink> chain;
  const pid_t self = ::getpid();
  pid_t task = thread;
  while (chain.size() < kMostLinks) {
    const Expected<ProcessStatus> status = ReadProcessStatus(task);
    // The child of this process is the sandbox's own first one, or holds what entered it.
    if (!status || (status->parent == self && !chain.empty())) {
      break;
    }
    const std::string folder = fmt::format("/proc/{}", task);
    chain.push_back(
        {status->thread_group, ReadCommand(folder), ReadLinkText(folder + "/exe").value_or("")});
    task = status->parent;
    if (task <= 1) {
      break;
    }
  }
  return chain;
}

std::string Describe(const std::vector<ProcessLink>& chain) {
  std::string text;
  for (const ProcessLink& link : chain) {
    text += fmt::format("{}{} (pid {}{})", text.empty() ? "" : ", of ", Quote(link.command),
                        link.process, link.executable.empty() ? "" : ", " + Quote(link.executable));
  }
  return text.empty() ? "a process that is gone" : text;
}

}  // namespace cordon
