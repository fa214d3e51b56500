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
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The result of `attempt` in a child, so that it changes nothing here; errno of fork(2) when there
 * can be no child. */
static volatile int* child_result;

static int InChild(int (*attempt)(const char*), const char* argument) {
  child_result =
      mmap(NULL, sizeof *child_result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (child_result == MAP_FAILED) {
    return errno;
  }
  *child_result = EINTR; /* what is left when the child is killed */
  /* CLONE_VFORK: the kernel waits for the child, which a policy without wait4 cannot hinder. */
  long child = syscall(SYS_clone, CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, 0);
  if (child < 0) {
    return errno;
  }
  if (child == 0) {
    *child_result = attempt(argument);
    _exit(0);
  }
  while (waitpid((pid_t)child, NULL, 0) < 0 && errno == EINTR) {
  }
  int result = *child_result;
  munmap((void*)child_result, sizeof *child_result);
  return result;
}

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

static int UnshareUserHere(const char* unused) {
  (void)unused;
  return unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
}

static int ProbeUnshare(const char* unused) {
  return InChild(UnshareUserHere, unused);
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
/* The child needs no call but exit_group while it waits, and ends by a word in memory: the policy
 * under test may refuse pause(2) and kill(2) too. */
static int ProbePtrace(const char* unused) {
  (void)unused;
  volatile int* over =
      mmap(NULL, sizeof *over, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (over == MAP_FAILED) {
    return errno;
  }
  pid_t child = fork();
  if (child < 0) {
    return errno;
  }
  if (child == 0) {
    while (*over == 0) {
    }
    _exit(0);
  }
  int result = ptrace(PTRACE_ATTACH, child, NULL, NULL) == 0 ? 0 : errno;
  *over = 1;
  int status = 0;
  while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    ptrace(PTRACE_DETACH, child, NULL, NULL);
  }
  return result;
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

static int ShellHere(const char* unused) {
  (void)unused;
  *child_result = 0; /* what is left when the shell takes the child over */
  execl("/bin/sh", "sh", "-c", "exit 0", (char*)NULL);
  return errno;
}

static int ProbeShell(const char* unused) {
  return InChild(ShellHere, unused);
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
