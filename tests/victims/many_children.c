/* many_children COUNT: keeps up to COUNT children alive at once and says how many there could be.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  int wanted = argc > 1 ? atoi(argv[1]) : 1;
  int made = 0;
  pid_t* children = calloc((size_t)wanted, sizeof *children);
  while (made < wanted) {
    pid_t child = fork();
    if (child < 0) {
      break;
    }
    if (child == 0) {
      pause();
      _exit(0);
    }
    children[made++] = child;
  }
  for (int i = 0; i < made; i++) {
    kill(children[i], SIGKILL);
    waitpid(children[i], NULL, 0);
  }
  printf("%d\n", made);
  free(children);
  return 0;
}
