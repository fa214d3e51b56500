// narrow: a 32-bit program (i386), so that every call of it is of another ABI than its tracer's.
// Makes a TCP socket, which Debian's i386 libc does by socketcall(2), and looks for
// /cordon-victim/narrow.
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  (void)access("/cordon-victim/narrow", F_OK);
  return sizeof(void*) == 4 && socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : 1;
}
