/* syscall_probe NAME[=ARGUMENT]…: makes each attempt of probes.h and prints its result, a line
   each: "mount EPERM", "clone3 ok". Static, so that it runs in any image. Exit 0 when all were
   made, 2 for an unknown name. */

#include "probes.h"

int main(int argc, char** argv) {
  for (int i = 1; i < argc; i++) {
    char* argument = strchr(argv[i], '=');
    if (argument != NULL) {
      *argument++ = '\0';
    }
    if (RunProbe(STDOUT_FILENO, "", argv[i], argument) != 0) {
      fprintf(stderr, "syscall_probe: there is no probe '%s'\n", argv[i]);
      return 2;
    }
  }
  return 0;
}
