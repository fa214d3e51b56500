#!/usr/bin/python3
"""compare_with_strace.py --strace FILE... --recording FILE...

Does every recording tell the same (ABI, call, result) and the same opened paths as strace does of the same program, and of every path that
could not be opened, why? The strace files are of separate runs with `-f -n -y -s 4096 -e raw='!open,openat,openat2,creat,execve'`.

What is executed counts as opened, for the kernel opens it: the file that execve(2) names and its chain of interpreters. A program of
ELFCLASS32 makes the calls of x86 from there on.

A difference is explained by one of the rules below, and each rule is checked on what strace itself saw:

  restarted       ERESTART* is no result: the kernel makes the call again, or turns it into EINTR where no stop shows it
  no-return       exit, exit_group and rt_sigreturn have no result
  after-success   an errno that came only after a success of the same call with the same recorded arguments is not asked for
                  (docs/decisions/0002-results.md): strace's order of the returns shows that it came after
  path-only       O_PATH opens no file (open(2)): strace shows no other open of it
  timing          what one strace run of the same program shows and another does not, no single run can be held to

Exit status: 0 equal but for explained differences, 3 unexplained ones, which more runs of strace may show to be timing, 1 a random name that
did not occur, 2 wrong usage.
"""

import argparse
import json
import os
import re
import struct
import sys

NO_RETURN = {"exit", "exit_group", "rt_sigreturn"}
OPENING = {"open", "openat", "openat2", "creat"}

START = re.compile(r"^(?P<pid>\d+) +\[ *(?P<nr>\d+)\] (?P<rest>.*)$")
CALL = re.compile(r"^(?P<name>\w+)\((?P<args>.*)$")
RESUMED = re.compile(r"^<\.\.\. (?P<name>\w+) resumed>(?P<args>.*)$")
RESULT = re.compile(r"\) += (?P<value>\?|-?\w+)(?P<tail>.*)$")
MASK = 0xFFFFFFFF


class Seen:
    """What one strace run saw."""

    def __init__(self):
        self.calls = set()  # (arch, nr)
        self.names = {}  # (arch, nr) -> name
        self.returns = []  # (arch, nr, args, result), in order
        self.opened = set()
        self.path_only = set()  # opened with O_PATH and in no other way
        self.not_opened = set()  # (path, errno)


def numbers(text):
    """The leading register values of raw arguments."""
    values = []
    for part in text.split(", "):
        match = re.match(r"(0x[0-9a-f]+|-?\d+)", part)
        if not match:
            break
        values.append(int(match.group(1), 0))
    return values


def unescape(path):
    return re.sub(r"\\(\d{1,3}|x[0-9a-f]{2})", lambda m: chr(int(m.group(1).lstrip("x"), 16 if m.group(1)[0] == "x" else 8)), path)


def interpreter_of(path):
    """What "#!" or PT_INTERP of a 64-bit or 32-bit little-endian file names; None for others."""
    try:
        with open(path, "rb") as file:
            head = file.read(256)
            if head.startswith(b"#!"):
                return head[2:].split(b"\n")[0].split()[0].decode()
            if not head.startswith(b"\x7fELF"):
                return None
            wide = head[4] == 2
            # Elf64_Ehdr and Elf32_Ehdr: e_phoff, e_phentsize, e_phnum; Elf64_Phdr and Elf32_Phdr: p_offset, p_filesz
            layout = ("<Q", 32, 54, 8, 32) if wide else ("<I", 28, 42, 4, 16)
            word, at_offset, at_size, at_start, at_length = layout
            (offset,) = struct.unpack_from(word, head, at_offset)
            size, count = struct.unpack_from("<HH", head, at_size)
            for index in range(count):
                file.seek(offset + index * size)
                entry = file.read(size)
                if struct.unpack_from("<I", entry)[0] == 3:  # PT_INTERP
                    file.seek(struct.unpack_from(word, entry, at_start)[0])
                    return file.read(struct.unpack_from(word, entry, at_length)[0]).rstrip(b"\0").decode()
    except OSError:
        pass
    return None


def is_narrow(path):
    with open(path, "rb") as file:
        return file.read(5) == b"\x7fELF\x01"


def executed_files(path):
    files = set()
    while path and path.startswith("/") and os.path.realpath(path) not in files:
        path = os.path.realpath(path)
        files.add(path)
        path = interpreter_of(path)
    return files


def named_path(args):
    """The absolute path that open(2), openat(2) or creat(2) names, links before its last part walked; None where strace shows no folder."""
    named = re.match(r'(?:(?:AT_FDCWD|\d+)<(/[^>]*)>, )?"((?:[^"\\]|\\.)*)"', args)
    if not named:
        return None
    path = os.path.join(named.group(1) or "", unescape(named.group(2))).rstrip("/")
    if not path.startswith("/"):
        return None
    return os.path.realpath(os.path.dirname(path)) + "/" + os.path.basename(path)


def read_strace(file_name):
    seen = Seen()
    pending = {}
    arch_of = {}
    pids = set()
    opened, path_only, not_opened = [], [], []
    for line in open(file_name, encoding="utf-8", errors="surrogateescape"):
        line = line.rstrip("\n")
        start = START.match(line)
        if not start:
            continue
        pid, number, rest = start.group("pid"), int(start.group("nr")), start.group("rest")
        pids.add(pid)
        resumed = RESUMED.match(rest)
        if resumed:
            name = resumed.group("name")
            # execve(2) by another thread than the leader comes back under the leader's id.
            key = pid if pending.get(pid, ("",))[0] == name else next((p for p in pending if pending[p][0] == name), None)
            if key is None:
                continue
            _, number, args, arch = pending.pop(key)
            args += resumed.group("args")
        else:
            call = CALL.match(rest)
            if not call:
                continue  # a signal or an end
            name, args, arch = call.group("name"), call.group("args"), arch_of.get(pid, "x86_64")
            seen.calls.add((arch, number))
            seen.names[arch, number] = name
            if args.endswith("<unfinished ...>"):
                pending[pid] = (name, number, args[: -len("<unfinished ...>")].rstrip(), arch)
                continue
        result = RESULT.search(args)
        if not result or name in NO_RETURN:
            continue
        values = numbers(args)
        if result.group("value") == "?":
            continue  # restarted, or killed in it
        failure = re.match(r" (E\w+)", result.group("tail")) if result.group("value") == "-1" else None
        if failure and failure.group(1).startswith("ERESTART"):
            continue
        seen.returns.append((arch, number, values, failure.group(1) if failure else "ok"))
        if name in OPENING and failure:
            path = named_path(args)
            if path is not None:
                not_opened.append((path, failure.group(1)))
        if name in OPENING and not failure:
            path = re.match(r"<(/.*?)(?:<[^>]*>)?>( \(deleted\))?$", result.group("tail"))
            if path:
                real = unescape(path.group(1))
                if "O_TMPFILE" in args:
                    real = os.path.dirname(real) + "/#tmpfile"
                (path_only if "O_PATH" in args else opened).append(real)
        if name == "execve" and not failure:
            named = re.match(r'"((?:[^"\\]|\\.)*)"', args)
            files = executed_files(unescape(named.group(1))) if named else set()
            opened.extend(files)
            arch_of[pid] = "x86" if any(is_narrow(path) for path in files) else "x86_64"
    own = re.compile(r"^/proc/(\d+)(?=/|$)")

    def as_recorded(path):
        match = own.match(path)
        return "/proc/self" + path[match.end() :] if match and match.group(1) in pids else path

    seen.opened = {as_recorded(path) for path in opened}
    seen.path_only = {as_recorded(path) for path in path_only} - seen.opened
    seen.not_opened = {(as_recorded(path), failure) for path, failure in not_opened}
    return seen


class Recording:
    def __init__(self, file_name):
        document = json.load(open(file_name, encoding="utf-8"))
        self.file_name = file_name
        self.calls = {(item["arch"], item["nr"]): item for item in document["syscalls"]}
        self.results = {(arch, nr, result) for (arch, nr), item in self.calls.items() for result in item["results"]}
        self.opened = {item["path"] for item in document["files"] if "open" in item["access"]}
        self.failures = {(item["path"], name) for item in document["files"] for name in item.get("failures", {})}

    def tuple_of(self, arch, number, values):
        """The part of the registers that the recording keeps, or () where it keeps none or too many."""
        item = self.calls.get((arch, number))
        if item is None or "arguments_overflow" in item or not item["arguments"]:
            return ()
        kept = item["arguments"][0]["values"]
        if any("." in index or int(index) >= len(values) for index in kept):
            return ()  # behind a pointer
        return tuple(values[int(index)] & MASK for index in sorted(kept))


def late_failures(seen, recording):
    """(arch, nr, errno) that strace saw only after a success with the same recorded arguments."""
    succeeded, late, early = set(), set(), set()
    for arch, number, values, result in seen.returns:
        key = (arch, number, recording.tuple_of(arch, number, values))
        if result == "ok":
            succeeded.add(key)
        else:
            (late if key in succeeded else early).add((arch, number, result))
    return late - early


def compare(runs, recording, normalise):
    """(explained, unexplained) as lists of lines."""
    explained, unexplained = [], []
    label = {key: name for seen in runs for key, name in seen.names.items()}

    def judge(what, everywhere, anywhere, got, excuse=lambda item: None, text=str):
        for item in sorted(anywhere | got, key=str):
            if (item in everywhere) == (item in got):
                if item in everywhere:
                    continue
            reason = excuse(item)
            if item in anywhere and item not in everywhere:
                reason = reason or "timing"
            side = "recording lacks" if item not in got else "only in the recording"
            if item in anywhere and item not in everywhere and item in got:
                side = "not in every strace run"
            (explained if reason else unexplained).append(f"{what}: {side}: {text(item)}" + (f" [{reason}]" if reason else ""))

    def show(item):
        arch, number = item[0], item[1]
        return " ".join([arch, label.get((arch, number), recording.calls.get((arch, number), {}).get("name", str(number)))] + list(item[2:]))

    calls = [seen.calls for seen in runs]
    judge("call", set.intersection(*calls), set.union(*calls), set(recording.calls), text=show)
    results = [{(arch, nr, result) for arch, nr, _, result in seen.returns} for seen in runs]
    late = [late_failures(seen, recording) for seen in runs]
    everywhere, anywhere = set.intersection(*results), set.union(*results)

    def after_success(item):
        runs_with = [i for i, result in enumerate(results) if item in result]
        if item in recording.results or not runs_with:
            return None
        return "after-success" if all(item in late[i] for i in runs_with) else None

    judge("result", everywhere, anywhere, recording.results, after_success, show)
    paths = [{normalise(path) for path in seen.opened | seen.path_only} for seen in runs]
    only = set.intersection(*({normalise(path) for path in seen.path_only} for seen in runs))

    def path_only(path):
        return "path-only" if path in only and path not in recording.opened else None

    judge("opened", set.intersection(*paths), set.union(*paths), {normalise(path) for path in recording.opened}, path_only)

    # Other calls fail on names, too: the recording may have more.
    failed = [{(normalise(path), failure) for path, failure in seen.not_opened} for seen in runs]
    expected = set.union(*failed)
    got = {(normalise(path), failure) for path, failure in recording.failures} & expected
    judge("not opened", set.intersection(*failed), expected, got, text=" ".join)
    return explained, unexplained


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--strace", nargs="+", required=True)
    parser.add_argument("--recording", nargs="+", required=True)
    parser.add_argument("--random-name", default=None, help="a regular expression of names that the program draws by lot")
    options = parser.parse_args()
    drawn = re.compile(options.random_name) if options.random_name else None
    used = {"strace": 0, "recording": 0}

    def normalise(path):
        if drawn is None:
            return path
        return drawn.sub("*", path)

    runs = [read_strace(name) for name in options.strace]
    recordings = [Recording(name) for name in options.recording]
    status = 0
    for seen in runs:
        if not seen.returns or not seen.opened:
            sys.exit("compare_with_strace.py: a strace file has no calls")
        used["strace"] += sum(bool(drawn and drawn.search(path)) for path in seen.opened)
    for recording in recordings:
        used["recording"] += sum(bool(drawn and drawn.search(path)) for path in recording.opened)
        explained, unexplained = compare(runs, recording, normalise)
        print(f"{recording.file_name}: {len(recording.calls)} calls, {len(recording.results)} results, {len(recording.opened)} opened paths")
        for line in explained:
            print("  explained", line)
        for line in unexplained:
            print("  NOT EXPLAINED", line)
            status = 3
    if drawn and not all(used.values()):
        print(f"  NOT EXPLAINED the random name {options.random_name} did not occur: {used}")
        status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
