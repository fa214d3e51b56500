// The guards of a test build, which $CORDON_GUARDS_OFF switches off: their names with commas
// between.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "runtime/guard.h"

namespace cordon {
namespace {

constexpr std::array<std::pair<std::string_view, Guard>, 17> kNames{{
    {"paths-in-root", Guard::kPathsInRoot},
    {"plain-folders", Guard::kPlainFolders},
    {"host-null-device", Guard::kHostNullDevice},
    {"own-proc", Guard::kOwnProc},
    {"no-devices", Guard::kNoDevices},
    {"readonly-paths", Guard::kReadonlyPaths},
    {"no-descriptors", Guard::kNoDescriptors},
    {"holder-is-closed", Guard::kHolderIsClosed},
    {"program-is-readonly", Guard::kProgramIsReadonly},
    {"terminal", Guard::kTerminal},
    {"own-terminal", Guard::kOwnTerminal},
    {"capabilities", Guard::kCapabilities},
    {"no-new-privileges", Guard::kNoNewPrivileges},
    {"user-namespaces", Guard::kUserNamespaces},
    {"control-peer", Guard::kControlPeer},
    {"user-numbers", Guard::kUserNumbers},
    {"confinement", Guard::kConfinement},
}};

unsigned ReadSwitches() {
  unsigned off = 0;
  const char* const list = std::getenv("CORDON_GUARDS_OFF");
  for (const std::string& name : Split(list == nullptr ? "" : list, ',')) {
    bool known = name.empty();
    for (const auto& [candidate, guard] : kNames) {
      if (candidate == name) {
        off |= 1U << static_cast<unsigned>(guard);
        known = true;
      }
    }
    if (!known) {
      (void)std::fprintf(stderr, "there is no guard '%s'\n", name.c_str());
      std::abort();
    }
  }
  return off;
}

}  // namespace

bool Holds(Guard guard) {
  // Read by the supervisor, before it clones anything.
  static const unsigned off = ReadSwitches();
  return (off >> static_cast<unsigned>(guard) & 1) == 0;
}

}  // namespace cordon
