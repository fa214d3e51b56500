"""seccomp_records.py: prints each record of a seccomp decision (AUDIT_SECCOMP) as the kernel makes it, until killed.

From the audit system's multicast group (linux/audit.h, AUDIT_NLGRP_READLOG; CAP_AUDIT_READ), not from the kernel's
log: that takes ten records in five seconds (printk_ratelimit) from all that runs here, and drops the others.
"""
import socket
import struct

NETLINK_AUDIT = 9
AUDIT_NLGRP_READLOG = 1
AUDIT_SECCOMP = 1326

records = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT)
records.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUFFORCE, 1 << 22)
records.bind((0, 1 << (AUDIT_NLGRP_READLOG - 1)))
print("listening", flush=True)
while True:
    message = records.recv(1 << 16)
    if struct.unpack_from("=H", message, 4)[0] == AUDIT_SECCOMP:
        print(message[16:].rstrip(b"\0\n").decode(errors="replace"), flush=True)
