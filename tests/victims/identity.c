// identity: prints who this program runs as, to be installed set-uid, set-gid or with file
// capabilities: "uid 65534 euid 0 egid 65534 capabilities 0x0".
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  memset(data, 0, sizeof data);
  if (syscall(SYS_capget, &header, data) != 0)
    return 1;
  unsigned long long effective = ((unsigned long long)data[1].effective << 32) | data[0].effective;
  printf("uid %u euid %u egid %u capabilities %#llx\n", getuid(), geteuid(), getegid(), effective);
  return 0;
}
