"""audit_switch.py [0|1]: turns the kernel's audit off or on (audit(8), auditctl -e); prints what it was before: 0 off, 1 on, 2 locked."""
import socket
import struct
import sys

AUDIT_GET, AUDIT_SET, ENABLED = 1000, 1001, 1


def ask(kind, payload=b""):
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)
    kernel.settimeout(10)
    kernel.bind((0, 0))
    flags = 1 if kind == AUDIT_GET else 5
    kernel.send(struct.pack("IHHII", 16 + len(payload), kind, flags, 1, 0) + payload)
    while True:
        answer = kernel.recv(8192)
        (answered,) = struct.unpack_from("H", answer, 4)
        if answered == 2:
            (error,) = struct.unpack_from("i", answer, 16)
            if error:
                sys.exit(f"audit: error {-error}")
            if kind == AUDIT_SET:
                return None
        elif answered == kind:
            return struct.unpack_from("II", answer, 16)[1]


print(ask(AUDIT_GET))
if len(sys.argv) > 1:
    ask(AUDIT_SET, struct.pack("10I", ENABLED, int(sys.argv[1]), *[0] * 8))
