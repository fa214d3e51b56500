#include <sys/stat.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "cli/oci/oci_call.h"
#include "cli/oci/oci_foreground.h"
#include "common/file.h"
#include "model/oci_state.h"
#include "runtime/capability_names.h"
#include "runtime/host_features.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::ordered_json;

Json MountOptions() {
  return {"async",
          "atime",
          "bind",
          "defaults",
          "dev",
          "diratime",
          "dirsync",
          "exec",
          "idmap",
          "lazytime",
          "noatime",
          "nodev",
          "nodiratime",
          "noexec",
          "norelatime",
          "nostrictatime",
          "nosuid",
          "nosymfollow",
          "private",
          "ratime",
          "rbind",
          "rdev",
          "rdiratime",
          "relatime",
          "remount",
          "rexec",
          "ridmap",
          "rnoatime",
          "rnodev",
          "rnodiratime",
          "rnoexec",
          "rnorelatime",
          "rnostrictatime",
          "rnosuid",
          "rnosymfollow",
          "ro",
          "rprivate",
          "rrelatime",
          "rro",
          "rrw",
          "rshared",
          "rslave",
          "rstrictatime",
          "rsuid",
          "runbindable",
          "rw",
          "shared",
          "slave",
          "strictatime",
          "suid",
          "sync",
          "tmpcopyup",
          "unbindable"};
}

/// features.md of runtime-spec 1.2: what this build can do, whatever the host's kernel has.
Status ShowFeatures() {
  ASSIGN_OR_RETURN(const HostFeatures host, ProbeHost());
  Json capabilities = Json::array();
  for (unsigned number = 0; number <= host.last_capability; ++number) {
    capabilities.push_back(CapabilityName(number));
  }
  Json json;
  json["ociVersionMin"] = "1.0.0";
  json["ociVersionMax"] = kOciVersion;
  json["hooks"] = {"prestart",       "createRuntime", "createContainer",
                   "startContainer", "poststart",     "poststop"};
  json["mountOptions"] = MountOptions();
  json["linux"]["namespaces"] = {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"};
  json["linux"]["capabilities"] = std::move(capabilities);
  json["linux"]["cgroup"] = {
      {"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}};
  json["linux"]["seccomp"] = {
      {"enabled", true},
      {"actions",
       {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
        "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE",
        "SCMP_ACT_TRAP"}},
      {"operators",
       {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT",
        "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"}},
      {"archs",
       {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_PPC64LE",
        "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390X", "SCMP_ARCH_X32", "SCMP_ARCH_X86",
        "SCMP_ARCH_X86_64"}},
      {"knownFlags",
       {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}}};
  json["linux"]["apparmor"] = {{"enabled", true}};
  json["linux"]["selinux"] = {{"enabled", true}};
  json["linux"]["intelRdt"] = {{"enabled", false}};
  json["linux"]["mountExtensions"] = {{"idmap", {{"enabled", true}}}};
  json["annotations"] = {{"dev.cordon.version", CORDON_VERSION}};
  const std::string text = json.dump(2) + "\n";
  (void)std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

Json DefaultSpec() {
  const Json names = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  const Json kernel_files = {"nosuid", "noexec", "nodev"};
  Json json;
  json["ociVersion"] = kOciVersion;
  json["process"] = {
      {"terminal", false},
      {"user", {{"uid", 0}, {"gid", 0}}},
      {"args", {"sh"}},
      {"env", {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"}},
      {"cwd", "/"},
      {"capabilities", {{"bounding", names}, {"effective", names}, {"permitted", names}}},
      {"rlimits", {{{"type", "RLIMIT_NOFILE"}, {"hard", 1024}, {"soft", 1024}}}},
      {"noNewPrivileges", true}};
  json["root"] = {{"path", "rootfs"}, {"readonly", true}};
  json["hostname"] = "cordon";
  json["mounts"] = {
      {{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}, {"options", kernel_files}},
      {{"destination", "/dev"},
       {"type", "tmpfs"},
       {"source", "tmpfs"},
       {"options", {"nosuid", "strictatime", "mode=755", "size=65536k"}}},
      {{"destination", "/dev/pts"},
       {"type", "devpts"},
       {"source", "devpts"},
       {"options", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}}},
      {{"destination", "/dev/shm"},
       {"type", "tmpfs"},
       {"source", "shm"},
       {"options", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}}},
      {{"destination", "/dev/mqueue"},
       {"type", "mqueue"},
       {"source", "mqueue"},
       {"options", kernel_files}},
      {{"destination", "/sys"},
       {"type", "sysfs"},
       {"source", "sysfs"},
       {"options", {"nosuid", "noexec", "nodev", "ro"}}},
      {{"destination", "/sys/fs/cgroup"},
       {"type", "cgroup"},
       {"source", "cgroup"},
       {"options", {"nosuid", "noexec", "nodev", "relatime", "ro"}}}};
  Json namespaces = Json::array();
  for (const char* const type : {"pid", "network", "ipc", "uts", "mount", "cgroup"}) {
    namespaces.push_back({{"type", type}});
  }
  json["linux"] = {{"resources", {{"devices", {{{"allow", false}, {"access", "rwm"}}}}}},
                   {"namespaces", std::move(namespaces)},
                   {"maskedPaths",
                    {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
                     "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                     "/proc/sched_debug", "/sys/firmware", "/proc/scsi"}},
                   {"readonlyPaths",
                    {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}};
  return json;
}

Status WriteSpec(const std::string& bundle) {
  const std::string path = bundle + "/config.json";
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    return Fail(InvalidInput(path + " exists already: remove it first"));
  }
  return WriteFileAtomically(path, DefaultSpec().dump(2) + "\n");
}

}  // namespace

void AddOciFeatures(CLI::App& app, OciCall& call) {
  CLI::App* command = app.add_subcommand("features", "say what this runtime can do, as JSON");
  command->callback([&call] { RunOciAction(call, ShowFeatures); });
}

void AddOciSpec(CLI::App& app, OciCall& call) {
  CLI::App* command = app.add_subcommand("spec", "write a config.json to begin with");
  auto bundle = std::make_shared<std::string>(".");
  command->add_option("-b,--bundle", *bundle, "folder for it; default: this one");
  command->callback([&call, bundle] { RunOciAction(call, [&] { return WriteSpec(*bundle); }); });
}

}  // namespace cordon::cli
