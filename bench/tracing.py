#!/usr/bin/python3
"""tracing.py BUILD_DIR OUT_DIR [--rounds N] [--only REGEX] [--ways REGEX]: what watching costs, beside other tools.

Every workload is run natively, under each tier of `cordon profile` and under strace, perf and bpftrace where those are installed, N times in turn, so that
a slow moment of the machine hits all alike. Printed are medians and their ratio to native's; OUT_DIR gets tracing.md and tracing.json. Of a command the
wall time is measured, the start of the tool included; of a server what a client on the same machine gets.
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

GO_SERVER = """package main
import ("fmt"; "net/http"; "os")
func main() {
  http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello\\n") })
  http.ListenAndServe("127.0.0.1:" + os.Args[1], nil)
}
"""


def output(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def first_line(text):
    return text.splitlines()[0] if text else ""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server does not answer")


def descendants(root):
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry))
            except (OSError, IndexError):
                continue
    found, todo = [], [root]
    while todo:
        todo = [child for parent in todo for child in children.get(parent, [])]
        found += todo
    return found


def name_and_parent(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        before, after = file.read().rsplit(")", 1)
    return before.split("(", 1)[1], int(after.split()[1])


def stop(process, server_names):
    """Ends a server that runs under a tool: asks its first process, and the tool goes with it."""
    for _ in range(2):
        for pid in [process.pid] + descendants(process.pid):
            try:
                name, parent = name_and_parent(pid)
                if name in server_names and name_and_parent(parent)[0] not in server_names:
                    os.kill(pid, signal.SIGTERM)
            except OSError:
                continue
        try:
            process.wait(15)
            return
        except subprocess.TimeoutExpired:
            continue
    for pid in descendants(process.pid) + [process.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    process.wait()


class Bench:
    def __init__(self, build, work, rounds):
        self.build, self.work, self.rounds = build, work, rounds
        self.cordon = os.path.join(build, "bin/cordon")
        self.loop = os.path.join(build, "bench/call_loop")
        self.ways = self.find_ways()
        self.quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, "cwd": work}

    def find_ways(self):
        ways = {"native": []}
        for tier in ("exact", "filtered", "fast"):
            ways[f"cordon {tier}"] = [self.cordon, "profile", "--quiet", "--tier", tier, "-o", os.path.join(self.work, "out.json"), "--"]
        trace = os.path.join(self.work, "out.trace")
        if shutil.which("strace"):
            ways["strace -f"] = ["strace", "-f", "-qq", "-o", trace]
            ways["strace -f -c"] = ["strace", "-f", "-c", "-qq", "-o", trace]
        if shutil.which("perf") and subprocess.run(["perf", "trace", "-s", "-o", trace, "--", "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            ways["perf trace -s"] = ["perf", "trace", "-s", "-o", trace, "--"]
        one_liner = "tracepoint:raw_syscalls:sys_enter /pid != 0/ { @[comm, args->id] = count(); }"
        if shutil.which("bpftrace") and subprocess.run(["bpftrace", "-o", trace, "-e", one_liner, "-c", "/bin/true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            ways["bpftrace"] = ["bpftrace", "-o", trace, "-e", one_liner, "-c"]
        return ways

    def wrapped(self, way, command):
        prefix = self.ways[way]
        if way == "bpftrace":  # takes one word, split at blanks, whose first is a program, no script
            script = os.path.join(self.work, "command.sh")
            with open(script, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\nexec " + " ".join("'" + word.replace("'", "'\\''") + "'" for word in command) + "\n")
            os.chmod(script, 0o755)
            return prefix + ["/bin/sh " + script]
        return prefix + command

    # Each measurement returns a number; of `unit` "/s" more is better, of all others less.

    def per_call(self, call, threads, count):
        def measure(way):
            number = count if way in ("native", "cordon fast", "bpftrace") else count // 20
            result = subprocess.run(self.wrapped(way, [self.loop, call, str(threads), str(number)]), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=self.work, check=True)
            return float(re.search(r"^[0-9.]+$", result.stdout, re.MULTILINE).group(0))

        return measure

    def command(self, *words):
        def measure(way):
            start = time.monotonic()
            status = subprocess.run(self.wrapped(way, list(words)), check=False, **self.quiet).returncode
            if status != 0:
                raise RuntimeError(f"status {status}")
            return (time.monotonic() - start) * 1000

        return measure

    def server(self, names, command, port, load):
        def measure(way):
            process = subprocess.Popen(self.wrapped(way, command), **self.quiet)
            try:
                wait_for_port(port, process)
                load(1)  # what is done once is over
                return load(3)
            finally:
                stop(process, names)

        return measure

    def wrk(self, port, path="/"):
        def load(seconds):
            text = output("wrk", "-t1", "-c16", f"-d{seconds}s", f"http://127.0.0.1:{port}{path}")
            return float(re.search(r"Requests/sec:\s*([0-9.]+)", text).group(1))

        return load

    def redis(self):
        port = free_port()

        def load(seconds):
            text = output("redis-benchmark", "-p", str(port), "-t", "get", "-n", str(30000 * seconds), "-c", "16", "-q", "--csv")
            return float(re.search(r'"GET","([0-9.]+)"', text).group(1))

        return self.server({"redis-server"}, ["redis-server", "--port", str(port), "--save", "", "--dir", self.work], port, load)

    def nginx(self):
        port, root = free_port(), os.path.join(self.work, "nginx")
        os.makedirs(os.path.join(root, "html"), exist_ok=True)
        os.chmod(self.work, 0o755)
        with open(os.path.join(root, "html/index.html"), "w", encoding="utf-8") as file:
            file.write("hello\n" * 100)
        config = os.path.join(root, "nginx.conf")
        user = "user root;" if os.geteuid() == 0 else ""
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                f"{user} daemon off; worker_processes 1; pid {root}/pid; error_log {root}/error.log; events {{ }}\n"
                f"http {{ access_log {root}/access.log; client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fcgi;\n"
                f"uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi; keepalive_requests 1000000000;\n"
                f"server {{ listen 127.0.0.1:{port}; root {root}/html; }} }}\n"
            )
        return self.server({"nginx"}, [shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-c", config, "-p", root], port, self.wrk(port))

    def go_server(self, go):
        port, source = free_port(), os.path.join(self.work, "hello.go")
        program = os.path.join(self.work, "go-hello")
        with open(source, "w", encoding="utf-8") as file:
            file.write(GO_SERVER)
        environment = dict(os.environ, GOCACHE=os.path.join(self.work, "gocache"), CGO_ENABLED="0", HOME=self.work)
        subprocess.run([go, "build", "-o", program, source], env=environment, check=True, **self.quiet)
        return self.server({"go-hello"}, [program, str(port)], port, self.wrk(port))

    def postgres(self):
        programs = "/usr/lib/postgresql/15/bin"
        port, data = free_port(), os.path.join(self.work, "pgdata")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        os.makedirs(data, exist_ok=True)
        if as_user:
            shutil.chown(data, "postgres", "postgres")
            os.chmod(self.work, 0o755)
        subprocess.run(as_user + [f"{programs}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"], check=True, **self.quiet)
        connect = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "postgres"]
        filled = []

        def load(seconds):
            # It takes connections before it lets anybody in, while it recovers.
            for _ in range(600):
                if subprocess.run([f"{programs}/pg_isready"] + connect[:-1], check=False, **self.quiet).returncode == 0:
                    break
                time.sleep(0.1)
            if not filled:
                subprocess.run(["pgbench", "-q", "-i", "-s", "2"] + connect, check=True, **self.quiet)
                filled.append(True)
            text = output("pgbench", "-S", "-c", "4", "-T", str(seconds), *connect)
            return float(re.search(r"tps = ([0-9.]+) \(without", text).group(1))

        server = [f"{programs}/postgres", "-D", data, "-c", f"port={port}", "-c", f"unix_socket_directories={data}", "-c", "fsync=off"]
        return self.server({"postgres"}, as_user + server, port, load)

    def workloads(self, wanted):
        found = {}
        for call, count in (("getppid", 400000), ("read", 400000), ("open", 100000)):
            for threads in (1, 2):
                found[f"{call}, {threads} thread{'s' if threads > 1 else ''}"] = ("ns", self.per_call(call, threads, count))
        if wanted("git status") and shutil.which("git"):
            repository = os.path.join(self.work, "repository")
            os.makedirs(repository)
            for i in range(200):
                with open(os.path.join(repository, f"file{i}"), "w", encoding="utf-8") as file:
                    file.write(str(i))
            for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "a"]):
                subprocess.run(["git", "-C", repository] + words, check=True, **self.quiet)
            found["git status"] = ("ms", self.command("git", "-C", repository, "status"))
        found["find /usr/share"] = ("ms", self.command("find", "/usr/share", "-name", "no such name", "-size", "+1"))
        if wanted("gcc -c") and shutil.which("gcc"):
            source = os.path.join(self.work, "hello.c")
            with open(source, "w", encoding="utf-8") as file:
                file.write("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint main(void) { return puts(\"hello\"); }\n")
            found["gcc -c"] = ("ms", self.command("gcc", "-O2", "-c", source, "-o", os.path.join(self.work, "hello.o")))
        found["python imports"] = ("ms", self.command("/usr/bin/python3", "-c", "import json, http.client, email, subprocess, logging, argparse, sqlite3, unittest"))
        found["50 processes"] = ("ms", self.command("sh", "-c", "i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done"))
        if wanted("redis GET") and shutil.which("redis-server") and shutil.which("redis-benchmark"):
            found["redis GET"] = ("/s", self.redis())
        if wanted("nginx, a file each") and shutil.which("wrk") and shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"):
            found["nginx, a file each"] = ("/s", self.nginx())
        if wanted("pgbench -S") and os.path.exists("/usr/lib/postgresql/15/bin/postgres") and shutil.which("pgbench"):
            found["pgbench -S"] = ("/s", self.postgres())
        go = shutil.which("go", path=os.environ["PATH"] + ":/usr/lib/go-1.19/bin")
        if wanted("Go HTTP server") and go and shutil.which("wrk"):
            found["Go HTTP server"] = ("/s", self.go_server(go))
        return found


def machine():
    cpu = re.search(r"model name\s*:\s*(.*)", open("/proc/cpuinfo", encoding="utf-8").read())
    return {
        "kernel": platform.release(),
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cpus": os.cpu_count(),
        "libc": " ".join(platform.libc_ver()),
        "euid": os.geteuid(),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "strace": first_line(output("strace", "-V")),
        "perf": first_line(output("perf", "--version")),
        "bpftrace": first_line(output("bpftrace", "--version")),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="a regular expression of workloads")
    parser.add_argument("--ways", default="", help="a regular expression of tools; native is always measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cordon-tracing.") as work:
        bench = Bench(os.path.abspath(options.build), work, options.rounds)
        ways = [way for way in bench.ways if way == "native" or re.search(options.ways, way)]
        workloads = {name: workload for name, workload in bench.workloads(lambda name: re.search(options.only, name)).items() if re.search(options.only, name)}
        samples = {name: {way: [] for way in ways} for name in workloads}
        failures = {}
        for round_number in range(options.rounds):
            for name, (_, measure) in workloads.items():
                for way in ways:
                    if (name, way) in failures:
                        continue
                    try:
                        samples[name][way].append(measure(way))
                    except (RuntimeError, AttributeError, subprocess.CalledProcessError) as error:
                        failures[name, way] = str(error)
                        print(f"{name} under {way} failed: {error}", file=sys.stderr)
            print(f"round {round_number + 1} of {options.rounds} is over", file=sys.stderr)
        facts = machine()
        rows = []
        for name, (unit, _) in workloads.items():
            row = {"workload": name, "unit": unit, "results": {}}
            if samples[name]["native"]:
                native = statistics.median(samples[name]["native"])
                for way in ways:
                    if samples[name][way]:
                        median = statistics.median(samples[name][way])
                        row["results"][way] = {"median": median, "to_native": median / native, "samples": samples[name][way]}
            rows.append(row)
        text = [", ".join(f"{key} {value}" for key, value in facts.items() if value != ""), ""]
        text.append(f"Medians of {options.rounds} rounds, in brackets the ratio to native: of times (ns, ms) less is better, of rates (/s) more.")
        text += ["", "| workload | " + " | ".join(ways) + " |", "| --- |" + " --- |" * len(ways)]
        for row in rows:
            cells = []
            for way in ways:
                result = row["results"].get(way)
                shown = "failed" if (row["workload"], way) in failures else "-"
                if result:
                    ratio = f"{result['to_native'] * 100:.0f} %" if row["unit"] == "/s" else f"{result['to_native']:.2f}x"
                    shown = f"{result['median']:.0f} {row['unit']} ({ratio})"
                cells.append(shown)
            text.append(f"| {row['workload']} | " + " | ".join(cells) + " |")
        print("\n".join(text))
        os.makedirs(options.out, exist_ok=True)
        with open(os.path.join(options.out, "tracing.md"), "w", encoding="utf-8") as file:
            file.write("\n".join(text) + "\n")
        with open(os.path.join(options.out, "tracing.json"), "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "rounds": options.rounds, "rows": rows, "failures": {" under ".join(key): why for key, why in failures.items()}}, file, indent=1)
        return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
