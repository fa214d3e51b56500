#!/usr/bin/python3
"""kill_at_random.py TRACER SECONDS PER_SECOND SEED: for SECONDS, sends signals to random tasks that TRACER traces, about PER_SECOND of them:
mostly SIGKILL, sometimes SIGSTOP and SIGCONT. Then continues what is stopped. Prints how many it sent. Ends early with the tracer."""

import os
import random
import signal
import sys
import time


def traced_by(tracer):
    tasks = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/status", encoding="utf-8", errors="replace") as status:
                    for line in status:
                        if line.startswith("TracerPid:"):
                            if int(line.split()[1]) == tracer:
                                tasks.append(int(name))
                            break
            except OSError:
                pass
    return tasks


def send(task, number):
    try:
        os.kill(task, number)
        return 1
    except ProcessLookupError:
        return 0


def main():
    tracer, seconds, rate, seed = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    lot = random.Random(seed)
    end = time.monotonic() + seconds
    sent = {signal.SIGKILL: 0, signal.SIGSTOP: 0, signal.SIGCONT: 0}
    alive = True
    while alive and time.monotonic() < end and len(traced_by(tracer)) < 5:
        alive = os.path.exists(f"/proc/{tracer}/status")
    while alive and time.monotonic() < end:
        tasks = traced_by(tracer)
        for task in lot.sample(tasks, min(len(tasks), 3)):
            number = lot.choices([signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT], [6, 1, 2])[0]
            sent[number] += send(task, number)
        time.sleep(lot.expovariate(rate / 3))
        alive = os.path.exists(f"/proc/{tracer}/status")
    while alive and time.monotonic() < end + 30:
        tasks = traced_by(tracer)
        for task in tasks:
            send(task, signal.SIGCONT)
        if not tasks:
            break
        time.sleep(0.05)
        alive = os.path.exists(f"/proc/{tracer}/status")
    print(" ".join(f"{number.name}={count}" for number, count in sent.items()))


main()
