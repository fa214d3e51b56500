#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/call_auditor.h"
#include "runtime/call_judge.h"
#include "runtime/violation.h"

namespace cordon {

/// Answers the calls that a filter hands to its listener (seccomp_unotify(2)): each gets what the
/// judge says. What that refuses goes on all the same when only auditing, and is reported. One kind
/// of violation (call, arguments, executable) is reported when it first happens, then counted;
/// after 1000 kinds a warning says so, and further ones are only counted.
class SeccompNotifier {
 public:
  struct Reports {
    std::function<void(const Violation&)> on_violation;  ///< each kind, when it first happens
    std::function<void(const Violation&)> on_audited;  ///< all that an auditor finds; may be empty
    std::function<void(const std::string&)> on_warning;
  };

  /// `judge` and `auditor` must outlive this. `listener` is of a filter that `launcher`, a process
  /// of cordon with one thread, has just loaded, and which it will execute a command under. With
  /// an auditor nothing is refused.
  SeccompNotifier(UniqueFd listener, pid_t launcher, CallJudge& judge, CallAuditor* auditor,
                  Reports reports);

  /// Fails where the kernel's structures are larger than this program can hold.
  Status Prepare();

  int fd() const { return listener_.get(); }

  /// Takes and answers one notification; call it when fd() is readable. A caller that died
  /// meanwhile is normal. Fails where the policy cannot be read.
  Status HandleOne();

  std::uint64_t violations() const { return violations_; }

  std::uint64_t unreported() const { return violations_ - reported_; }

 private:
  static std::string KindOf(const Violation& violation);

  /// Is none of its kind reported yet, and is there room for one?
  bool IsNew(const Violation& violation) const;

  /// Only for a notification that was valid: what is taken for reported is not reported again.
  void ReportNew(const Violation& violation);

  /// Whose call this is: of who loaded the filter, as long as that has executed nothing.
  CallJudge::Caller CallerOf(pid_t thread);

  /// Fails where the kernel does not take the answer; a caller that is gone needs none.
  Status Send(std::uint64_t id, const SeccompAction& answer);

  UniqueFd listener_;
  CallJudge& judge_;
  pid_t launcher_;  ///< 0: its command runs
  CallAuditor* auditor_;
  Enforcement enforcement_;
  Reports reports_;
  std::vector<std::uint64_t> request_;   ///< room for the kernel's struct seccomp_notif
  std::vector<std::uint64_t> response_;  ///< room for its struct seccomp_notif_resp
  std::set<std::string> seen_;
  std::uint64_t violations_ = 0;
  std::uint64_t reported_ = 0;
};

}  // namespace cordon
