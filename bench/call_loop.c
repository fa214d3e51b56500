/* call_loop CALL THREADS COUNT: makes one system call (or open and close) COUNT times in each of
   THREADS threads and prints nanoseconds an iteration. What a tracer costs by the call, without its
   start. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char* call;
static long count;
static int zero;

static void once(void) {
  char byte;
  if (call[0] == 'g') {
    (void)getppid();
  } else if (call[0] == 'r') {
    (void)!read(zero, &byte, 1);
  } else {
    const int fd = open("/etc/passwd", O_RDONLY);
    (void)close(fd);
  }
}

static void* run(void* unused) {
  for (long i = 0; i < count; ++i) {
    once();
  }
  return unused;
}

static double now(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char** argv) {
  pthread_t threads[16];
  if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > 16) {
    (void)fprintf(stderr, "usage: call_loop getppid|read|open THREADS COUNT\n");
    return 2;
  }
  call = argv[1];
  const int number = atoi(argv[2]);
  const long wanted = atol(argv[3]);
  zero = open("/dev/zero", O_RDONLY);
  count = 64; /* what a tracer does once is over */
  (void)run(NULL);
  count = wanted;
  const double start = now();
  if (number == 1) {
    (void)run(NULL);
  } else {
    for (int i = 0; i < number; ++i) {
      (void)pthread_create(&threads[i], NULL, run, NULL);
    }
    for (int i = 0; i < number; ++i) {
      (void)pthread_join(threads[i], NULL);
    }
  }
  (void)printf("%.1f\n", (now() - start) / (double)count);
  return 0;
}
