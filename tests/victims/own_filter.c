// own_filter SCENARIO: installs a seccomp filter that refuses getpgrp with EACCES, then makes that
// call; exits 0 if it was refused. "thread": another thread, which runs since before, makes the
// call after a filter with SECCOMP_FILTER_FLAG_TSYNC.
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int install(unsigned flags) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgrp, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {sizeof program / sizeof *program, program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

static int refused(void) {
  return syscall(SYS_getpgrp) == -1 && errno == EACCES;
}

static int g_gate[2];
static int g_refused;

static void* wait_and_call(void* unused) {
  char byte;
  (void)unused;
  (void)!read(g_gate[0], &byte, 1);
  g_refused = refused();
  return NULL;
}

int main(int argc, char** argv) {
  const char* scenario = argc > 1 ? argv[1] : "";
  if (!strcmp(scenario, "own"))
    return install(0) == 0 && refused() ? 0 : 1;
  if (!strcmp(scenario, "thread")) {
    // Joining calls futex only where the thread has not ended yet; so it is called in any case.
    static int word;
    (void)syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
    pthread_t thread;
    if (pipe(g_gate) != 0 || pthread_create(&thread, NULL, wait_and_call, NULL) != 0)
      return 1;
    if (install(SECCOMP_FILTER_FLAG_TSYNC) != 0)
      return 2;
    (void)!write(g_gate[1], "x", 1);
    pthread_join(thread, NULL);
    return g_refused ? 0 : 3;
  }
  return 99;
}
