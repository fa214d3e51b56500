/* http_page PORT: serves one page on 0.0.0.0:PORT to the first client and ends. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char** argv) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 80))};
  if (bind(listener, (struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 5) != 0) {
    perror("http_page");
    return 1;
  }
  puts("listening");
  fflush(stdout);
  int client = accept(listener, NULL, NULL);
  char request[4096];
  if (read(client, request, sizeof request) < 0) {
    return 1;
  }
  static const char page[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n";
  if (write(client, page, sizeof page - 1) < 0) {
    return 1;
  }
  /* More than any buffer on the way, so that the end of the stream has to wait for it. */
  static char body[1 << 20];
  memset(body, 'x', sizeof body);
  for (size_t sent = 0; sent < sizeof body;) {
    ssize_t length = write(client, body + sent, sizeof body - sent);
    if (length <= 0) {
      return 1;
    }
    sent += (size_t)length;
  }
  shutdown(client, SHUT_WR);
  while (read(client, request, sizeof request) > 0) {
  }
  return 0;
}
