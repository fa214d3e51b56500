"""net_peer.py serve tcp|udp ADDRESS PORT: answers whoever asks with "NAME sees ADDRESS", until killed; NAME is $PEER.
net_peer.py ask tcp|udp ADDRESS PORT: asks and prints the answer; exit status 1 when there is none.
"""
import os
import socket
import sys

verb, transport, address, port = sys.argv[1:]
kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
peer = socket.socket(socket.AF_INET, kind)
if verb == "ask":
    peer.settimeout(2)
    try:
        peer.connect((address, int(port)))
        peer.send(b"?")
        print(peer.recv(1000).decode())
    except OSError as error:
        sys.exit(f"no answer: {error}")
    sys.exit(0)

peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
peer.bind((address, int(port)))
name = os.environ["PEER"]
if kind == socket.SOCK_STREAM:
    peer.listen()
print("ready", flush=True)
while True:
    try:
        if kind == socket.SOCK_DGRAM:
            _, (asker, asker_port) = peer.recvfrom(1000)
            peer.sendto(f"{name} sees {asker}".encode(), (asker, asker_port))
        else:
            connection, (asker, _) = peer.accept()
            with connection:
                connection.recv(1000)
                connection.send(f"{name} sees {asker}".encode())
    except ConnectionError:
        pass  # who asked has gone
