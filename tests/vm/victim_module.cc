// victim_module FOLDER: writes the SELinux module for tests/vm/victim.c, from a recording made by
// hand, to FOLDER.

#include <sys/socket.h>

#include <cstdio>
#include <string>

#include "common/file.h"
#include "generator/selinux_generator.h"
#include "tests/generator/selinux_recordings.h"

namespace cordon {
namespace {

using enum FileAccess;

Recording Victim() {
  Recording recording;
  testing::AddProgramStart(&recording, "/usr/sbin/victim");
  testing::AddFile(&recording, "/etc/victim/victim.conf", FileClass::kFile, {kOpen, kRead});
  testing::AddFile(&recording, "/var/log", FileClass::kDirectory, {kSearch, kAddName});
  testing::AddFile(&recording, "/var/log/victim.log", FileClass::kFile, {kOpen, kAppend, kCreate});
  testing::AddFile(&recording, "/var/lib/victim", FileClass::kDirectory, {kSearch, kAddName});
  testing::AddFile(&recording, "/var/lib/victim/state", FileClass::kFile, {kOpen, kWrite, kCreate});
  testing::AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kCreate);
  testing::AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kBind, "0.0.0.0", 7777);
  testing::AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kListen);
  testing::AddCall(&recording, "setsockopt");
  return recording;
}

int WriteModule(const std::string& folder) {
  const Expected<GeneratedSelinux> generated =
      GenerateSelinux(Victim(), {.name = "victim", .target = "refpolicy-debian12"});
  if (!generated.has_value()) {
    (void)fprintf(stderr, "%s\n", generated.error().message.c_str());
    return 1;
  }
  for (const auto& [name, content] : generated->files) {
    if (const Status written = WriteFileAtomically(folder + "/" + name, content);
        !written.has_value()) {
      (void)fprintf(stderr, "%s\n", written.error().message.c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  return argc == 2 ? cordon::WriteModule(argv[1]) : 2;
}
