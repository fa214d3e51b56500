#include "tests/generator/selinux_recordings.h"

#include <sys/socket.h>

#include <optional>

namespace cordon::testing {
namespace {

using enum FileAccess;

constexpr FileAccessSet kReadFile{kOpen, kRead, kGetattr};
constexpr FileAccessSet kWriteNew{kOpen, kWrite, kCreate, kGetattr};
constexpr FileAccessSet kAppendLog{kOpen, kAppend, kCreate, kGetattr};
constexpr FileAccessSet kLibrary{kOpen, kRead, kGetattr, kMap, kMapExecute};

}  // namespace

void AddFile(Recording* recording, const std::string& path, FileClass file_class,
             FileAccessSet access, const std::set<std::uint32_t>& ioctls) {
  FileObservation& file = recording->files[{path, file_class}];
  file.seen.count = 1;
  file.access.Add(access);
  file.ioctls.insert(ioctls.begin(), ioctls.end());
}

void AddSocket(Recording* recording, int family, int type, SocketOperation operation,
               const std::string& address, std::uint16_t port) {
  recording->sockets[{family, type, 0, operation, address, port}].results[0] = 1;
}

void AddCall(Recording* recording, const std::string& name) {
  const std::optional<std::int32_t> number = SyscallNumber(Architecture::kX86_64, name);
  recording->syscalls[{Architecture::kX86_64, number.value_or(-1)}].results[0] = 1;
}

void AddProgramStart(Recording* recording, const std::string& program) {
  recording->processes[{program, ""}].interpreters.insert(
      "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  AddFile(recording, program, FileClass::kFile, {kExecute});
  AddFile(recording, "/etc/ld.so.cache", FileClass::kFile, {kOpen, kRead, kGetattr, kMap});
  AddFile(recording, "/usr/lib/x86_64-linux-gnu/libc.so.6", FileClass::kFile, kLibrary);
  AddFile(recording, "/dev/null", FileClass::kCharacter, {kOpen, kRead, kWrite, kGetattr});
}

Recording TinyServer() {
  Recording recording;
  Run run;
  run.command = {"/usr/sbin/tinyd"};
  recording.runs["00000000000000000000000000000001"] = run;
  AddProgramStart(&recording, "/usr/sbin/tinyd");
  AddFile(&recording, "/etc/passwd", FileClass::kFile, kReadFile);
  AddFile(&recording, "/etc/tinyd/tinyd.conf", FileClass::kFile, kReadFile);
  AddFile(&recording, "/etc/tinyd/sites", FileClass::kDirectory, {kOpen, kRead, kGetattr, kSearch});
  for (const char* site : {"a", "b", "c"}) {
    AddFile(&recording, std::string("/etc/tinyd/sites/") + site, FileClass::kFile, kReadFile);
  }
  AddFile(&recording, "/var/log/tinyd.log", FileClass::kFile, kAppendLog);
  AddFile(&recording, "/var/log", FileClass::kDirectory, {kAddName, kSearch});
  AddFile(&recording, "/var/lib/tinyd", FileClass::kDirectory, {kAddName, kRemoveName, kSearch});
  AddFile(&recording, "/var/lib/tinyd/state.tmp", FileClass::kFile,
          {kOpen, kWrite, kCreate, kGetattr, kRename});
  AddFile(&recording, "/var/lib/tinyd/state", FileClass::kFile,
          {kOpen, kRead, kCreate, kGetattr, kUnlink, kLock});
  AddFile(&recording, "/run", FileClass::kDirectory, {kAddName, kRemoveName, kSearch});
  AddFile(&recording, "/run/tinyd.pid", FileClass::kFile,
          {kOpen, kWrite, kCreate, kGetattr, kUnlink});
  AddFile(&recording, "/tmp", FileClass::kDirectory, {kAddName, kRemoveName, kSearch});
  AddFile(&recording, "/tmp/tinyd.x7Qw3", FileClass::kFile,
          {kOpen, kRead, kWrite, kCreate, kUnlink, kMapWrite});
  AddFile(&recording, "/proc/self/status", FileClass::kFile, kReadFile);
  AddFile(&recording, "/proc/sys/kernel/hostname", FileClass::kFile, kReadFile);
  AddFile(&recording, "/dev/tty", FileClass::kCharacter, {kOpen, kRead, kWrite, kIoctl},
          {0x5401, 0x5413});
  AddFile(&recording, "pipe:", FileClass::kFifo, {kRead, kWrite});
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kCreate);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kBind, "0.0.0.0", 7777);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kListen);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kAccept);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kConnect, "127.0.0.1", 7777);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kConnect, "192.0.2.1", 80);
  AddSocket(&recording, AF_UNIX, SOCK_STREAM, SocketOperation::kCreate);
  AddSocket(&recording, AF_UNIX, SOCK_STREAM, SocketOperation::kBind, "/run/tinyd.sock");
  AddSocket(&recording, AF_UNIX, SOCK_STREAM, SocketOperation::kConnect, "/run/tinyd.sock");
  AddSocket(&recording, AF_UNIX, SOCK_DGRAM, SocketOperation::kCreate);
  AddSocket(&recording, AF_UNIX, SOCK_DGRAM, SocketOperation::kConnect,
            "/run/systemd/journal/dev-log");
  for (const char* call : {"clone", "setsockopt", "kill", "capget", "statfs", "pipe2"}) {
    AddCall(&recording, call);
  }
  recording.capabilities["CAP_SETUID"].reasons.insert("setuid to 33");
  return recording;
}

Recording NginxServer() {
  Recording recording;
  AddProgramStart(&recording, "/usr/sbin/nginx");
  AddFile(&recording, "/etc/nginx/nginx.conf", FileClass::kFile, kReadFile);
  AddFile(&recording, "/etc/nginx/mime.types", FileClass::kFile, kReadFile);
  AddFile(&recording, "/etc/nginx/sites-enabled", FileClass::kDirectory,
          {kOpen, kRead, kGetattr, kSearch});
  AddFile(&recording, "/etc/ssl/openssl.cnf", FileClass::kFile, kReadFile);
  AddFile(&recording, "/etc/passwd", FileClass::kFile, kReadFile);
  AddFile(&recording, "/var/log/nginx/access.log", FileClass::kFile, kAppendLog);
  AddFile(&recording, "/var/log/nginx", FileClass::kDirectory, {kAddName, kSearch});
  AddFile(&recording, "/var/lib/nginx/body", FileClass::kDirectory, {kCreate, kGetattr, kSetattr});
  AddFile(&recording, "/var/lib/nginx", FileClass::kDirectory, {kAddName, kSearch});
  AddFile(&recording, "/run/nginx.pid", FileClass::kFile, kWriteNew);
  AddFile(&recording, "/run", FileClass::kDirectory, {kAddName, kSearch});
  AddFile(&recording, "/var/www/html/index.html", FileClass::kFile, kReadFile);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kCreate);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kBind, "0.0.0.0", 80);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kListen);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kAccept);
  AddSocket(&recording, AF_UNIX, SOCK_STREAM, SocketOperation::kCreate);
  for (const char* call :
       {"clone", "setsockopt", "setuid", "rt_sigsuspend", "io_setup", "prlimit64"}) {
    AddCall(&recording, call);
  }
  for (const char* capability : {"CAP_SETUID", "CAP_SETGID", "CAP_NET_BIND_SERVICE", "CAP_CHOWN"}) {
    recording.capabilities[capability].reasons.insert("seen");
  }
  return recording;
}

Recording RedisServer() {
  Recording recording;
  AddProgramStart(&recording, "/usr/bin/redis-check-rdb");
  AddFile(&recording, "/etc/redis/redis.conf", FileClass::kFile, kReadFile);
  AddFile(&recording, "/var/lib/redis", FileClass::kDirectory, {kAddName, kRemoveName, kSearch});
  AddFile(&recording, "/var/lib/redis/temp-4711.rdb", FileClass::kFile,
          {kOpen, kWrite, kCreate, kGetattr, kRename});
  AddFile(&recording, "/var/lib/redis/dump.rdb", FileClass::kFile,
          {kOpen, kRead, kGetattr, kUnlink});
  AddFile(&recording, "/var/log/redis/redis-server.log", FileClass::kFile, kAppendLog);
  AddFile(&recording, "/var/log/redis", FileClass::kDirectory, {kAddName, kSearch});
  AddFile(&recording, "/run/redis/redis-server.pid", FileClass::kFile, kWriteNew);
  AddFile(&recording, "/run/redis", FileClass::kDirectory, {kAddName, kSearch});
  AddFile(&recording, "/proc/self/stat", FileClass::kFile, kReadFile);
  AddFile(&recording, "/proc/sys/vm/overcommit_memory", FileClass::kFile, kReadFile);
  AddFile(&recording, "/sys/kernel/mm/transparent_hugepage/enabled", FileClass::kFile, kReadFile);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kCreate);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kBind, "127.0.0.1", 6379);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kListen);
  AddSocket(&recording, AF_INET, SOCK_STREAM, SocketOperation::kAccept);
  for (const char* call : {"clone", "setsockopt", "pipe2", "kill", "setpriority"}) {
    AddCall(&recording, call);
  }
  return recording;
}

}  // namespace cordon::testing
