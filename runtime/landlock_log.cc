#include "runtime/landlock_log.h"

#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "runtime/oci_folder.h"
#include "runtime/process_chain.h"

namespace cordon {
namespace {

constexpr int kTellingAbi = 7;  // Linux 6.15: LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON
constexpr ino_t kFirstPidNamespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO, linux/proc_ns.h
constexpr std::size_t kMaxRecordBytes = 16384;    // MAX_AUDIT_MESSAGE_LENGTH is 8970
constexpr std::size_t kMaxDistinctReports = 1000;
constexpr int kQuietMs = 20;
constexpr int kMostWaits = 10;

int LandlockAbi() {
  return static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */));
}

Error Unsupported(const char* why) {
  return MakeError(ErrorCode::kUnsupported, why);
}

/// A socket on audit; with `groups` a reader's.
Expected<UniqueFd> OpenAudit(std::uint32_t groups) {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT));
  if (!socket.valid()) {
    return Fail(Unsupported("this kernel has no audit that would tell"));
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Fail(MakeError(ErrorCode::kPermission,
                          "reading the kernel's audit takes CAP_AUDIT_READ, which root has"));
  }
  return socket;
}

/// Whether audit is on; true as well where that may not be asked (CAP_AUDIT_CONTROL).
bool AuditIsOn() {
  const Expected<UniqueFd> socket = OpenAudit(0);
  if (!socket) {
    return false;
  }
  nlmsghdr request{};
  request.nlmsg_len = sizeof request;
  request.nlmsg_type = AUDIT_GET;
  request.nlmsg_flags = NLM_F_REQUEST;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket->get(), &request, sizeof request, 0,
               reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0) {
    return true;
  }
  // The kernel answers within the sendto(2) or soon after.
  std::array<char, 1024> reply{};
  pollfd wait{socket->get(), POLLIN, 0};
  constexpr int kAnswerMs = 1000;
  while (::poll(&wait, 1, kAnswerMs) > 0) {
    const ssize_t got = ::recv(socket->get(), reply.data(), reply.size(), 0);
    nlmsghdr header{};
    audit_status status{};
    if (got < static_cast<ssize_t>(sizeof header)) {
      return true;
    }
    std::memcpy(&header, reply.data(), sizeof header);
    if (header.nlmsg_type == AUDIT_GET) {
      const std::size_t size =
          std::min(static_cast<std::size_t>(got) - NLMSG_HDRLEN, sizeof status);
      std::memcpy(&status, reply.data() + NLMSG_HDRLEN, size);
      return status.enabled != 0;
    }
    if (header.nlmsg_type == NLMSG_ERROR) {
      return true;
    }
  }
  return true;
}

}  // namespace

Status CanSeeRefusalsOfLandlock() {
  RETURN_IF_ERROR(LandlockLog::Open({}));
  return AuditIsOn()
             ? Status()
             : Fail(Unsupported("the kernel's audit, which would tell, is off: auditctl -e 1"));
}

Expected<LandlockLog> LandlockLog::Open(Reports reports) {
  if (LandlockAbi() < kTellingAbi) {
    return Fail(Unsupported("this kernel does not tell (Linux 6.15 does)"));
  }
  struct stat status{};
  if (::stat("/proc/self/ns/pid", &status) != 0 || status.st_ino != kFirstPidNamespace) {
    return Fail(Unsupported("in a container it cannot be told whose refusals audit speaks of"));
  }
  constexpr std::uint32_t kReadLog = 1U << (AUDIT_NLGRP_READLOG - 1);
  ASSIGN_OR_RETURN(UniqueFd socket, OpenAudit(kReadLog));
  return LandlockLog(std::move(socket), std::move(reports));
}

void LandlockLog::NoteLauncher(pid_t process) {
  records_.NoteLauncher(process, StartTimeOf(process));
}

void LandlockLog::Finish() {
  pollfd wait{socket_.get(), POLLIN, 0};
  for (int i = 0; i < kMostWaits && ::poll(&wait, 1, kQuietMs) > 0; ++i) {
    Handle();
  }
  Report(LandlockRecords::Which::kAll);
}

void LandlockLog::Handle() {
  std::vector<char> record(kMaxRecordBytes);
  while (true) {
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    const ssize_t got = ::recvfrom(socket_.get(), record.data(), record.size(), 0,
                                   reinterpret_cast<sockaddr*>(&sender), &length);
    const int receive_errno = errno;
    if (got < 0 && receive_errno == ENOBUFS && !said_lost_) {
      said_lost_ = true;
      reports_.on_warning(
          "the kernel's audit told more than there was room for: some of what Landlock refused is "
          "not reported");
    }
    if (got < 0 && (receive_errno == ENOBUFS || receive_errno == EINTR)) {
      continue;
    }
    if (got < 0) {
      return;
    }
    if (got < static_cast<ssize_t>(NLMSG_HDRLEN) || sender.nl_pid != 0) {
      continue;  // not the kernel's
    }
    nlmsghdr header{};
    std::memcpy(&header, record.data(), sizeof header);
    // The length in the header of a record is the text's alone in some kernels, so it is not used.
    records_.Take(header.nlmsg_type,
                  std::string_view(record.data() + NLMSG_HDRLEN,
                                   static_cast<std::size_t>(got) - NLMSG_HDRLEN));
    Report(LandlockRecords::Which::kComplete);  // so that they are few
  }
}

void LandlockLog::Report(LandlockRecords::Which which) {
  for (Violation& violation : records_.Give(which)) {
    ++violations_;
    if (seen_.size() >= kMaxDistinctReports ||
        !seen_.insert(violation.call + " " + violation.executable).second) {
      continue;
    }
    ++reported_;
    if (seen_.size() == kMaxDistinctReports) {
      reports_.on_warning(fmt::format(
          "{} kinds of refusals by Landlock were reported: further ones are only counted",
          kMaxDistinctReports));
    }
    // Its parents, if it is still there; the number may be another's by now.
    std::vector<ProcessLink> chain = ReadProcessChain(violation.thread);
    if (!violation.chain.empty() && !chain.empty() &&
        chain.front().command == violation.chain.front().command &&
        chain.front().executable == violation.chain.front().executable) {
      violation.chain = std::move(chain);
    }
    reports_.on_violation(violation);
  }
}

}  // namespace cordon
