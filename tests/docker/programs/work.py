"""What Python programs do: files, threads, processes, sockets, events, a database. Prints the same each time."""
import asyncio
import concurrent.futures
import hashlib
import json
import mmap
import os
import random
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import uuid


def square(number):
    return number * number


def threads():
    found = []
    workers = [threading.Thread(target=lambda i=i: found.append(square(i))) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(found)


def processes():
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        squares = list(pool.map(square, range(5)))
    said = subprocess.run(["/bin/sh", "-c", "echo from a shell"], capture_output=True, text=True, check=True)
    return squares, said.stdout.strip()


def files(folder):
    name = os.path.join(folder, "data")
    with open(name, "wb") as out:
        out.write(bytes(8192))
        os.fsync(out.fileno())
    with open(name, "r+b") as both, mmap.mmap(both.fileno(), 0) as mapped:
        mapped[0:4] = b"head"
        mapped.flush()
    shutil.copyfile(name, name + ".copy")
    os.replace(name + ".copy", name + ".moved")
    os.chmod(name, 0o600)
    os.utime(name, (0, 0))
    os.symlink("data", name + ".link")
    with open(name + ".link", "rb") as link:
        digest = hashlib.sha256(link.read()).hexdigest()
    return digest[:8], sorted(entry.name for entry in os.scandir(folder))


def sockets():
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    peer.sendall(b"over the loopback")
    client.setblocking(False)
    select.select([client], [], [], 5)
    received = client.recv(64).decode()
    for end in (peer, client, server):
        end.close()
    left, right = socket.socketpair()
    left.send(b"pair")
    return received, right.recv(4).decode()


async def later():
    process = await asyncio.create_subprocess_exec("/bin/true")
    await asyncio.sleep(0.01)
    return await process.wait()


def database(folder):
    with sqlite3.connect(os.path.join(folder, "db")) as connection:
        connection.execute("create table numbers (n)")
        connection.executemany("insert into numbers values (?)", [(i,) for i in range(10)])
        return connection.execute("select sum(n) from numbers").fetchone()[0]


def signals():
    caught = []
    signal.signal(signal.SIGALRM, lambda *_: caught.append("alarm"))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    while not caught:
        time.sleep(0.01)
    return caught[0]


def main():
    random.seed()
    assert uuid.uuid4() != uuid.uuid4()
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        print(json.dumps([threads(), processes(), files(folder), sockets(), asyncio.run(later()), database(folder), signals()]))
    print("work done")


if __name__ == "__main__":
    main()
