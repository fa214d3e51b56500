#include "runtime/selinux_label.h"

#include <fmt/format.h>
#include <selinux/selinux.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "common/text.h"
#include "runtime/mount_labels.h"

namespace cordon {

SelinuxState ProbeSelinux() {
  if (::is_selinux_enabled() <= 0) {
    return SelinuxState::kAbsent;
  }
  return ::security_getenforce() == 1 ? SelinuxState::kEnforcing : SelinuxState::kPermissive;
}

Status CheckSelinuxLabel(const std::string& label) {
  if (::security_check_context(label.c_str()) == 0) {
    return {};
  }
  const int check_errno = errno;
  if (check_errno == EINVAL) {
    return Fail(MakeError(ErrorCode::kNotFound,
                          "the loaded SELinux policy does not know the label '" + label + "'"));
  }
  return Fail(SystemError(check_errno, "checking the SELinux label '" + label + "'"));
}

namespace {

struct NeededRule {
  const char* object_class;
  const char* permission;
  const char* what;
};

std::string TypeOfLabel(const std::string& label) {
  const std::vector<std::string> parts = Split(label, ':');
  return parts.size() > 2 ? parts[2] : label;
}

/// Whether the policy allows `rule` from `source` to `target`, or cannot be asked.
bool Allows(const std::string& source, const std::string& target, const NeededRule& rule) {
  const security_class_t object_class = ::string_to_security_class(rule.object_class);
  const access_vector_t permission =
      object_class == 0 ? 0 : ::string_to_av_perm(object_class, rule.permission);
  if (permission == 0) {
    return true;  // the policy does not know it
  }
  av_decision decision{};
  if (::security_compute_av_flags_raw(source.c_str(), target.c_str(), object_class, permission,
                                      &decision) != 0) {
    return true;
  }
  return (decision.allowed & permission) != 0 ||
         (decision.flags & SELINUX_AVD_FLAGS_PERMISSIVE) != 0;
}

/// Whether a candidate for the command lies on a mount of the host that is nosuid.
bool MayBeNosuid(const LaunchPlan& plan) {
  return std::ranges::any_of(plan.executables, [&](const std::string& path) {
    struct statvfs status{};
    return ::statvfs((plan.root_path == "/" ? path : plan.root_path + path).c_str(), &status) ==
               0 &&
           (status.f_flag & ST_NOSUID) != 0;
  });
}

}  // namespace

Status CheckSelinuxTransition(const LaunchPlan& plan) {
  const std::string own = ProcessLabel(::getpid());
  std::vector<NeededRule> needed{{"process", "transition", "enter"}};
  if (plan.no_new_privileges) {
    needed.push_back({"process2", "nnp_transition", "with no_new_privs enter"});
  }
  if (MayBeNosuid(plan)) {
    needed.push_back({"process2", "nosuid_transition", "from a nosuid mount enter"});
  }
  for (const NeededRule& rule : needed) {
    if (!own.empty() && !Allows(own, plan.selinux_label, rule)) {
      const std::string from = TypeOfLabel(own);
      const std::string to = TypeOfLabel(plan.selinux_label);
      return Fail(MakeError(
          ErrorCode::kUnsupported,
          fmt::format("SELinux does not let {0} {1} {2}: the loaded policy needs (allow {0} {2} "
                      "({3} ({4}))), which the module that cordon generate writes has where {0} is "
                      "a domain that programs are started from; or run cordon from unconfined_t",
                      from, rule.what, to, rule.object_class, rule.permission)));
    }
  }
  return {};
}

}  // namespace cordon
