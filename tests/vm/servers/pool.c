/* A program with threads, to be learned when little happens. /etc/pool.conf says how many threads
   it starts with. SIGUSR1 strains it: more threads at once than glibc has arenas without counting
   processors (8), each of which gives back more than glibc keeps (128 KiB) of memory in pieces that
   are not mapped by themselves. /run/pool has the process and how often it was strained. SIGTERM
   ends it. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kStrained = 12, kPieces = 40, kPiece = 100000 };

static pthread_barrier_t g_meeting;

static void* Idle(void* unused) {
  free(malloc(100));
  return unused;
}

static void* Churn(void* unused) {
  char* pieces[kPieces];
  for (int i = 0; i < kPieces; ++i) {
    pieces[i] = malloc(kPiece);
    memset(pieces[i], 1, kPiece);
  }
  pthread_barrier_wait(&g_meeting);
  for (int i = 0; i < kPieces; ++i) {
    free(pieces[i]);
  }
  return unused;
}

static void RunThreads(void* (*work)(void*), int count) {
  pthread_t threads[kStrained];
  for (int i = 0; i < count; ++i) {
    if (pthread_create(&threads[i], NULL, work, NULL) != 0) {
      abort();
    }
  }
  for (int i = 0; i < count; ++i) {
    pthread_join(threads[i], NULL);
  }
}

static void Tell(int file, int strains) {
  char text[64];
  int length = snprintf(text, sizeof text, "%d\n%d\n", (int)getpid(), strains);
  if (pwrite(file, text, (size_t)length, 0) != length) {
    abort();
  }
}

int main(void) {
  char number[16] = "";
  int configuration = open("/etc/pool.conf", O_RDONLY | O_CLOEXEC);
  if (configuration < 0 || read(configuration, number, sizeof number - 1) <= 0) {
    return 1;
  }
  close(configuration);
  int count = atoi(number);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  int state = open("/run/pool", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (state < 0 || count > kStrained) {
    return 1;
  }
  pthread_barrier_init(&g_meeting, NULL, kStrained);
  RunThreads(Idle, count);
  Tell(state, 0);
  for (int strains = 1;; ++strains) {
    int received = 0;
    sigwait(&signals, &received);
    if (received == SIGTERM) {
      return 0;
    }
    RunThreads(Churn, kStrained);
    Tell(state, strains);
  }
}
