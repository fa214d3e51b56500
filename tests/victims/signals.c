// signals SCENARIO: exits 0 only if signals work as they do without a tracer.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t g_seen;
static int g_pipe[2];

static void note(int signal) {
  g_seen = signal;
}

static void write_byte(int signal) {
  g_seen = signal;
  (void)!write(g_pipe[1], "x", 1);
}

static void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal, &action, NULL);
}

static void alarm_soon(void) {
  struct itimerval soon = {{0, 0}, {0, 50000}};
  setitimer(ITIMER_REAL, &soon, NULL);
}

// The program's own SIGTRAP is not the tracer's.
static int trap(void) {
  handle(SIGTRAP, note, 0);
  raise(SIGTRAP);
  if (g_seen != SIGTRAP)
    return 1;
  g_seen = 0;
#if defined(__x86_64__)
  __asm__ volatile("int3");
  if (g_seen != SIGTRAP)
    return 2;
#endif
  return 0;
}

// A read that a signal interrupts goes on by itself with SA_RESTART.
static int restart(void) {
  char byte = 0;
  if (pipe(g_pipe) != 0)
    return 1;
  handle(SIGALRM, write_byte, SA_RESTART);
  alarm_soon();
  return read(g_pipe[0], &byte, 1) == 1 && g_seen == SIGALRM ? 0 : 2;
}

// And fails with EINTR without it.
static int interrupt(void) {
  char byte = 0;
  if (pipe(g_pipe) != 0)
    return 1;
  handle(SIGALRM, note, 0);
  alarm_soon();
  return read(g_pipe[0], &byte, 1) == -1 && errno == EINTR ? 0 : 2;
}

// nanosleep is resumed by restart_syscall(2) when a stop interrupts it.
static int stop_in_sleep(void) {
  pid_t child = fork();
  if (child == 0) {
    struct timespec time = {0, 400000000};
    _exit(nanosleep(&time, NULL) == 0 ? 0 : 1);
  }
  usleep(100000);
  kill(child, SIGSTOP);
  int status = 0;
  if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
    return 1;
  kill(child, SIGCONT);
  if (waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status))
    return 2;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0
                                                                                              : 3;
}

static int g_order[8];
static int g_count;

static void note_value(int signal, siginfo_t* info, void* unused) {
  (void)unused;
  if (info->si_pid == getpid() && info->si_code == SI_QUEUE && signal >= SIGRTMIN && g_count < 8)
    g_order[g_count++] = (signal - SIGRTMIN) * 100 + info->si_value.sival_int;
}

// Real-time signals are queued, arrive lowest number first and keep what was sent with them.
static int realtime(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = note_value;
  action.sa_flags = SA_SIGINFO;
  sigset_t blocked;
  sigemptyset(&blocked);
  for (int i = 0; i < 2; ++i) {
    sigaction(SIGRTMIN + i, &action, NULL);
    sigaddset(&blocked, SIGRTMIN + i);
    action.sa_mask = blocked;
  }
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  for (int i = 0; i < 3; ++i) {
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i});
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
  }
  sigprocmask(SIG_UNBLOCK, &blocked, NULL);
  // The frame of each later signal is laid on top of the one before: the last delivered runs first.
  int seen = 0;
  for (int i = 0; i < g_count; ++i)
    seen |= 1 << (g_order[i] / 100 * 3 + g_order[i] % 100);
  return g_count == 6 && seen == 0x3f ? 0 : 1;
}

// Each signal that can be caught arrives exactly once.
static int every_signal(void) {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP || signal == 32 || signal == 33)
      continue;  // the C library keeps the first two real-time ones
    handle(signal, note, 0);
    g_seen = 0;
    kill(getpid(), signal);
    if (g_seen != signal)
      return signal;
  }
  return 0;
}

static char g_stack[65536];
static volatile sig_atomic_t g_on_stack;
static sigjmp_buf g_back;

static void on_fault(int signal) {
  char here;
  (void)signal;
  g_on_stack = &here >= g_stack && &here < g_stack + sizeof g_stack;
  siglongjmp(g_back, 1);
}

// A fault is handled on the alternate stack.
static int alternate_stack(void) {
  stack_t stack = {.ss_sp = g_stack, .ss_size = sizeof g_stack};
  sigaltstack(&stack, NULL);
  handle(SIGSEGV, on_fault, SA_ONSTACK);
  if (sigsetjmp(g_back, 1) == 0)
    *(volatile int*)8 = 1;
  return g_on_stack ? 0 : 1;
}

static int die(void) {
  raise(SIGSEGV);
  return 0;
}

int main(int argc, char** argv) {
  const char* scenario = argc > 1 ? argv[1] : "";
  if (!strcmp(scenario, "trap"))
    return trap();
  if (!strcmp(scenario, "restart"))
    return restart();
  if (!strcmp(scenario, "interrupt"))
    return interrupt();
  if (!strcmp(scenario, "stop_in_sleep"))
    return stop_in_sleep();
  if (!strcmp(scenario, "realtime"))
    return realtime();
  if (!strcmp(scenario, "every_signal"))
    return every_signal();
  if (!strcmp(scenario, "alternate_stack"))
    return alternate_stack();
  if (!strcmp(scenario, "die"))
    return die();
  return 99;
}
