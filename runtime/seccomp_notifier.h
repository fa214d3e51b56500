#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/call_judge.h"
#include "runtime/violation.h"

namespace cordon {

/// Answers the calls that a filter hands to its listener (seccomp_unotify(2)): each gets what the
/// judge says. What that refuses goes on all the same when only auditing, and is reported. One kind
/// of violation (call, arguments, executable) is reported when it first happens, then counted.
class SeccompNotifier {
 public:
  using Report = std::function<void(const Violation&)>;

  /// `judge` must outlive this. `listener` is of a filter that a process of cordon has just loaded,
  /// which will execute a command.
  SeccompNotifier(UniqueFd listener, CallJudge& judge, Enforcement enforcement, Report report);

  /// Fails where the kernel's structures are larger than this program can hold.
  Status Prepare();

  int fd() const { return listener_.get(); }

  /// Takes and answers one notification; call it when fd() is readable. A caller that died
  /// meanwhile is normal. Fails where the policy cannot be read.
  Status HandleOne();

  std::uint64_t violations() const { return violations_; }

  std::uint64_t unreported() const { return violations_ - reported_; }

 private:
  bool IsNew(const Violation& violation);

  /// Fails where the kernel does not take the answer; a caller that is gone needs none.
  Status Send(std::uint64_t id, const SeccompAction& answer);

  UniqueFd listener_;
  CallJudge& judge_;
  CallJudge::Caller caller_ = CallJudge::Caller::kLauncher;
  Enforcement enforcement_;
  Report report_;
  std::vector<std::uint64_t> request_;   ///< room for the kernel's struct seccomp_notif
  std::vector<std::uint64_t> response_;  ///< room for its struct seccomp_notif_resp
  std::set<std::string> seen_;
  std::uint64_t violations_ = 0;
  std::uint64_t reported_ = 0;
};

}  // namespace cordon
