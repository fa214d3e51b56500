/* intruder.so: what somebody slipped into a server. nginx loads it as a module without contents
   (load_module), redis as a module that refuses to load (MODULE LOAD); either way its constructor
   makes the attempts below and says on standard error how each ended. The server then works on. */

#include "probes.h"

__attribute__((visibility("default"))) void* ngx_modules[] = {NULL};
__attribute__((visibility("default"))) char* ngx_module_names[] = {NULL};

__attribute__((visibility("default"))) int RedisModule_OnLoad(void* context, void** arguments,
                                                              int count) {
  (void)context;
  (void)arguments;
  (void)count;
  return 1; /* REDISMODULE_ERR */
}

__attribute__((constructor)) static void Intrude(void) {
  (void)RunProbe(STDERR_FILENO, "intruder: ", "raw_socket", NULL);
  (void)RunProbe(STDERR_FILENO, "intruder: ", "shell", NULL);
  (void)RunProbe(STDERR_FILENO, "intruder: ", "read", "/etc/shadow");
}
