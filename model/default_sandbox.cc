#include "model/default_sandbox.h"

namespace cordon {

SandboxConfig DefaultSandbox() {
  SandboxConfig config;
  config.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  config.hostname = "cordon";
  config.namespaces = {Namespace::kPid, Namespace::kMount,  Namespace::kUts,
                       Namespace::kIpc, Namespace::kCgroup, Namespace::kNetwork};
  config.mounts = {
      {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts",
       "devpts",
       "devpts",
       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
      {"/tmp", "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=1777"}},
  };
  // containers.conf(5), default_capabilities.
  config.capabilities = {"CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
                         "CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",   "CAP_SETGID",
                         "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};
  // runtime-tools' and every engine's defaults.
  config.masked_paths = {"/proc/acpi",        "/proc/asound",        "/proc/kcore",
                         "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
                         "/proc/timer_stats", "/proc/sched_debug",   "/proc/scsi",
                         "/sys/firmware"};
  config.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                           "/proc/sysrq-trigger"};
  return config;
}

}  // namespace cordon
