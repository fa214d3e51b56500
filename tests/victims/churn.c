// churn FILE: makes threads and children without pause, three threads and one child at any time;
// each thread looks for /cordon-victim/churn-thread, each child for /cordon-victim/churn-child.
// Writes its pid to FILE when it has begun; ends with status 7 on SIGTERM.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t g_stop;

static void stop(int signal) {
  (void)signal;
  g_stop = 1;
}

static void* look(void* unused) {
  (void)unused;
  (void)!access("/cordon-victim/churn-thread", F_OK);
  usleep(1000);
  return NULL;
}

int main(int argc, char** argv) {
  if (argc < 2)
    return 98;
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  FILE* file = fopen(argv[1], "w");
  if (file == NULL || fprintf(file, "%d\n", (int)getpid()) < 0 || fclose(file) != 0)
    return 97;
  while (!g_stop) {
    pthread_t threads[3];
    for (int i = 0; i < 3; ++i)
      if (pthread_create(&threads[i], NULL, look, NULL) != 0)
        return 1;
    pid_t child = fork();
    if (child < 0)
      return 2;
    if (child == 0) {
      (void)!access("/cordon-victim/churn-child", F_OK);
      _exit(3);
    }
    for (int i = 0; i < 3; ++i)
      if (pthread_join(threads[i], NULL) != 0)
        return 4;
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 3)
      return 5;
  }
  return 7;
}
