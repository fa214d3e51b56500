#!/bin/bash
# server_test.sh BUILD_DIR nginx|redis: the whole loop. Learns the server under load, generates its bundle, serves under load held to it, and
# refuses what a module that somebody slipped in tries: a raw socket, a shell, a file. The control: without the policy the same server
# does all of it.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/testing/servers.sh
source "$here/../testing/servers.sh"
name=$2
need_root
need_programs /usr/sbin/nginx redis-server redis-cli redis-benchmark wrk

port=$(free_port)
folder=$work/$name
"${name}_files" "$folder" "$port"
"${name}_command" "$folder"

# serves LOG COMMAND…: starts it, waits, loads it.
serves() {
  local log=$1
  shift
  start_server "$log" "$@"
  local limit=$((SECONDS + 30))
  until "${name}_works" "$port"; do
    die_if_ended "$name" "$log"
    ((SECONDS < limit)) || die "$name does not answer: $(tail -20 "$log")"
    sleep 0.1
  done
  "${name}_load" "$port" || die "$name does not serve under load: $(tail -20 "$log")"
}

serves "$work/learn.log" "${cordon:?}" profile -o "$work/$name.recording.json" -- "${command[@]}"
"${name}_stop" "$folder" "$port"
wait_for "the end of cordon profile" 30 gone "$server"
[[ -s $work/$name.recording.json ]] || die "no recording was written: $(cat "$work/learn.log")"
ok "$name was learned while it served"

"$cordon" generate "$work/$name.recording.json" --name "learned_$name" --runtime cordon -o "$work/$name.policy" || die "generate failed"
ok "the bundle was generated and passed its own proof"

rm -f "$folder"/{logs,data}/*.pid
serves "$work/run.log" "$cordon" run --policy "$work/$name.policy" -- "${command[@]}"
ok "$name serves under load, held to its policy"
expect_missing "and nothing was refused that was not refused before" "SOCK_RAW" "$(cat "$work/run.log")"
[[ $name == nginx ]] || "${name}_intrude" "$folder" "$port"
stop_pid "$server"
if [[ $name == nginx ]]; then
  nginx_intrude "$folder" "$port"
  rm -f "$folder"/logs/*.pid
  serves "$work/intruded.log" "$cordon" run --policy "$work/$name.policy" -- "${command[@]}"
  stop_pid "$server"
  said=$(cat "$work/intruded.log")
else
  said=$(cat "$work/run.log")
fi

# refused ATTEMPT: the intruder's attempt was made and failed.
refused() {
  local got
  got=$(sed -n "s/^intruder: $1 //p" <<<"$said" | sort -u)
  [[ -n $got ]] || die "the intruder did not try '$1': $said"
  [[ $got == EPERM || $got == EACCES || $got == ENOENT ]] || die "the intruder's $1 was not refused: $got"
  ok "the intruder's $1 is refused: $got"
}
refused raw_socket
refused shell
refused read
expect_contains "the raw socket was reported as it happened" "SOCK_RAW" "$said"

# The control: the same server, module and attempts without a policy.
rm -f "$folder"/{logs,data}/*.pid
serves "$work/free.log" "${command[@]}"
[[ $name == nginx ]] || "${name}_intrude" "$folder" "$port"
stop_pid "$server"
for attempt in raw_socket shell read; do
  expect_contains "control: $attempt works without the policy" "intruder: $attempt ok" "$(cat "$work/free.log")"
done
echo "ok: $checks checks"
