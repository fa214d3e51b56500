#include "model/avc_log.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <iterator>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <utility>
#include <vector>

#include "common/text.h"
#include "model/audit_fields.h"
#include "model/sha256.h"
#include "model/syscall_signature.h"

namespace cordon {
namespace {

constexpr std::size_t kMaxLine = std::size_t{64} << 10;

/// One denial.
struct Denial {
  std::size_t line = 0;
  std::string event;  ///< "1700000000.123:456"; empty where the line has none
  std::vector<std::string> permissions;
  std::string domain;
  std::string object_class;
  std::string target;
  std::string comm;
  std::string path;  ///< of the record itself: of an open file, or of a socket
  std::string name;  ///< the last component
  std::string inode;
  std::optional<std::uint16_t> port;
  std::optional<std::uint32_t> request;  ///< of an ioctl
  std::string capability;
};

/// What the other records of an event say.
struct Event {
  std::string executable;
  std::string cwd;
  bool executes = false;  ///< execve(2)
  std::map<std::string, std::string> path_of_inode;
  std::vector<std::string> paths;
};

/// The type of "user:role:type:level".
std::string TypeOf(const std::string& context) {
  const std::vector<std::string> parts = Split(context, ':');
  return parts.size() >= 3 ? parts[2] : std::string();
}

/// Is `line` a record of this kind, by its name or, among the kernel's messages, by its number
/// (linux/audit.h)?
bool IsRecord(std::string_view line, std::string_view name, std::string_view number) {
  return line.contains(fmt::format("type={} ", name)) ||
         line.contains(fmt::format("type={} ", number));
}

struct AccessRow {
  std::string_view permission;
  std::string_view classes;  ///< letters: f file, d dir, l lnk, c chr, b blk, p fifo, s sock
  FileAccess access;
};

constexpr auto kAccessRows = std::to_array<AccessRow>({
    {"open", "fdcbps", FileAccess::kOpen},
    {"read", "fdcbps", FileAccess::kRead},
    {"read", "l", FileAccess::kReadLink},
    {"write", "fcbp", FileAccess::kWrite},
    {"write", "s", FileAccess::kConnect},
    {"write", "d", FileAccess::kAddName},
    {"append", "fcbps", FileAccess::kAppend},
    {"create", "fdlcbps", FileAccess::kCreate},
    {"getattr", "fdlcbps", FileAccess::kGetattr},
    {"setattr", "fdlcbps", FileAccess::kSetattr},
    {"map", "fcb", FileAccess::kMap},
    {"execute", "fcb", FileAccess::kMapExecute},
    {"execmod", "fcb", FileAccess::kExecModified},
    {"unlink", "flcbps", FileAccess::kUnlink},
    {"rmdir", "d", FileAccess::kUnlink},
    {"rename", "fdlcbps", FileAccess::kRename},
    {"link", "flcbps", FileAccess::kLink},
    {"lock", "fdcbps", FileAccess::kLock},
    {"watch", "fdlcbps", FileAccess::kWatch},
    {"watch_reads", "fdlcbps", FileAccess::kWatchReads},
    {"mounton", "fdcbps", FileAccess::kMount},
    {"search", "d", FileAccess::kSearch},
    {"add_name", "d", FileAccess::kAddName},
    {"remove_name", "d", FileAccess::kRemoveName},
    {"reparent", "d", FileAccess::kReparent},
    {"ioctl", "fdcbps", FileAccess::kIoctl},
});

struct ClassRow {
  std::string_view name;
  char letter;
  FileClass file_class;
};

constexpr auto kClassRows = std::to_array<ClassRow>({
    {"file", 'f', FileClass::kFile},
    {"dir", 'd', FileClass::kDirectory},
    {"lnk_file", 'l', FileClass::kSymlink},
    {"chr_file", 'c', FileClass::kCharacter},
    {"blk_file", 'b', FileClass::kBlock},
    {"fifo_file", 'p', FileClass::kFifo},
    {"sock_file", 's', FileClass::kSocket},
});

/// Sockets whose class says what socket(2) was asked for.
struct SocketRow {
  std::string_view name;
  int family;
  int type;
};

constexpr auto kSocketRows = std::to_array<SocketRow>({
    {"tcp_socket", AF_INET, SOCK_STREAM},
    {"udp_socket", AF_INET, SOCK_DGRAM},
    {"unix_stream_socket", AF_UNIX, SOCK_STREAM},
    {"unix_dgram_socket", AF_UNIX, SOCK_DGRAM},
    {"rawip_socket", AF_INET, SOCK_RAW},
    {"packet_socket", AF_PACKET, SOCK_RAW},
    {"netlink_route_socket", AF_NETLINK, SOCK_RAW},
});

struct OperationRow {
  std::string_view permission;
  SocketOperation operation;
};

constexpr auto kOperationRows = std::to_array<OperationRow>({
    {"create", SocketOperation::kCreate},
    {"getattr", SocketOperation::kCreate},
    {"read", SocketOperation::kCreate},
    {"write", SocketOperation::kCreate},
    {"bind", SocketOperation::kBind},
    {"name_bind", SocketOperation::kBind},
    {"node_bind", SocketOperation::kBind},
    {"connect", SocketOperation::kConnect},
    {"name_connect", SocketOperation::kConnect},
    {"connectto", SocketOperation::kConnect},
    {"sendto", SocketOperation::kSend},
    {"listen", SocketOperation::kListen},
    {"accept", SocketOperation::kAccept},
});

/// Permissions that follow from a call having been made, whatever its arguments.
struct CallRow {
  std::string_view object_class;
  std::string_view permission;
  std::string_view call;
};

constexpr auto kCallRows = std::to_array<CallRow>({
    {"process", "fork", "clone"},
    {"process", "sigchld", "clone"},
    {"process", "setpgid", "setpgid"},
    {"process", "getpgid", "getpgid"},
    {"process", "getsession", "getsid"},
    {"process", "setsched", "setpriority"},
    {"process", "getsched", "sched_getscheduler"},
    {"process", "setrlimit", "setrlimit"},
    {"process", "getrlimit", "prlimit64"},
    {"process", "getcap", "capget"},
    {"process", "setcap", "capset"},
});

template <typename Rows, typename Same>
auto FindRow(const Rows& rows, const Same& same) -> decltype(&rows[0]) {
  const auto found = std::ranges::find_if(rows, same);
  return found == rows.end() ? nullptr : &*found;
}

/// A name of the policy's as it is; quoted where a broken line has made something else of it.
std::string AsWord(std::string_view name) {
  const bool is_word = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
  return is_word ? std::string(name) : Quote(name);
}

class LogReader {
 public:
  LogReader(std::string_view text, std::string_view source, std::string_view domain)
      : text_(text), source_(source), domain_(domain) {}

  Expected<Recording> Read();

 private:
  Error Mistake(std::size_t line, std::string_view what) const {
    return InvalidInput(fmt::format("{} line {}: {}", source_, line, what));
  }

  Status ReadLine(std::string_view line, std::size_t number);
  Status ReadDenial(std::string_view line, std::size_t number);
  void ReadCompanion(std::string_view line);
  Status ChooseDomain();
  void Add(const Denial& denial);
  bool AddAccess(const Denial& denial, const std::string& permission, const Seen& seen);
  bool AddFile(const Denial& denial, const ClassRow& row, const std::string& permission,
               const Seen& seen);
  bool AddSocket(const Denial& denial, const SocketRow& row, const std::string& permission,
                 const Seen& seen);
  bool AddCall(const std::string& name, const Seen& seen);
  std::string PathOf(const Denial& denial) const;
  bool IsWalkedThrough(const Denial& denial) const;

  std::string_view text_;
  std::string_view source_;
  std::string domain_;
  std::vector<Denial> denials_;
  std::map<std::string, Event> events_;
  Recording recording_;
  std::set<std::string> not_understood_;
};

void LogReader::ReadCompanion(std::string_view line) {
  const std::string event = AuditEvent(line);
  if (event.empty()) {
    return;
  }
  const AuditFields fields = ParseAuditFields(line);
  if (IsRecord(line, "SYSCALL", "1300")) {
    events_[event].executable = AuditString(fields, "exe");
    const std::string call = AuditText(fields, "syscall");
    const std::string arch = AuditText(fields, "arch");
    events_[event].executes =
        call == "execve" || (call == "59" && (arch == "c000003e" || arch == "x86_64"));
  } else if (IsRecord(line, "CWD", "1307")) {
    events_[event].cwd = AuditString(fields, "cwd");
  } else if (IsRecord(line, "PATH", "1302")) {
    const std::string name = AuditString(fields, "name");
    events_[event].paths.push_back(name);
    if (const std::string inode = AuditText(fields, "inode"); !inode.empty()) {
      events_[event].path_of_inode.emplace(inode, name);
    }
  }
}

Status LogReader::ReadDenial(std::string_view line, std::size_t number) {
  Denial denial;
  denial.line = number;
  denial.event = AuditEvent(line);
  const std::size_t open = line.find('{');
  const std::size_t close = line.find('}', std::min(open, line.size()));
  if (open == std::string_view::npos || close == std::string_view::npos) {
    return Fail(Mistake(number, "a denial without its permissions in braces"));
  }
  for (std::string& word : Split(line.substr(open + 1, close - open - 1), ' ')) {
    if (!word.empty()) {
      denial.permissions.push_back(std::move(word));
    }
  }
  const AuditFields fields = ParseAuditFields(line.substr(close + 1));
  denial.domain = TypeOf(AuditText(fields, "scontext"));
  denial.target = TypeOf(AuditText(fields, "tcontext"));
  denial.object_class = AuditText(fields, "tclass");
  if (denial.permissions.empty() || denial.domain.empty() || denial.target.empty() ||
      denial.object_class.empty()) {
    return Fail(
        Mistake(number,
                "a denial that is cut off or malformed: its scontext, tcontext or tclass is "
                "missing"));
  }
  denial.comm = AuditString(fields, "comm");
  denial.path = AuditString(fields, "path");
  denial.name = AuditString(fields, "name");
  denial.inode = AuditText(fields, "ino");
  for (const char* const key : {"src", "dest"}) {
    if (const auto port = ParseUnsigned(AuditText(fields, key));
        port.has_value() && *port <= 0xFFFF) {
      denial.port = static_cast<std::uint16_t>(*port);
    }
  }
  if (const std::string request = AuditText(fields, "ioctlcmd"); !request.empty()) {
    std::uint32_t value = 0;
    const char* const digits = request.data() + (request.starts_with("0x") ? 2 : 0);
    if (std::from_chars(digits, request.data() + request.size(), value, 16).ec == std::errc()) {
      denial.request = value;
    }
  }
  denials_.push_back(std::move(denial));
  return {};
}

Status LogReader::ReadLine(std::string_view line, std::size_t number) {
  if (line.size() > kMaxLine) {
    return Fail(
        Mistake(number, fmt::format("longer than {} bytes: this is no audit log", kMaxLine)));
  }
  // A user-space object manager's denial (D-Bus, systemd) is about what no recording has.
  if (IsRecord(line, "USER_AVC", "1107")) {
    not_understood_.insert("denials by user-space object managers (USER_AVC)");
    return {};
  }
  const std::size_t avc = line.find("avc:");
  if (avc != std::string_view::npos) {
    return line.substr(avc).contains(" denied ") ? ReadDenial(line, number) : Status{};
  }
  ReadCompanion(line);
  return {};
}

Status LogReader::ChooseDomain() {
  std::set<std::string> domains;
  for (const Denial& denial : denials_) {
    domains.insert(denial.domain);
  }
  if (domains.empty()) {
    return Fail(InvalidInput(fmt::format("{}: no SELinux denial is in it", source_)));
  }
  if (domain_.empty() && domains.size() > 1) {
    constexpr std::size_t kNamed = 8;
    std::vector<std::string> some;
    std::ranges::copy(domains | std::views::take(kNamed), std::back_inserter(some));
    return Fail(InvalidInput(
        fmt::format("{}: denials of {} domains are in it, {}{}: choose one with --domain", source_,
                    domains.size(), Join(some, ", "), domains.size() > kNamed ? " …" : "")));
  }
  if (domain_.empty()) {
    domain_ = *domains.begin();
  }
  if (!domains.contains(domain_)) {
    return Fail(InvalidInput(fmt::format("{}: no denial of {} is in it", source_, Quote(domain_))));
  }
  return {};
}

/// The path of the object, from whichever record has it; empty where none does.
std::string LogReader::PathOf(const Denial& denial) const {
  std::string path = denial.path;
  if (const auto event = events_.find(denial.event); path.empty() && event != events_.end()) {
    const auto by_inode = event->second.path_of_inode.find(denial.inode);
    if (by_inode != event->second.path_of_inode.end()) {
      path = by_inode->second;
    }
    for (const std::string& candidate : event->second.paths) {
      const bool same =
          !denial.name.empty() && candidate.substr(candidate.rfind('/') + 1) == denial.name;
      path = path.empty() && same ? candidate : path;
    }
    if (!path.empty() && !path.starts_with('/') && event->second.cwd.starts_with('/')) {
      path = event->second.cwd + (event->second.cwd == "/" ? "" : "/") + path;
    }
  }
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  const bool plain = path.starts_with('/') && !path.contains("/../") && !path.contains("/./") &&
                     !path.contains("//") && !path.ends_with("/..") && !path.contains('\0');
  return plain ? path : std::string();
}

/// Is the denied directory one above a path that the event names? Those are searched anyway.
bool LogReader::IsWalkedThrough(const Denial& denial) const {
  const auto event = events_.find(denial.event);
  return event != events_.end() && denial.object_class == "dir" &&
         std::ranges::any_of(event->second.paths, [&](const std::string& path) {
           return path.contains(fmt::format("/{}/", denial.name)) ||
                  (denial.name == "/" && path.starts_with('/'));
         });
}

bool LogReader::AddFile(const Denial& denial, const ClassRow& row, const std::string& permission,
                        const Seen& seen) {
  const std::string path = PathOf(denial);
  const auto event = events_.find(denial.event);
  if (path.empty()) {
    return permission == "search" && IsWalkedThrough(denial);
  }
  const auto* const access = FindRow(kAccessRows, [&](const AccessRow& candidate) {
    return candidate.permission == permission && candidate.classes.contains(row.letter);
  });
  const bool starts = permission == "execute_no_trans" || permission == "entrypoint" ||
                      (permission == "execute" && event != events_.end() && event->second.executes);
  if (access == nullptr && !starts) {
    return false;
  }
  FileObservation& file = recording_.files[{path, row.file_class}];
  file.seen.Merge(seen);
  file.access.Add(starts ? FileAccess::kExecute : access->access);
  if (permission == "ioctl" && denial.request.has_value()) {
    file.ioctls.insert(*denial.request);
  }
  if (permission == "execute_no_trans") {
    const std::string parent = event == events_.end() ? denial.comm : event->second.executable;
    recording_.processes[{path, parent.empty() ? "denied" : parent}].seen.Merge(seen);
  }
  return true;
}

bool LogReader::AddSocket(const Denial& denial, const SocketRow& row, const std::string& permission,
                          const Seen& seen) {
  const auto* const operation = FindRow(kOperationRows, [&](const OperationRow& candidate) {
    return candidate.permission == permission;
  });
  if (operation == nullptr) {
    return false;
  }
  SocketKey key;
  key.family = row.family;
  key.type = row.type;
  key.operation = operation->operation;
  const bool named = key.operation == SocketOperation::kBind ||
                     key.operation == SocketOperation::kConnect ||
                     key.operation == SocketOperation::kSend;
  if (named && row.family == AF_UNIX) {
    key.address = denial.path;
  } else if (named && denial.port.has_value()) {
    key.address = "0.0.0.0";
    key.port = *denial.port;
  }
  SocketObservation& socket = recording_.sockets[key];
  socket.seen.Merge(seen);
  socket.results.try_emplace(0, 1);
  return true;
}

bool LogReader::AddCall(const std::string& name, const Seen& seen) {
  const std::optional<std::int32_t> number = SyscallNumber(Architecture::kX86_64, name);
  if (!number.has_value()) {
    return false;
  }
  SyscallObservation& call = recording_.syscalls[{Architecture::kX86_64, *number}];
  call.seen.Merge(seen);
  call.results.try_emplace(0, 1);
  // A denial names no arguments. Without any the call would be allowed whatever it asks for: clone
  // with every namespace.
  call.AddTuple(ArgumentTuple(RecordedScalars(Architecture::kX86_64, name).size()),
                {1, {{0, 1}}, {}});
  return true;
}

bool LogReader::AddAccess(const Denial& denial, const std::string& permission, const Seen& seen) {
  if (const auto* const row = FindRow(
          kClassRows, [&](const ClassRow& one) { return one.name == denial.object_class; })) {
    return AddFile(denial, *row, permission, seen);
  }
  if (const auto* const row = FindRow(
          kSocketRows, [&](const SocketRow& one) { return one.name == denial.object_class; })) {
    return AddSocket(denial, *row, permission, seen);
  }
  if (denial.object_class == "capability" || denial.object_class == "capability2") {
    if (!std::ranges::all_of(permission,
                             [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; })) {
      return false;  // no capability: a broken line
    }
    std::string name = "CAP_" + permission;
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    CapabilityUse& use = recording_.capabilities[name];
    use.reasons.insert("denied by SELinux");
    use.phases.Add(Phase::kStart);
    return true;
  }
  const auto* const call = FindRow(kCallRows, [&](const CallRow& one) {
    return one.object_class == denial.object_class && one.permission == permission &&
           denial.domain == denial.target;
  });
  return call != nullptr && AddCall(std::string(call->call), seen);
}

void LogReader::Add(const Denial& denial) {
  const auto event = events_.find(denial.event);
  const std::string program = event == events_.end() || event->second.executable.empty()
                                  ? denial.comm
                                  : event->second.executable;
  Seen seen;
  // As it is read again from the recording, where it must keep its place among the others.
  seen.Note(0,
            std::string(kDeniedMark) + (program.empty() ? "an unnamed program" : ToUtf8(program)),
            Phase::kStart);
  for (const std::string& permission : denial.permissions) {
    if (!AddAccess(denial, permission, seen)) {
      not_understood_.insert(
          fmt::format("line {}: {} on {}:{}{}", denial.line, AsWord(permission),
                      AsWord(denial.target), AsWord(denial.object_class),
                      denial.name.empty() && denial.path.empty()
                          ? ""
                          : " " + Quote(denial.path.empty() ? denial.name : denial.path)));
    }
  }
}

Expected<Recording> LogReader::Read() {
  std::size_t at = 0;
  for (std::size_t number = 1; at < text_.size(); ++number) {
    const std::size_t end = std::min(text_.find('\n', at), text_.size());
    RETURN_IF_ERROR(ReadLine(text_.substr(at, end - at), number));
    at = end + 1;
  }
  RETURN_IF_ERROR(ChooseDomain());
  std::size_t count = 0;
  for (const Denial& denial : denials_) {
    if (denial.domain == domain_) {
      Add(denial);
      ++count;
    }
  }
  Run run;
  run.tier = "denials";
  run.limitations.insert(
      {"denials", fmt::format("{} denials of {} in {}: what came after a refusal "
                              "was not seen, nor what dontaudit rules hide",
                              count, domain_, source_)});
  constexpr std::size_t kNamed = 100;
  for (const std::string& what : not_understood_ | std::views::take(kNamed)) {
    run.limitations.insert({"denials-not-understood", what});
  }
  const std::string digest = ToHex(Sha256(std::string(text_) + '\0' + domain_));
  recording_.runs.emplace(digest.substr(0, 32), std::move(run));
  return std::move(recording_);
}

}  // namespace

Expected<Recording> ReadAvcLog(std::string_view text, std::string_view source,
                               std::string_view domain) {
  return LogReader(text, source, domain).Read();
}

}  // namespace cordon
