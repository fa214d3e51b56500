#!/bin/bash
# compare_with_strace_test.sh BUILD_DIR: the comparison finds what a recording lacks and what it makes up, and accepts the rest by the rule that
# holds, on an strace of a few lines.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../../testing/harness.sh"
need_programs /usr/bin/python3
cd "$work" || die "no folder"

# Reads once in vain before a success and once after it; opens a file, a folder by O_PATH, and misses one.
cat >trace <<'TRACE'
10 [  59] execve("/bin/sh", ["sh"], 0x7ffd /* 3 vars */) = 0
10 [   0] read(0x3, 0x7ffe, 0x10) = -1 EAGAIN (Resource temporarily unavailable)
10 [   0] read(0x3, 0x7ffe, 0x10 <unfinished ...>
11 [  39] getpid() = 0xb
10 [   0] <... read resumed>) = 0x10
10 [   0] read(0x3, 0x7ffe, 0x10) = -1 EIO (Input/output error)
10 [  16] ioctl(0x1, 0x5401, 0x7ffe) = 0
10 [  16] ioctl(0x1, 0x5402, 0x7ffe) = -1 ENOTTY (Inappropriate ioctl for device)
10 [ 257] openat(AT_FDCWD</tmp>, "a", O_RDONLY) = 3</tmp/a>
10 [ 257] openat(AT_FDCWD</tmp>, "/proc/11/stat", O_RDONLY) = 3</proc/11/stat>
10 [ 257] openat(AT_FDCWD</tmp>, "sub", O_RDONLY|O_PATH|O_DIRECTORY) = 4</tmp/sub>
10 [ 257] openat(AT_FDCWD</tmp>, "none", O_RDONLY) = -1 ENOENT (No such file or directory)
10 [ 231] exit_group(0) = ?
10 [ 231] +++ exited with 0 +++
TRACE
mapfile -t executed < <(/usr/bin/python3 -B -c "
import sys; sys.argv = ['x']; sys.path.insert(0, '$here')
import compare_with_strace
print('\n'.join(sorted(compare_with_strace.executed_files('/bin/sh'))))")
((${#executed[@]} >= 2)) || die "/bin/sh and its loader were not found: ${executed[*]}"

# recording READ_RESULTS IOCTL_RESULTS PATH…: what cordon would have written.
recording() {
  local read=$1 ioctl=$2 path
  shift 2
  printf '{"syscalls":['
  printf '{"arch":"x86_64","nr":59,"name":"execve","results":{"ok":1},"arguments":[]},'
  printf '{"arch":"x86_64","nr":0,"name":"read","results":{%s},"arguments":[]},' "$read"
  printf '{"arch":"x86_64","nr":39,"name":"getpid","results":{"ok":1},"arguments":[]},'
  printf '{"arch":"x86_64","nr":16,"name":"ioctl","results":{%s},"arguments":[{"values":{"1":21505}}]},' "$ioctl"
  printf '{"arch":"x86_64","nr":257,"name":"openat","results":{"ok":2,"ENOENT":1},"arguments":[]},'
  printf '{"arch":"x86_64","nr":231,"name":"exit_group","results":{},"arguments":[]}],"files":['
  for path in "$@"; do
    printf '{"path":"%s","access":["open","read"]},' "$path"
  done
  printf '{"path":"/tmp/none","access":[],"failures":{"ENOENT":1,"EACCES":1}},'
  printf '{"path":"/tmp/sub","access":["getattr"]}]}\n'
}

# compared WANTED_STATUS PART: of the file "made".
compared() {
  local status=0 said
  said=$(/usr/bin/python3 "$here/compare_with_strace.py" --strace trace --recording made) || status=$?
  expect_equal "exit status: $2" "$1" "$status"
  expect_contains "what it says" "$2" "$said"
}

files=("${executed[@]}" /tmp/a /proc/self/stat)
recording '"ok":1,"EAGAIN":1' '"ok":1,"ENOTTY":1' "${files[@]}" >made
compared 0 "read EIO [after-success]"
compared 0 "/tmp/sub [path-only]"
recording '"ok":1,"EAGAIN":1,"EIO":1' '"ok":1,"ENOTTY":1' "${files[@]}" >made
compared 0 "recording lacks: /tmp/sub"
# What came before the success is missing.
recording '"ok":1' '"ok":1,"ENOTTY":1' "${files[@]}" >made
compared 3 "NOT EXPLAINED result: recording lacks: x86_64 read EAGAIN"
# Another request of ioctl succeeded, not this one.
recording '"ok":1,"EAGAIN":1' '"ok":1' "${files[@]}" >made
compared 3 "NOT EXPLAINED result: recording lacks: x86_64 ioctl ENOTTY"
# Made up.
recording '"ok":1,"EAGAIN":1,"EBADF":1' '"ok":1,"ENOTTY":1' "${files[@]}" >made
compared 3 "NOT EXPLAINED result: only in the recording: x86_64 read EBADF"
recording '"ok":1,"EAGAIN":1' '"ok":1,"ENOTTY":1' "${files[@]}" /tmp/b >made
compared 3 "NOT EXPLAINED opened: only in the recording: /tmp/b"
# A failed look-up that is missing; that EACCES, of another call, is there is right.
recording '"ok":1,"EAGAIN":1' '"ok":1,"ENOTTY":1' "${files[@]}" | sed 's/"ENOENT":1,"EACCES"/"EACCES"/' >made
compared 3 "NOT EXPLAINED not opened: recording lacks: /tmp/none ENOENT"
# A path that is missing, and a call.
recording '"ok":1,"EAGAIN":1' '"ok":1,"ENOTTY":1' "${executed[@]}" /proc/self/stat >made
compared 3 "NOT EXPLAINED opened: recording lacks: /tmp/a"
recording '"ok":1,"EAGAIN":1' '"ok":1,"ENOTTY":1' "${files[@]}" | sed 's/{"arch":"x86_64","nr":39[^}]*}[^}]*},//' >made
compared 3 "NOT EXPLAINED call: recording lacks: x86_64 getpid"
