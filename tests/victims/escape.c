/* escape WHAT [ARGUMENT]...: one attempt to get out of a sandbox; prints "out" where it succeeded,
   the reason on stderr where not. Static, so that it runs in any root. Exit 0 for out, 1 for not, 2
   for usage.

     type TEXT              puts TEXT into the terminal at stdin (TIOCSTI)
     trace PID              attaches to the process (PTRACE_ATTACH)
     program PID            opens the program of the process for reading
     writable PID           opens the program of the process for writing; that it is being executed
   (ETXTBSY) is no hindrance: it will not be for ever root                   has the effective user
   id 0 userns                 makes a user namespace remount PATH           makes a read-only mount
   writable write PATH TEXT        writes TEXT into a file that is there read PATH reads a byte ask
   SOCKET             asks the supervisor of a sandbox who it is exchange A B SECONDS   exchanges
   two names, over and over (the attacker beside the sandbox) */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int result(int succeeded, const char* what) {
  if (succeeded) {
    puts("out");
    return 0;
  }
  perror(what);
  return 1;
}

static int type(const char* text) {
  for (; *text != '\0'; ++text) {
    if (ioctl(STDIN_FILENO, TIOCSTI, text) != 0) {
      return result(0, "TIOCSTI");
    }
  }
  return result(1, "");
}

static int trace(pid_t pid) {
  if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0) {
    return result(0, "ptrace");
  }
  (void)waitpid(pid, NULL, __WALL);
  return result(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0, "ptrace");
}

static int open_program(const char* pid, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/exe", pid);
  return open(path, flags);
}

static int writable(const char* pid) {
  const int program = open_program(pid, O_WRONLY);
  if (program < 0 && errno == ETXTBSY) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/exe", pid);
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0) {
      return result(0, "writing the program once nothing executes it");
    }
    const int seals = fcntl(open_program(pid, O_RDONLY), F_GET_SEALS);
    errno = EPERM;
    return result(seals < 0 || (seals & F_SEAL_WRITE) == 0, "a sealed file");
  }
  return result(program >= 0, "opening the program for writing");
}

static int write_text(const char* path, const char* text) {
  const int file = open(path, O_WRONLY);
  return result(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text), path);
}

static int read_byte(const char* path) {
  char byte;
  const int file = open(path, O_RDONLY | O_NONBLOCK);
  return result(file >= 0 && read(file, &byte, 1) == 1, path);
}

static int ask(const char* path) {
  static const char kRequest[] = "{\"request\":\"inspect\"}";
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int connection = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  const struct timeval limit = {.tv_sec = 5};
  (void)setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(connection, (struct sockaddr*)&address, sizeof address) != 0) {
    return result(0, "connect");
  }
  char answer[4096];
  (void)send(connection, kRequest, sizeof kRequest - 1, MSG_NOSIGNAL);
  const ssize_t length = recv(connection, answer, sizeof answer, 0);
  errno = length == 0 ? ECONNRESET : errno;
  return result(length > 0, "the supervisor's answer");
}

static int exchange(const char* a, const char* b, const char* seconds) {
  const time_t end = time(NULL) + atoi(seconds);
  while (time(NULL) < end) {
    if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) != 0) {
      return result(0, "renameat2");
    }
  }
  return 0;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (argc == 2 && strcmp(what, "userns") == 0) {
    return result(unshare(CLONE_NEWUSER) == 0, "unshare");
  }
  if (argc == 3 && strcmp(what, "type") == 0) {
    return type(argv[2]);
  }
  if (argc == 3 && strcmp(what, "trace") == 0) {
    return trace(atoi(argv[2]));
  }
  if (argc == 3 && strcmp(what, "program") == 0) {
    return result(open_program(argv[2], O_RDONLY) >= 0, "opening the program");
  }
  if (argc == 3 && strcmp(what, "writable") == 0) {
    return writable(argv[2]);
  }
  if (argc == 2 && strcmp(what, "root") == 0) {
    errno = EPERM;
    return result(geteuid() == 0, "the effective user id");
  }
  if (argc == 3 && strcmp(what, "remount") == 0) {
    return result(mount(NULL, argv[2], NULL, MS_REMOUNT | MS_BIND, NULL) == 0, "mount");
  }
  if (argc == 4 && strcmp(what, "write") == 0) {
    return write_text(argv[2], argv[3]);
  }
  if (argc == 3 && strcmp(what, "read") == 0) {
    return read_byte(argv[2]);
  }
  if (argc == 3 && strcmp(what, "ask") == 0) {
    return ask(argv[2]);
  }
  if (argc == 5 && strcmp(what, "exchange") == 0) {
    return exchange(argv[2], argv[3], argv[4]);
  }
  fprintf(stderr, "usage: escape WHAT [ARGUMENT]...\n");
  return 2;
}
