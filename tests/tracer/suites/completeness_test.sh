#!/bin/bash
# completeness_test.sh BUILD_DIR PROGRAM: runs a program under `strace -f` and under `cordon profile` in every tier, in a fresh folder of the
# same name each time, and compares what was seen (compare_with_strace.py has the rules). Where they differ all is run again, up to five
# times, so that what depends on timing shows up in strace, too. KEEP=FOLDER keeps what was seen when the test fails.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../../testing/harness.sh"
# shellcheck source=tests/testing/servers.sh
source "$here/../../testing/servers.sh"
program=$2
need_programs strace /usr/bin/python3
folder=$work/run
export LC_ALL=C HOME=$folder TMPDIR=$folder/tmp GIT_CONFIG_NOSYSTEM=1
unset PYTHONPATH PERL5LIB
PATH=/usr/sbin:/usr/bin:/sbin:/bin
random_name=()
as_user=() # what runs all that is watched as somebody else

# Each case: CASE_prepare makes what it works on in the current folder; CASE_run COMMAND… runs it with COMMAND before it.
git_prepare() {
  git init -q -b main tree
  for i in 1 2 3 4 5; do echo "line $i" >"tree/file$i"; done
}
git_run() {
  export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
  "$@" sh -c 'cd tree && git add . && git -c user.name=a -c user.email=a@b -c gc.auto=0 commit -q -m one && git log --stat >../log && git status >../status && git diff HEAD'
}

gcc_prepare() { printf '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n' >hello.c; }
gcc_run() { "$@" gcc -O1 -o hello hello.c; }

tar_prepare() { mkdir tree && cp -r /usr/share/doc/bash tree/ && ln -s bash tree/link; }
tar_run() { "$@" sh -c 'tar czf tree.tar.gz tree && rm -r tree && tar xzf tree.tar.gz && tar tf tree.tar.gz >list'; }

find_prepare() { mkdir -p a/b/c && touch a/1 a/b/2 a/b/c/3 && chmod 700 a/b; }
find_run() { "$@" find . -type f -name '[12]' -exec wc -c {} + -o -type d -empty -print; }

python_prepare() { printf 'import json, os, subprocess, threading, sqlite3, socket\nprint(json.dumps(os.listdir("/etc"))[:1])\nsubprocess.run(["/bin/true"])\nt = threading.Thread(target=os.getpid); t.start(); t.join()\nsqlite3.connect("db").execute("create table t (a)")\ntry: open("/nonexistent/x")\nexcept OSError: pass\n' >program.py; }
python_run() { "$@" /usr/bin/python3 -I program.py; }

# shellcheck disable=SC2016  # perl expands them
perl_prepare() { printf 'use File::Find; use POSIX; use File::Copy; find(sub {}, "/usr/share/perl5/Debconf"); copy("program.pl", "copy.pl"); if (my $p = fork) { waitpid $p, 0 } else { exec "/bin/true" } mkdir "d"; rmdir "d"; rmdir "e"; print `echo hi`;\n' >program.pl; }
perl_run() { "$@" perl program.pl; }

curl_prepare() {
  nginx_files "$folder" "$port"
  chmod 755 "$work" "$folder"
  nginx_command "$folder"
  start_server "$work/nginx.log" "${command[@]}"
  wait_for "nginx answers" 30 nginx_works "$port"
}
curl_run() {
  local status=0
  "$@" curl -sS -o page "http://127.0.0.1:$port/" "http://127.0.0.1:$port/missing" || status=$?
  stop_pid "$server"
  return $status
}

nginx_prepare() { nginx_files "$folder" "$port"; chmod 755 "$folder"; sed -i 's/worker_processes 2/worker_processes 1/' nginx.conf; }
nginx_run() {
  nginx_command "$folder"
  start_server "$work/nginx.log" "$@" "${command[@]}"
  wait_for "nginx answers" 60 nginx_works "$port"
  fetch "$port" /large.txt >/dev/null
  fetch "$port" /missing >/dev/null
  nginx_stop "$folder"
  wait_for "the end of nginx" 60 gone "$server"
}

redis_prepare() { redis_files "$folder" "$port"; }
redis_run() {
  redis_command "$folder"
  start_server "$work/redis.log" "$@" "${command[@]}"
  wait_for "redis answers" 60 redis_works "$port"
  redis-cli -p "$port" <<<$'set a 1\nget a\nlpush l 1 2 3\nlrange l 0 -1\nexpire a 100\nsave\ninfo' >/dev/null
  redis_stop "$folder" "$port"
  wait_for "the end of redis" 60 gone "$server"
}

postgres_prepare() {
  cat >start.sh <<'SH'
set -e
initdb -D data -A trust -U owner --no-sync --locale=C >initdb.log
cat >>data/postgresql.conf <<CONF
listen_addresses = ''
unix_socket_directories = '$PWD'
autovacuum = off
max_parallel_workers = 0
max_logical_replication_workers = 0
CONF
pg_ctl -D data -l log -w start >pg_ctl.log
psql -h "$PWD" -U owner -d postgres -c 'create table t as select i from generate_series(1, 1000) i' -c 'select sum(i) from t where i > 10' -c checkpoint >psql.log
pg_ctl -D data -w -m fast stop >>pg_ctl.log
SH
}
postgres_run() { PATH=/usr/lib/postgresql/15/bin:$PATH "$@" sh start.sh; }

narrow_prepare() { :; }
narrow_run() { "$@" "$victims/narrow"; }

case $program in
  git | gcc | tar | find | perl | curl | strace) need_programs "$program" ;;
  python) need_programs /usr/bin/python3 ;;
  nginx) need_programs /usr/sbin/nginx ;;
  redis) need_programs redis-server redis-cli ;;
  postgres)
    need_root
    need_programs setpriv /usr/lib/postgresql/15/bin/initdb
    as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    # The build folder may lie below one that only root may enter.
    cp "$cordon" "$work/cordon"
    cordon=$work/cordon
    ;;
  narrow) [[ -x $victims/narrow ]] || skip "there is no 32-bit compiler" ;;
  *) die "there is no case $program" ;;
esac
[[ $program != curl ]] || need_programs /usr/sbin/nginx
case $program in
  gcc) random_name=(--random-name 'cc[A-Za-z0-9]{6}(?=\.)') ;;
  git) random_name=(--random-name '(?<=/tmp_obj_)[A-Za-z0-9]{6}$') ;;
  redis) random_name=(--random-name '(?<=-)[0-9]+(?=\.(rdb|aof)$)') ;;
  postgres) random_name=(--random-name '(?<=/PostgreSQL\.)[0-9]+$|(?<=/pg_internal\.init\.)[0-9]+$|(?<=/xlogtemp\.)[0-9]+$') ;;
esac
port=$(free_port)

# watch LABEL COMMAND…: one run under COMMAND, in a fresh folder.
watch() {
  local label=$1
  shift
  rm -rf "$folder"
  mkdir -p "$folder/tmp"
  chmod 755 "$folder"
  # Not in a subshell: what is started must be known to the harness.
  cd "$folder" || die "no folder"
  "${program}_prepare"
  ((${#as_user[@]} == 0)) || chown -R 65534:65534 "$folder"
  "${program}_run" "${as_user[@]}" timeout -k 5 250 "$@" >"$work/out.$label" 2>"$work/err.$label" ||
    die "$program failed under $label: $(tail -n 3 "$work/err.$label")"
  cd "$work" || die "no folder"
}

traces=() recordings=()
mkdir "$work/seen"
chmod 777 "$work/seen"
for ((attempt = 1; attempt <= 5; attempt++)); do
  watch strace strace -f -n -y -s 4096 -e raw='!open,openat,openat2,creat,execve' -o "$work/seen/$attempt.strace"
  traces+=("$work/seen/$attempt.strace")
  if ((attempt == 1)); then
    for tier in exact filtered fast; do
      watch "$tier" "$cordon" profile --quiet --tier "$tier" -o "$work/seen/$tier.json" --
      recordings+=("$work/seen/$tier.json")
    done
  fi
  status=0
  /usr/bin/python3 "$here/compare_with_strace.py" --strace "${traces[@]}" --recording "${recordings[@]}" \
    "${random_name[@]}" >"$work/differences" || status=$?
  ((status == 3)) || break
done
cat "$work/differences"
if ((status != 0)); then
  [[ -z ${KEEP:-} ]] || cp -r "$work/seen" "$KEEP"
  die "$program: cordon and strace saw different things"
fi
ok "$program: every tier saw what strace saw (${#traces[@]} runs of strace)"
