#!/usr/bin/python3
"""peak_memory.py CORDON TIER COMMAND…: records COMMAND and prints "PEAK_KIB CALLS SECONDS": the largest resident set of cordon itself
(VmHWM), the calls that it followed, also those without a stop, and the time it took. Exit status: that of cordon."""

import os
import re
import subprocess
import sys
import tempfile
import time


def peak_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read(), re.MULTILINE)
    return int(found.group(1)) if found else 0


def main():
    cordon, tier, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    peak = 0
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        recording = os.path.join(folder, "recording.json")
        options = ["--stats", "--tier", tier, "-o", recording, "--"]
        with subprocess.Popen([cordon, "profile", *options, *command], stderr=subprocess.PIPE, text=True) as process:
            # It only grows, so the last look before the end is what counts.
            while process.poll() is None:
                try:
                    peak = max(peak, peak_of(process.pid))
                except OSError:
                    pass
                time.sleep(0.01)
            said = process.stderr.read()
        seconds = time.monotonic() - begin
    calls = re.search(r"(\d+) calls,", said)
    unseen = re.search(r"calls made without a stop: (\d+)", said)
    if process.returncode != 0 or not calls:
        print(said, file=sys.stderr)
        sys.exit(process.returncode or 1)
    print(peak, int(calls.group(1)) + (int(unseen.group(1)) if unseen else 0), f"{seconds:.1f}")


main()
