// minimal_sandbox ROOT COMMAND [ARGUMENT]...: the least that makes a sandbox: one clone3 with six
// new namespaces, the mounts that every container has, pivot_root and execve. No cgroup,
// capabilities, filter or supervision. What a launch costs beyond it is the runtime's.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void require(int succeeded, const char* what) {
  if (!succeeded) {
    perror(what);
    _exit(125);
  }
}

static void mount_new(const char* type, const char* place, unsigned long flags, const char* data) {
  (void)mkdir(place, 0755);
  require(mount(type, place, type, flags | MS_NOSUID, data) == 0, place);
}

static void make_root(const char* root) {
  static const char* const kDevices[] = {"null", "zero", "full", "random", "urandom", "tty"};
  require(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "making the mounts private");
  require(mount(root, root, NULL, MS_BIND | MS_REC, NULL) == 0 && chdir(root) == 0, root);
  mount_new("proc", "proc", MS_NODEV | MS_NOEXEC, NULL);
  mount_new("tmpfs", "dev", MS_STRICTATIME, "mode=755,size=65536k");
  for (size_t i = 0; i < sizeof kDevices / sizeof *kDevices; ++i) {
    char host[64];
    snprintf(host, sizeof host, "/dev/%s", kDevices[i]);
    const int place = open(host + 1, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    require(place >= 0 && close(place) == 0, host);
    require(mount(host, host + 1, NULL, MS_BIND, NULL) == 0, host);
  }
  mount_new("devpts", "dev/pts", MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
  mount_new("tmpfs", "dev/shm", MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k");
  mount_new("mqueue", "dev/mqueue", MS_NODEV | MS_NOEXEC, NULL);
  mount_new("sysfs", "sys", MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
  require(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
  require(umount2(".", MNT_DETACH) == 0 && chdir("/") == 0, "leaving the old root");
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: minimal_sandbox ROOT COMMAND [ARGUMENT]...\n");
    return 2;
  }
  struct clone_args arguments = {.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC |
                                          CLONE_NEWNET | CLONE_NEWCGROUP,
                                 .exit_signal = SIGCHLD};
  const long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  require(pid >= 0, "clone3");
  if (pid == 0) {
    make_root(argv[1]);
    execv(argv[2], argv + 2);
    require(0, argv[2]);
  }
  int status = 0;
  require(waitpid((pid_t)pid, &status, 0) == pid, "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
