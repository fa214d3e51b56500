#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/violation.h"

namespace cordon {

/// Makes violations of what the kernel's audit says of Landlock's refusals of files (Linux 6.15;
/// Documentation/admin-guide/LSM/landlock.rst). A refusal is an event of several records: what was
/// refused, once per domain whose that is, and the call. They come at two times, with others
/// between.
class LandlockRecords {
 public:
  /// The domain that `process` has made, or makes, is the sandbox's; its number as the kernel's
  /// first pid namespace has it. `started`, as StartTimeOf() says it: when it has ended, its number
  /// may become another's, whose domains are not the sandbox's.
  void NoteLauncher(pid_t process, std::optional<std::uint64_t> started);

  /// One record: its type (linux/audit.h) and text.
  void Take(std::uint16_t type, std::string_view text);

  /// The refusals in the sandbox's domains whose last record has come, in that order; ask after
  /// each record. Of a process that audit does not follow, since it is older than that, none of the
  /// call's ever comes: those are given when 64 others have come since, or for kAll.
  enum class Which : std::uint8_t { kComplete, kAll };
  std::vector<Violation> Give(Which which);

 private:
  struct Event {
    std::string name;
    std::string domain;
    std::vector<LandlockRule> refused;
    ProcessLink process;
    Syscall call{};
    int sys_errno = 0;
    bool complete = false;
  };

  Event* Find(const std::string& name);
  void TakeRefusal(const std::string& name, std::string_view text);
  void TakeDomain(std::string_view text);
  bool IsLauncher(pid_t process) const;
  static void TakeCall(Event& event, std::string_view text);

  std::list<Event> events_;
  std::map<pid_t, std::optional<std::uint64_t>> launchers_;  ///< and when they started
  std::set<std::string> domains_;
  std::vector<std::string> ended_;  ///< of domains_: no more comes of them
};

}  // namespace cordon
