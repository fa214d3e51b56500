#include "cli/oci/oci_left_behind.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "cli/oci/oci_time.h"
#include "common/text.h"
#include "common/unique_fd.h"
#include "runtime/launch_actions.h"

namespace cordon::cli {

void OutliveCaller(const char* name, std::vector<int> kept) {
  (void)::setsid();
  (void)::prctl(PR_SET_NAME, name);
  (void)!::chdir("/");
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; null >= 0 && stream <= STDERR_FILENO; ++stream) {
    (void)::dup2(null, stream);
  }
  std::erase(kept, -1);
  std::ranges::sort(kept);
  CloseOthers(STDERR_FILENO + 1, kept);
  (void)::signal(SIGIO, SIG_IGN);  // until it listens to signals
  sigset_t none;
  ::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

Expected<std::string> PrepareOciFolder(const std::string& folder, const std::string& what) {
  const std::string name = "the folder for " + what + ", " + Quote(folder);
  if (!folder.starts_with('/')) {
    return Fail(InvalidInput(name + ", is no absolute path"));
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return Fail(SystemError(error.value(), name));
  }
  return folder;
}

void AppendLine(const std::string& path, const std::string& message) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  const std::string line = fmt::format("{} {}\n", UtcNow(), message);
  (void)!::write(file.get(), line.data(), line.size());
}

}  // namespace cordon::cli
