#!/bin/bash
# enforced_server_test.sh BUILD_DIR nginx|redis|postgres|python [ROUNDS]: a server that is held to what was learned of it goes on: under load, and
# while the files that it reads are replaced by rename(2) from outside and its log is rotated; in one phase, and in two, where what only its
# start needed is gone for good, its children that were made before included. Nothing is refused to it in either.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/testing/servers.sh
source "$here/../testing/servers.sh"
# shellcheck source=tests/testing/more_servers.sh
source "$here/../testing/more_servers.sh"
server_name=$2 rounds=${3:-1}
cordon=${cordon:?}
need_root
case $server_name in
  nginx) need_programs /usr/sbin/nginx wrk ;;
  redis) need_programs redis-server redis-cli redis-benchmark ;;
  postgres) [[ -n $postgres_bin ]] || skip "postgres is not installed" ;;
  python) need_programs wrk ;;
esac
declare -n as=${server_name}_as serves=${server_name}_serves end=${server_name}_end

port=$(free_port)
folder=$work/$server_name
chmod 777 "$work"
"${server_name}_files" "$folder" "$port"
"${server_name}_command" "$folder"
sandbox=

# tell SIGNAL: to the server's own first process.
tell() {
  if [[ -n $sandbox ]]; then
    "${as[@]}" "$cordon" kill "$sandbox" -s "$1"
  else
    kill -"$1" "$(pgrep -P "$server" | head -1)"
  fi
}

# started LOG COMMAND…: starts the server and waits until it answers; then says that it serves, where that is cordon's to know.
started() {
  local log=$1 limit=$((SECONDS + 60))
  shift
  start_server "$log" "${as[@]}" "$@"
  until "${server_name}_works" "$port"; do
    die_if_ended "$server_name" "$log"
    ((SECONDS < limit)) || die "$server_name does not answer: $(tail -20 "$log")"
    sleep 0.1
  done
  if [[ $* == *--serving-when\ signal:USR1* ]]; then
    sleep 0.5 # until all that belongs to the start is made
    kill -USR1 "$server"
    [[ $* != *" run "* ]] || wait_for "the boundary" 30 grep -q "it serves" "$log"
  fi
}

ended() {
  tell "$end"
  wait_for "the end of $server_name" 60 gone "$server"
  sandbox=
}

works_hard() {
  "${server_name}_load" "$port" || die "$server_name does not serve under load: $(tail -20 "$1")"
}

# --- learned: a first start, and one that finds what the first has left ---
for file in first again; do
  rm -f "$folder"/logs/*.pid
  started "$work/learn.log" "$cordon" profile --quiet -o "$work/$file.json" --serving-when "$serves" -- "${command[@]}"
  works_hard "$work/learn.log"
  "${server_name}_renew" "$folder" "$port"
  works_hard "$work/learn.log"
  ended
done
"$cordon" generate "$work"/{first,again}.json --name "enforced_$server_name" --runtime cordon -o "$work/policy" 2>"$work/generate.log" ||
  die "generate failed: $(cat "$work/generate.log")"
chmod -R a+rX "$work/policy"
ok "$server_name was learned: $(grep "once it serves" "$work/generate.log")"

# held NAME OPTIONS…: runs it, loads it, renews its files, and loads it again.
held() {
  local what=$1 i
  shift
  sandbox=$server_name-$$
  rm -f "$folder"/logs/*.pid
  started "$work/run.log" "$cordon" run --name "$sandbox" --policy "$work/policy" "$@" -- "${command[@]}"
  for ((i = 0; i < rounds; i++)); do
    works_hard "$work/run.log"
    "${server_name}_renew" "$folder" "$port"
  done
  works_hard "$work/run.log"
  ok "$what: $server_name serves under load, and goes on when its files are replaced"
  [[ $what != "two phases" ]] ||
    expect_equal "$what: and all that is behind the boundary" serve "$("${as[@]}" "$cordon" inspect "$sandbox" --field phase)"
  ended
  expect_missing "$what: nothing was refused" "cordon: refused" "$(cat "$work/run.log")"
}
held "one phase"
held "two phases" --serving-when "$serves"

echo "ok: $checks checks"
