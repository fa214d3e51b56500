// processors SCENARIO: stops often, and then asks where it may run. Exits 0 only if that is where
// it could run when it began.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static cpu_set_t g_before;

// Calls that every tier stops at.
static void stop_often(void) {
  for (int i = 0; i < 500; ++i)
    (void)kill(getpid(), 0);
}

static int changed(const cpu_set_t* wanted) {
  cpu_set_t now;
  CPU_ZERO(&now);
  return sched_getaffinity(0, sizeof now, &now) != 0 || !CPU_EQUAL(&now, wanted);
}

static int asked(void) {
  stop_often();
  return changed(&g_before);
}

static int in_child(void) {
  stop_often();
  const pid_t child = fork();
  if (child == 0) {
    stop_often();
    _exit(changed(&g_before));
  }
  int status = 0;
  (void)waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

static void* ask(void* wrong) {
  stop_often();
  *(int*)wrong = changed(&g_before);
  return NULL;
}

static int in_thread(void) {
  stop_often();
  pthread_t thread;
  int wrong = 1;
  if (pthread_create(&thread, NULL, ask, &wrong) != 0)
    return 2;
  (void)pthread_join(thread, NULL);
  return wrong | changed(&g_before);
}

static int chosen(void) {
  stop_often();
  cpu_set_t one;
  CPU_ZERO(&one);
  for (size_t i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &g_before) && CPU_COUNT(&one) == 0)
      CPU_SET(i, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0)
    return 2;
  stop_often();
  return changed(&one);
}

// The same as text: proc(5), Cpus_allowed.
static int shown(void) {
  stop_often();
  char text[8192] = "";
  const int fd = open("/proc/self/status", O_RDONLY);
  const ssize_t size = read(fd, text, sizeof text - 1);
  (void)close(fd);
  const char* at = size > 0 ? strstr(text, "Cpus_allowed:") : NULL;
  if (at == NULL)
    return 2;
  int count = 0;
  for (at += strlen("Cpus_allowed:"); *at != '\n' && *at != '\0'; ++at) {
    const char digit[2] = {*at, '\0'};
    count += __builtin_popcountl(strtoul(digit, NULL, 16));
  }
  return count == CPU_COUNT(&g_before) ? 0 : 1;
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    int (*run)(void);
  } kScenarios[] = {{"asked", asked},
                    {"in_child", in_child},
                    {"in_thread", in_thread},
                    {"chosen", chosen},
                    {"shown", shown}};

  if (argc < 2 || sched_getaffinity(0, sizeof g_before, &g_before) != 0)
    return 99;
  for (size_t i = 0; i < sizeof kScenarios / sizeof kScenarios[0]; ++i)
    if (strcmp(argv[1], kScenarios[i].name) == 0)
      return kScenarios[i].run();
  return 98;
}
