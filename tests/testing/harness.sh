# shellcheck shell=bash
# For test scripts: source it with BUILD_DIR as $1. Makes $work (a folder that is removed at the end), $cordon and $victims, and stops
# at the end whatever was started by start_server, however the script ends.
set -euo pipefail

build=$(cd "${1:?usage: SCRIPT BUILD_DIR}" && pwd)
# shellcheck disable=SC2034  # for the scripts
cordon=$build/bin/cordon victims=$build/victims
# Not below /tmp, which a sandbox has for itself.
work=$(mktemp -d /var/tmp/cordon-e2e.XXXXXX)
chmod 755 "$work"
checks=0
cleanups=()

# at_end COMMAND…: run at the end, last registered first.
at_end() { cleanups+=("$(printf '%q ' "$@")"); }

finish() {
  local status=$? i
  trap - EXIT
  set +e
  if ((status != 0 && status != 77)); then
    echo "FAILED after $checks checks (exit status $status)"
  fi
  for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do
    eval "${cleanups[i]}"
  done
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 143' TERM INT

skip() {
  echo "SKIPPED: $*"
  exit 77
}

die() {
  echo "not ok: $*"
  exit 1
}

ok() {
  checks=$((checks + 1))
  echo "ok $checks: $*"
}

# expect_equal WHAT WANTED GOT
expect_equal() {
  [[ $2 == "$3" ]] || die "$1: wanted '$2', got '$3'"
  ok "$1"
}

# expect_contains WHAT PART TEXT
expect_contains() {
  [[ $3 == *"$2"* ]] || die "$1: '$2' is not in: $3"
  ok "$1"
}

# expect_missing WHAT PART TEXT
expect_missing() {
  [[ $3 != *"$2"* ]] || die "$1: '$2' should not be in: $3"
  ok "$1"
}

need_programs() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || skip "$program is not installed"
  done
}

need_root() { ((EUID == 0)) || skip "this needs root"; }

# free_port: a TCP port that nobody has. Looked up, not tried: a connection would be the only one that another test's server takes.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    grep -qi "^ *[0-9]*: [0-9a-f]*:$(printf %04x $port) " /proc/net/tcp /proc/net/tcp6 2>/dev/null || break
  done
  echo "$port"
}

# wait_for WHAT SECONDS COMMAND…: until COMMAND succeeds.
wait_for() {
  local what=$1 limit=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < limit)) || die "$what did not come about"
    sleep 0.1
  done
}

answers() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# fetch PORT PATH: status line, headers and body of a GET.
fetch() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    timeout 10 cat <&3 2>/dev/null
  )
}

alive() { kill -0 "$1" 2>/dev/null; }
gone() { ! alive "$1"; }

# die_if_ended WHAT LOG…: when $server has ended, with its exit status and what it said.
die_if_ended() {
  local what=$1 status=0
  shift
  alive "$server" && return 0
  wait "$server" || status=$?
  die "$what ended with exit status $status: $(tail -n 20 "$@" 2>&1)"
}

# stop_pid PID [SIGNAL]: asks, waits 10 s, then insists.
stop_pid() {
  local pid=$1 limit=$((SECONDS + 10))
  kill -"${2:-TERM}" "$pid" 2>/dev/null || return 0
  while alive "$pid" && ((SECONDS < limit)); do
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# start_server LOG COMMAND…: in the background, output to LOG; its pid in $server. Stopped at the end.
start_server() {
  local log=$1
  shift
  : >"$log" # there when the caller looks, however late the server begins
  "$@" >"$log" 2>&1 &
  server=$!
  at_end stop_pid "$server"
}
