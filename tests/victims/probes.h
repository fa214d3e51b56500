#pragma once

/* Attempts that a workload held to its policy must not get away with. Each returns 0 when the
   kernel did it and else the positive errno; each undoes what it did. Used by syscall_probe (a
   program) and intruder (a module that a server loads). */

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ProbeRawSocket(const char* unused) {
  (void)unused;
  int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  if (fd < 0) {
    return errno;
  }
  close(fd);
  return 0;
}

static int ProbePacketSocket(const char* unused) {
  (void)unused;
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0) {
    return errno;
  }
  close(fd);
  return 0;
}

/* The errno of `attempt` in a child that shares this memory until it ends (vfork(2)), so that the
   attempt changes nothing here and its result comes back without wait(2), which the policy may
   refuse. Where there can be no such child, the attempt is made in this process. */
static int InChild(int (*attempt)(void)) {
  static volatile int result;
  pid_t child = vfork();
  if (child == 0) {
    result = attempt();
    _exit(0);
  }
  if (child < 0) {
    return attempt();
  }
  (void)waitpid(child, NULL, 0);
  return result;
}

static int UnshareHere(void) {
  return unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
}

static int ProbeUnshare(const char* unused) {
  (void)unused;
  return InChild(UnshareHere);
}

static int MountHere(const char* directory) {
  if (mount("probe", directory, "tmpfs", 0, NULL) != 0) {
    return errno;
  }
  return umount(directory) == 0 ? 0 : errno;
}

/* Mounts a tmpfs on `directory` and takes it off again. */
static int ProbeMount(const char* directory) {
  return MountHere(directory != NULL ? directory : "/tmp");
}

/* Attaches to a child of its own. */
static pid_t attach_to;

static int AttachHere(void) {
  return ptrace(PTRACE_SEIZE, attach_to, NULL, NULL) == 0 ? 0 : errno;
}

/* Attaches to the process numbered `pid`, without stopping it; the end of this process detaches it.
   Without a number a child attaches to this process. */
static int ProbePtrace(const char* pid) {
  attach_to = pid != NULL ? atoi(pid) : getpid();
  return pid != NULL ? AttachHere() : InChild(AttachHere);
}

/* clone3(2) as fork: libc falls back to clone only where this is ENOSYS. */
static int ProbeClone3(const char* unused) {
  (void)unused;
  struct clone_args arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.exit_signal = SIGCHLD;
  long child = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (child < 0) {
    return errno;
  }
  if (child == 0) {
    syscall(SYS_exit_group, 0);
  }
  while (waitpid((pid_t)child, NULL, 0) < 0 && errno == EINTR) {
  }
  return 0;
}

/* Starts a shell in a child that shares this memory until it has become one (vfork(2)), or else in
   a copy of this process that shares a page: so its errno comes back without wait(2), which the
   policy may refuse. */
static int ProbeShell(const char* unused) {
  (void)unused;
  static volatile int result;
  result = 0;
  pid_t child = vfork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", "exit 0", (char*)NULL);
    result = errno;
    _exit(1);
  }
  if (child > 0) {
    (void)waitpid(child, NULL, 0);
    return result;
  }
  volatile int* told =
      mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (told == MAP_FAILED) {
    return errno;
  }
  child = fork();
  if (child < 0) {
    return errno;
  }
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", "exit 0", (char*)NULL);
    *told = errno;
    _exit(1);
  }
  int status = 0;
  if (waitpid(child, &status, 0) == child) {
    return *told;
  }
  /* Without sleeping, which may be refused, too. */
  for (time_t end = time(NULL) + 5; *told == 0 && time(NULL) < end;) {
  }
  return *told != 0 ? *told : ECHILD; /* it cannot be told: it has become a shell */
}

static int ProbeRead(const char* path) {
  int fd = open(path != NULL ? path : "/etc/shadow", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return errno;
  }
  char byte;
  int result = read(fd, &byte, 1) >= 0 ? 0 : errno;
  close(fd);
  return result;
}

struct Probe {
  const char* name;
  int (*attempt)(const char* argument);
};

static const struct Probe kProbes[] = {
    {"raw_socket", ProbeRawSocket}, {"packet_socket", ProbePacketSocket},
    {"unshare", ProbeUnshare},      {"mount", ProbeMount},
    {"ptrace", ProbePtrace},        {"clone3", ProbeClone3},
    {"shell", ProbeShell},          {"read", ProbeRead},
};

/* Makes the attempt called `name` and writes "NAME ok" or "NAME ERRNO" as one line to `fd`. Returns
 * 0, or -1 for an unknown name. */
static int RunProbe(int fd, const char* prefix, const char* name, const char* argument) {
  for (size_t i = 0; i < sizeof kProbes / sizeof kProbes[0]; i++) {
    if (strcmp(kProbes[i].name, name) == 0) {
      int result = kProbes[i].attempt(argument);
      char line[256];
      int length = snprintf(line, sizeof line, "%s%s %s\n", prefix, name,
                            result == 0 ? "ok" : strerrorname_np(result));
      return write(fd, line, (size_t)length) == length ? 0 : -1;
    }
  }
  return -1;
}
