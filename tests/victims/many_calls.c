// many_calls COUNT: makes about COUNT system calls that show the same behaviour over and over:
// reads and writes, opens, failing look-ups, sockets, mappings, and now and then a child.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kCallsPerRound = 32, kRoundsPerChild = 100, kNames = 100 };

static void round_of_calls(int number, int zero, int null) {
  char bytes[16];
  char name[64];
  for (int i = 0; i < 10; ++i) {
    (void)!read(zero, bytes, sizeof bytes);
    (void)!write(null, bytes, sizeof bytes);
  }
  int file = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
  (void)!read(file, bytes, sizeof bytes);
  (void)lseek(file, 0, SEEK_SET);
  close(file);
  snprintf(name, sizeof name, "/cordon-victim/many-%d", number);
  (void)access(name, F_OK);
  (void)!readlink(name, bytes, sizeof bytes);
  close(socket(AF_UNIX, SOCK_DGRAM, 0));
  void* page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  (void)mprotect(page, 4096, PROT_NONE);
  (void)munmap(page, 4096);
  (void)getppid();
}

int main(int argc, char** argv) {
  long rounds = (argc > 1 ? atol(argv[1]) : 1000) / kCallsPerRound;
  int zero = open("/dev/zero", O_RDONLY);
  int null = open("/dev/null", O_WRONLY);
  for (long i = 0; i < rounds; ++i) {
    round_of_calls((int)(argc > 2 ? i : i % kNames), zero, null);
    if (i % kRoundsPerChild == 0) {
      if (fork() == 0)
        _exit(0);
      wait(NULL);
    }
  }
  return 0;
}
