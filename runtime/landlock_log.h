#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "common/error.h"
#include "common/unique_fd.h"
#include "runtime/landlock_records.h"
#include "runtime/violation.h"

namespace cordon {

/// Will what Landlock refuses be seen by LandlockLog? Fails with a sentence that says why not:
/// kUnsupported for a kernel that does not tell (before Linux 6.15, or without audit) or whose
/// audit is off, kPermission for a user who may not read it.
Status CanSeeRefusalsOfLandlock();

/// Follows the kernel's audit, as the readers of its multicast group do (netlink(7),
/// AUDIT_NLGRP_READLOG), for what Landlock refuses in one sandbox. Nothing is turned on or off
/// there. Each kind of refusal (call, path, executable) is reported when it first happens, then
/// counted; after 1000 kinds a warning says so. Only what was refused after Open() comes, and it
/// comes when the kernel gets to it: soon after the call.
class LandlockLog {
 public:
  struct Reports {
    std::function<void(const Violation&)> on_violation;
    std::function<void(const std::string&)> on_warning;
  };

  /// Fails like CanSeeRefusalsOfLandlock(), but not because audit is off: it may be turned on.
  static Expected<LandlockLog> Open(Reports reports);

  int fd() const { return socket_.get(); }

  /// A process of the sandbox that restricts itself, or has, and has not ended.
  void NoteLauncher(pid_t process);

  /// Takes what has come; call it when fd() is readable.
  void Handle();

  /// Takes what comes within 20 ms of other, at most for 200 ms. For when everything has ended.
  void Finish();

  std::uint64_t violations() const { return violations_; }

  std::uint64_t unreported() const { return violations_ - reported_; }

 private:
  LandlockLog(UniqueFd socket, Reports reports)
      : socket_(std::move(socket)), reports_(std::move(reports)) {}

  void Report(LandlockRecords::Which which);

  UniqueFd socket_;
  Reports reports_;
  LandlockRecords records_;
  std::set<std::string> seen_;
  std::uint64_t violations_ = 0;
  std::uint64_t reported_ = 0;
  bool said_lost_ = false;
};

}  // namespace cordon
