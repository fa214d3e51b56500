// Starting the workload in its domain: the part of RuleBuilder whose rules no recording shows.

#include <fmt/format.h>

#include <array>
#include <utility>

#include "generator/path_names.h"
#include "generator/selinux_access.h"
#include "generator/selinux_rule_builder.h"
#include "generator/thread_needs.h"

namespace cordon {
namespace {

/// Domains that a workload is started from.
constexpr auto kLaunchers =
    std::to_array<std::string_view>({"container_engine_t", "container_runtime_t", "dockerd_t",
                                     "init_t", "initrc_t", "kernel_t", "sysadm_t", "unconfined_t"});

constexpr auto kTerminals = std::to_array<std::string_view>(
    {"console_device_t", "devpts_t", "tty_device_t", "user_devpts_t", "user_tty_device_t"});

/// TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGPGRP, TIOCSPGRP, TIOCGWINSZ; never TIOCSTI, which types
/// into the launcher's terminal.
constexpr auto kTerminalRequests =
    std::to_array<std::uint16_t>({0x5401, 0x5402, 0x5403, 0x5404, 0x540F, 0x5410, 0x5413});

}  // namespace

void RuleBuilder::AddLaunch() {
  const std::string attribute = rules_.policy.name + "_launcher";
  std::set<std::string> launchers;
  for (const std::string_view launcher : kLaunchers) {
    if (target_.facts.types.contains(std::string(launcher))) {
      launchers.insert(std::string(launcher));
    }
  }
  if (launchers.empty()) {
    rules_.blind_spots.insert(
        "the target has none of the domains that cordon knows programs to be started from");
    return;
  }
  rules_.policy.attributes.emplace(attribute, std::move(launchers));
  const std::string& domain = rules_.policy.domain;
  SelinuxPolicy& policy = rules_.policy;
  policy.Allow({attribute, domain, "process"},
               Known("process", {"transition", "siginh", "rlimitinh", "noatsecure"}),
               "starting it in its domain");
  policy.Allow({attribute, domain, "process2"},
               Known("process2", {"nnp_transition", "nosuid_transition"}),
               "starting it with no_new_privs, or from a nosuid mount");
  for (const std::string& entry : places_.entries) {
    const std::string type = TypeOf({entry, FileClass::kFile});
    if (HasType(type)) {
      policy.Allow({attribute, type, "file"},
                   Known("file", {"execute", "getattr", "map", "open", "read"}), entry);
    }
  }
  policy.Allow({domain, attribute, "fd"}, Known("fd", {"use"}),
               "standard input and output from the launcher");
  const std::set<std::string> stream{"append", "getattr", "ioctl", "read", "write"};
  const auto narrow = [&](const std::string& target, const std::string& object_class) {
    IoctlRule& rule = policy.allow_ioctl[{domain, target, object_class}];
    rule.requests.insert(kTerminalRequests.begin(), kTerminalRequests.end());
    rule.reasons.Add("asking whether it is a terminal, its size and its modes");
  };
  policy.Allow({domain, attribute, "fifo_file"}, Known("fifo_file", stream),
               "standard input and output from the launcher");
  policy.Allow({domain, attribute, "unix_stream_socket"}, Known("unix_stream_socket", stream),
               "standard input and output from the launcher");
  policy.Allow({domain, attribute, "process"}, Known("process", {"sigchld"}),
               "telling the launcher that it ended");
  for (const std::string_view terminal : kTerminals) {
    if (target_.facts.types.contains(std::string(terminal))) {
      Allow(std::string(terminal), "chr_file", stream, "a terminal as standard input and output");
      narrow(std::string(terminal), "chr_file");
    }
  }
  narrow(attribute, "fifo_file");
  narrow(attribute, "unix_stream_socket");
}

/// The kernel follows the loader's path through links of a merged /usr before any system call can
/// be seen.
void RuleBuilder::AddLoader() {
  for (const std::string& link :
       {std::string("/bin"), std::string("/lib"), std::string("/lib64"), std::string("/sbin")}) {
    const std::string type = labels_->TypeOf(link, FileClass::kSymlink);
    if (!type.empty()) {
      Allow(type, "lnk_file", {"getattr", "read"}, link + ", a link where /usr is merged");
    }
  }
}

/// What glibc asks only where threads are many or give much back at once. Allowed rather than
/// refused without a word: the files hold a number or two that every user may read. Where memory is
/// not overcommitted (2), a thread that cannot read that keeps what it gave back charged to the
/// system; and who cannot count processors by the file goes on to ask /proc/stat.
void RuleBuilder::AddThreads() {
  if (!MakesThreads(recording_)) {
    return;
  }
  for (const ThreadFile& file : FilesOfThreads()) {
    const std::string place = fmt::format("{}, {}", file.path, file.why);
    std::string path(file.path);
    const std::string type = labels_->TypeOf(path, FileClass::kFile);
    if (type.empty()) {
      continue;
    }
    Allow(type, "file", FilePermissions(FileClass::kFile, {FileAccess::kOpen, FileAccess::kRead}),
          place);
    while (path != "/") {
      path = ParentPath(path);
      if (const std::string above = labels_->TypeOf(path, FileClass::kDirectory); !above.empty()) {
        Allow(above, "dir", {"search"}, place);
      }
    }
  }
  Allow("self", "process", {"getsched"}, "threads, for which C libraries count the processors");
}

/// libselinux looks when it is loaded where selinuxfs is mounted and which policy is configured
/// (libselinux/src/init.c, selinux_config.c). A host without SELinux has nothing there to be seen.
void RuleBuilder::AddSelinuxLibrary() {
  const auto library = std::ranges::find_if(files_, [](const auto& file) {
    return BaseName(file.first.path).starts_with("libselinux.so");
  });
  if (library == files_.end()) {
    return;
  }
  const std::string place = library->first.path + ", which looks for SELinux when it is loaded";
  const auto allow_at = [&](const std::string& path, FileClass file_class,
                            const std::string& object_class,
                            const std::set<std::string>& permissions) {
    if (const std::string type = labels_->TypeOf(path, file_class); !type.empty()) {
      Allow(type, object_class, permissions, place);
    }
  };
  if (InContainer()) {
    AddLibraryInContainer(place);
  } else {
    allow_at("/sys/fs", FileClass::kDirectory, "dir", {"search"});
    allow_at("/sys/fs/selinux", FileClass::kDirectory, "filesystem", {"getattr"});
    allow_at("/sys/fs/selinux", FileClass::kDirectory, "dir", {"search"});
  }
  allow_at("/etc/selinux", FileClass::kDirectory, "dir", {"search"});
  allow_at("/etc/selinux/config", FileClass::kFile, "file", {"getattr", "open", "read"});
  // `sed -i` gives what it writes the context of what it replaces (setfscreatecon(3)).
  const auto editor = std::ranges::find_if(recording_.processes, [](const auto& process) {
    return BaseName(process.first.executable) == "sed";
  });
  if (editor != recording_.processes.end()) {
    const std::string why = editor->first.executable + ", which keeps the context of what it edits";
    Allow("self", "process", {"setfscreate"}, why);
    Allow("self", "dir", {"search"}, why);
    Allow("self", "file", {"getattr", "open", "read", "write"}, why);
  }
}

}  // namespace cordon
