"""at_terminal.py STEP... -- COMMAND...: runs COMMAND in a session with a terminal of its own, of 30 rows and 100 columns, does the steps there,
and waits for the end. Prints what the terminal showed, then the exit status (128+N for a signal) and whether the terminal's modes are what
they were before. Steps:
  see:TEXT       waits until TEXT has been shown since the last such step
  type:TEXT      types TEXT, in which \\n, \\x03 and their like are read as Python does
  raw            waits until the terminal is in raw mode
  resize:R,C     gives it another size
  signal:NAME    signals COMMAND's process
  output:FILE    (first) COMMAND's standard output is FILE
  hangup         takes the terminal away; nothing is printed of its modes then
Exits 1 when a step did not come about within 30 seconds, with what was shown."""
import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 30
steps = sys.argv[1 : sys.argv.index("--")]
command = sys.argv[sys.argv.index("--") + 1 :]
shown = b""
seen = 0


def set_size(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def fail(what):
    print(shown.decode(errors="replace"))
    print(f"at_terminal: {what}")
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    sys.exit(1)


def take(seconds):
    """What the terminal shows within that time; False at its end."""
    global shown
    if not select.select([master], [], [], seconds)[0]:
        return True
    try:
        piece = os.read(master, 65536)
    except OSError:
        return False
    shown += piece
    return bool(piece)


def wait_until(what, condition):
    limit = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > limit:
            fail(f"{what} did not come about")
        take(0.05)


output = None
if steps and steps[0].startswith("output:"):
    output = os.open(steps.pop(0)[7:], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
master, terminal = pty.openpty()
set_size(terminal, 30, 100)
before = termios.tcgetattr(terminal)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for stream in range(3):
        os.dup2(output if stream == 1 and output is not None else terminal, stream)
    os.close(master)
    os.closerange(3, 100)
    os.execvp(command[0], command)
hung_up = False
for step in steps:
    kind, _, value = step.partition(":")
    if kind == "see":
        text = value.encode()
        wait_until(f"'{value}'", lambda: text in shown[seen:])
        seen = shown.index(text, seen) + len(text)
    elif kind == "type":
        os.write(master, codecs.decode(value, "unicode_escape").encode("latin-1"))
    elif kind == "raw":
        wait_until("raw mode", lambda: not termios.tcgetattr(terminal)[3] & (termios.ICANON | termios.ECHO | termios.ISIG))
    elif kind == "resize":
        set_size(terminal, *map(int, value.split(",")))
    elif kind == "signal":
        os.kill(child, signal.Signals["SIG" + value])
    elif kind == "hangup":
        os.close(terminal)
        os.close(master)
        hung_up = True
    else:
        fail(f"no step {step}")
limit = time.monotonic() + LIMIT
while True:
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid == child:
        break
    if time.monotonic() > limit:
        fail("the end did not come about")
    if hung_up:
        time.sleep(0.05)
    else:
        take(0.05)
while not hung_up and select.select([master], [], [], 0)[0] and take(0):
    pass
sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
code = os.waitstatus_to_exitcode(status)
print(f"\nstatus {code if code >= 0 else 128 - code}")
if not hung_up:
    print("modes as before" if termios.tcgetattr(terminal) == before else "modes CHANGED")
