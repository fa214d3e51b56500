"""run_blocks.py DOCUMENT MARK…: runs the command blocks of a Markdown document, one after the other in one shell, and compares what they print.

A command block is fenced as ```console. Lines that begin with "$ " are commands ("> " goes on with one), what follows is what each prints to
standard output and error; "…" stands for any text of a line, and a line of "…" for any lines. A line "^C" right after a command says that the
reader presses Ctrl-C once it runs. A command that fails says so: `; echo "exit $?"`.
A fence with `file=NAME` is the content of that file, which is written. A word after ```console is a mark, for what blocks need that is not
everywhere: such blocks are run when the mark is given, and skipped otherwise; what is skipped is printed, with the files that it names.
"""
import contextlib
import os
import re
import signal
import subprocess
import sys
import time

SENTINEL = "\x01blocks "


def blocks(path):
    """(line number, info words, lines) of each fenced block."""
    fence = None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if line.startswith("```"):
                if fence is None:
                    fence = (number, line[3:].split(), [])
                else:
                    yield fence
                    fence = None
            elif fence is not None:
                fence[2].append(line)
    assert fence is None, f"{path}: the block of line {fence[0]} has no end"


def commands(first, lines):
    """(line number, command, wanted lines, whether Ctrl-C is pressed) of each command of a block."""
    found = []
    for number, line in enumerate(lines, first + 1):
        if line.startswith("$ "):
            found.append([number, line[2:], [], False])
        elif not found:
            sys.exit(f"line {number}: output before the first command")
        elif line.startswith("> ") and not found[-1][2]:
            found[-1][1] += "\n" + line[2:]
        elif line == "^C" and not found[-1][2]:
            found[-1][3] = True
        else:
            found[-1][2].append(line)
    return found


def matches(wanted, got):
    pattern = ""
    for line in wanted:
        pattern += "(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n"
    return re.fullmatch(pattern, got) is not None


def listens():
    """Whether anything listens on a TCP port, in this network namespace."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        return any(line.split()[3] == "0A" for line in file)


class Shell:
    def __init__(self):
        self.process = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        errors="replace")

    def run(self, command, interrupted):
        self.process.stdin.write(f"{command}\nprintf '{SENTINEL}%s\\n' $? >&1\n")
        self.process.stdin.flush()
        if interrupted:
            self.interrupt()
        got = ""
        for line in self.process.stdout:
            if SENTINEL in line:
                before, status = line.split(SENTINEL)
                return got + before, int(status)
            got += line
        return got, -1

    def interrupt(self):
        """As who waits until the server serves (20 s where that cannot be seen from here) and presses Ctrl-C: the terminal sends it to all that
        run in the foreground."""
        limit = time.monotonic() + 20
        while time.monotonic() < limit and not listens():
            time.sleep(0.2)
        time.sleep(1)
        parents = [str(self.process.pid)]
        foreground = []
        while parents:
            parents = subprocess.run(["pgrep", "-P", ",".join(parents)], capture_output=True, text=True, check=False).stdout.split()
            foreground += parents
        for process in foreground:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGINT)


def main(document, *marks):
    shell = Shell()
    ran = skipped = 0
    for first, info, lines in blocks(document):
        if not info:
            sys.exit(f"{document}:{first}: a block without a kind: console for commands, text for what is only shown")
        name = next((word[5:] for word in info if word.startswith("file=")), None)
        if name is not None:
            with open(name, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
        if info[0] != "console":
            continue
        needs = [word for word in info[1:] if word not in marks]
        if needs:
            skipped += 1
            print(f"{document}:{first}: not run here, it needs: {' '.join(needs)}: {'; '.join(command for _, command, _, _ in commands(first, lines))}")
            continue
        for number, command, wanted, interrupted in commands(first, lines):
            got, status = shell.run(command, interrupted)
            if (status != 0 and not interrupted) or not matches(wanted, got):
                sys.exit(f"{document}:{number}: {command}\nexit status {status}, wanted:\n" + "\n".join(wanted) + f"\ngot:\n{got}")
            ran += 1
    print(f"{document}: {ran} commands run, {skipped} blocks not")
    if ran == 0:
        sys.exit(f"{document}: nothing was run")


main(*sys.argv[1:])
