#include "runtime/landlock_records.h"

#include <fmt/format.h>
#include <linux/audit.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "common/text.h"
#include "model/architecture.h"
#include "model/audit_fields.h"
#include "runtime/oci_folder.h"

namespace cordon {
namespace {

// Since Linux 6.15 in linux/audit.h.
constexpr std::uint16_t kLandlockAccess = 1423;
constexpr std::uint16_t kLandlockDomain = 1424;

constexpr std::size_t kMostEvents = 64;
constexpr std::size_t kMostLaunchers = 4096;
constexpr std::string_view kOfFiles = "fs.";

std::optional<std::int64_t> Number(const std::string& text, int base = 10) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

std::string DescribeRefusal(const LandlockRule& refused) {
  const std::vector<std::string> rights(refused.access.begin(), refused.access.end());
  return Join(rights, ",") + " of " + Quote(refused.path);
}

}  // namespace

void LandlockRecords::NoteLauncher(pid_t process, std::optional<std::uint64_t> started) {
  if (launchers_.size() >= kMostLaunchers) {
    launchers_.clear();  // those that run are named again
  }
  launchers_.insert_or_assign(process, started);
}

/// Is `process` a launcher, or was one, and no other process has its number now?
bool LandlockRecords::IsLauncher(pid_t process) const {
  const auto launcher = launchers_.find(process);
  if (launcher == launchers_.end()) {
    return false;
  }
  const std::optional<std::uint64_t> now = StartTimeOf(process);
  return !now || !launcher->second || *now == *launcher->second;
}

LandlockRecords::Event* LandlockRecords::Find(const std::string& name) {
  const auto found = std::ranges::find(events_, name, &Event::name);
  return found == events_.end() ? nullptr : &*found;
}

void LandlockRecords::Take(std::uint16_t type, std::string_view text) {
  const std::string name = AuditEvent(text);
  if (type == kLandlockAccess) {
    TakeRefusal(name, text);
    return;
  }
  if (type == kLandlockDomain) {
    TakeDomain(text);
    return;
  }
  Event* const event = Find(name);
  if (event != nullptr && type == AUDIT_SYSCALL) {
    TakeCall(*event, text);
  } else if (event != nullptr && type == AUDIT_EOE) {
    event->complete = true;
  }
}

void LandlockRecords::TakeRefusal(const std::string& name, std::string_view text) {
  const AuditFields fields = ParseAuditFields(text);
  Event* event = Find(name);
  if (event == nullptr) {
    if (events_.size() >= kMostEvents) {
      events_.front().complete = true;
    }
    event = &events_.emplace_back();
    event->name = name;
  }
  event->domain = AuditText(fields, "domain");
  LandlockRule refused;
  refused.path = AuditString(fields, "path");
  for (const std::string& blocker : Split(AuditText(fields, "blockers"), ',')) {
    if (blocker.starts_with(kOfFiles)) {
      refused.access.insert(blocker.substr(kOfFiles.size()));
    }
  }
  if (!refused.access.empty()) {
    event->refused.push_back(std::move(refused));
  }
}

void LandlockRecords::TakeDomain(std::string_view text) {
  const AuditFields fields = ParseAuditFields(text);
  const std::string domain = AuditText(fields, "domain");
  if (AuditText(fields, "status") == "deallocated") {
    ended_.push_back(domain);
    return;
  }
  const auto process = Number(AuditText(fields, "pid"));
  if (process && IsLauncher(static_cast<pid_t>(*process))) {
    domains_.insert(domain);
  }
}

void LandlockRecords::TakeCall(Event& event, std::string_view text) {
  const AuditFields fields = ParseAuditFields(text);
  event.process.process = static_cast<pid_t>(Number(AuditText(fields, "pid")).value_or(0));
  event.process.command = AuditString(fields, "comm");
  event.process.executable = AuditString(fields, "exe");
  event.sys_errno = static_cast<int>(-Number(AuditText(fields, "exit")).value_or(-EACCES));
  const auto number = Number(AuditText(fields, "syscall"));
  const auto audit_arch = Number(AuditText(fields, "arch"), 16);
  const auto arch = number && audit_arch
                        ? ArchitectureFromAudit(static_cast<std::uint32_t>(*audit_arch),
                                                static_cast<std::uint64_t>(*number))
                        : std::nullopt;
  if (arch) {
    const auto bit = *arch == Architecture::kX32 ? kX32SyscallBit : 0U;
    event.call = {*arch, static_cast<std::int32_t>(static_cast<std::uint32_t>(*number) & ~bit)};
  }
}

std::vector<Violation> LandlockRecords::Give(Which which) {
  std::vector<Violation> given;
  for (auto event = events_.begin(); event != events_.end();) {
    if (!event->complete && which == Which::kComplete) {
      ++event;
      continue;
    }
    if (domains_.contains(event->domain) && !event->refused.empty()) {
      const bool has_call = event->process.process != 0;
      Violation violation{.invocation = {event->call, {}},
                          .thread = event->process.process,
                          .answer = SeccompAction::Allow(),
                          .file_errno = has_call ? event->sys_errno : EACCES};
      std::vector<std::string> what;
      std::ranges::transform(event->refused, std::back_inserter(what), DescribeRefusal);
      violation.call = fmt::format("{}{}", has_call ? SyscallLabel(event->call) + "(…), " : "",
                                   Join(what, "; "));
      violation.executable = event->process.executable;
      if (has_call) {
        violation.chain.push_back(event->process);
      }
      violation.missing = std::move(event->refused);
      given.push_back(std::move(violation));
    }
    event = events_.erase(event);
  }
  for (const std::string& domain : ended_) {
    domains_.erase(domain);
  }
  ended_.clear();
  return given;
}

}  // namespace cordon
