#!/usr/bin/python3
"""terminal_dialogues.py DIALOGUE [PREFIX…]: talks to interactive programs on a pseudo-terminal, as a person would, with PREFIX before their
command, and prints what came of it: exit status and files. Each step waits for what the program has to show. Exit status: 0 the dialogue
went as it should, 1 it did not (the screen is printed), 2 there is no such dialogue."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

LIMIT_SECONDS = 30
# A signal that arrives while a shell makes its child (vfork) stops or spares the child alone, natively as well.
SETTLED = 1


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command, **environment):
        self.seen = ""
        self.since = 0
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "vt100", "LC_ALL": "C", "HOME": os.getcwd(), **environment}
            os.execvpe(command[0], command, variables)
        self.resize(24, 80)

    def resize(self, rows, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        if not select.select([self.terminal], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # EIO: the other side is closed
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def expect(self, pattern):
        """Waits until `pattern` comes after what the former step found."""
        end = time.monotonic() + LIMIT_SECONDS
        while True:
            found = re.search(pattern, self.seen[self.since :])
            if found:
                self.since += found.end()
                return
            if time.monotonic() > end or not self.read(0.1):
                self.fail(f"{pattern!r} did not come")

    def expect_line_mode(self):
        """Waits until a shell has given up its editing: a Ctrl-D that is typed before is a character, and no end."""
        end = time.monotonic() + LIMIT_SECONDS
        while not termios.tcgetattr(self.terminal)[3] & termios.ICANON:
            if time.monotonic() > end:
                self.fail("the terminal was not set to line mode")
            time.sleep(0.02)

    def send(self, text):
        os.write(self.terminal, text.encode())

    def fail(self, what):
        os.kill(self.pid, signal.SIGKILL)
        print(f"terminal_dialogues.py: {what}; the screen:\n{self.seen[-2000:]!r}")
        sys.exit(1)

    def status(self):
        """Waits for the end."""
        end = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < end:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        self.fail("it did not end")


SHELL = ["/bin/bash", "--norc", "--noprofile", "-i"]
PROMPT = r"ready> $"


def content(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def shell(prefix):
    """Job control inside of what is watched."""
    terminal = Terminal([*prefix, *SHELL], PS1="ready> ", TERM="dumb")
    terminal.expect(PROMPT)
    terminal.send("sleep 100\n")
    terminal.expect("sleep 100\r\n")
    time.sleep(SETTLED)
    terminal.send("\x1a")
    terminal.expect(r"\[1\]\+\s+Stopped\s+sleep 100[\s\S]*ready> $")
    terminal.send("bg\n")
    terminal.expect(r"\[1\]\+ sleep 100 &[\s\S]*ready> $")
    terminal.send("jobs\n")
    terminal.expect(r"\[1\]\+\s+Running\s+sleep 100 &[\s\S]*ready> $")
    terminal.send("fg\n")
    terminal.expect(r"sleep 100\r\n")
    time.sleep(SETTLED)
    terminal.send("\x03")
    terminal.expect(PROMPT)
    terminal.send("echo status $?\n")
    terminal.expect("status 130\r\nready> $")
    terminal.send("read -r line; echo got $line\n")
    terminal.expect("echo got .line\r\n")
    terminal.expect_line_mode()
    terminal.send("typed\n")
    terminal.expect("got typed\r\nready> $")
    terminal.resize(40, 132)
    terminal.send("stty size\n")
    terminal.expect("40 132\r\nready> $")
    terminal.send("cat | tr a-z A-Z\n")
    terminal.expect("A-Z\r\n")
    terminal.expect_line_mode()
    terminal.send("piped\n\x04")
    terminal.expect("PIPED\r\nready> $")
    terminal.send("exit 3\n")
    print("exit status", terminal.status())


def job(prefix):
    """What is watched is itself a job of a shell that is not."""
    terminal = Terminal(SHELL, PS1="ready> ", TERM="dumb")
    terminal.expect(PROMPT)
    command = " ".join([*prefix, "sh", "-c", "'echo begun; sleep 4; echo ended; exit 4'"])
    terminal.send(command + "\n")
    terminal.expect("exit 4'\r\n")
    terminal.expect("begun\r\n")
    time.sleep(SETTLED)
    terminal.send("\x1a")
    terminal.expect(r"Stopped[\s\S]*ready> $")
    time.sleep(4.5)
    terminal.send("fg\n")
    terminal.expect("ended\r\n")
    terminal.expect(PROMPT)
    terminal.send("echo status $?\n")
    terminal.expect("status 4\r\nready> $")
    terminal.send(command.replace("sleep 4", "sleep 100") + "\n")
    terminal.expect("exit 4'\r\n")
    terminal.expect("begun\r\n")
    time.sleep(SETTLED)
    terminal.send("\x03")
    terminal.expect(PROMPT)
    terminal.send("echo status $?\n")
    terminal.expect("status 130\r\nready> $")
    terminal.send("exit\n")
    print("exit status", terminal.status())


def vi(prefix):
    terminal = Terminal([*prefix, *SHELL], PS1="ready> ")
    terminal.expect(PROMPT)
    terminal.send("vim.tiny -u NONE -n text\n")
    terminal.expect("~")
    terminal.send("ifirst line\nsecond\x1b")
    terminal.expect("second")
    terminal.send("\x1a")
    terminal.expect(r"Stopped[\s\S]*ready> $")
    terminal.send("fg\n")
    terminal.expect("second")
    terminal.send(":wq\n")
    terminal.expect(PROMPT)
    terminal.send("exit\n")
    print("exit status", terminal.status(), "text", repr(content("text")))


def nano(prefix):
    terminal = Terminal([*prefix, "nano", "-I", "letter"])
    terminal.expect("GNU nano")
    terminal.send("written in nano")
    terminal.expect("in nano")
    terminal.send("\x0f")
    terminal.expect("Write")
    terminal.send("\r")
    terminal.expect("Wrote")
    terminal.send("\x18")
    print("exit status", terminal.status(), "letter", repr(content("letter")))


def less(prefix):
    with open("long", "w", encoding="utf-8") as file:
        file.writelines(f"line number {i}\n" for i in range(1000))
    terminal = Terminal([*prefix, "less", "long"], LESS="")
    terminal.expect("line number 5\r")
    terminal.send("/number 700\n")
    terminal.expect("line number 710")
    terminal.resize(12, 80)
    # A key that arrives with SIGWINCH may be lost: less leaves its read(2) by longjmp(3).
    terminal.expect("line number 710\r\n:")
    terminal.send("g")
    terminal.expect("line number 3\r")
    terminal.send("q")
    print("exit status", terminal.status())


DIALOGUES = {"shell": shell, "job": job, "vi": vi, "nano": nano, "less": less}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in DIALOGUES:
        print(f"terminal_dialogues.py: one of {', '.join(DIALOGUES)}", file=sys.stderr)
        sys.exit(2)
    DIALOGUES[sys.argv[1]](sys.argv[2:])


main()
