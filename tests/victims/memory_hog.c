/* memory_hog MEBIBYTES [wait]: touches that much memory and says "ok"; then it waits for a signal,
 * or ends. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  size_t mebibytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
  for (size_t i = 0; i < mebibytes; i++) {
    char* block = malloc(1 << 20);
    if (block == NULL) {
      return 1;
    }
    memset(block, 1, 1 << 20);
  }
  puts("ok");
  if (argc > 2) {
    pause();
  }
  return 0;
}
