# shellcheck shell=bash disable=SC2034  # what is set here is for those who source this
# The workloads of these examples: Debian's packages as Debian starts them, at Debian's paths and ports. For each WORKLOAD:
#   WORKLOAD_programs  what has to be installed
#   WORKLOAD_user      whom it runs as: root where it needs that for its start, else nobody, whose number is the same everywhere
#   WORKLOAD_folders   the folders that are its own
#   WORKLOAD_command   what starts it in the foreground
#   WORKLOAD_prepare   makes what is there before its first start, where files/ is not enough
#   WORKLOAD_works     whether it answers
#   WORKLOAD_do        everything that its policy shall allow; uses tell SIGNAL, the caller's, which signals its first process
#   WORKLOAD_ends      the signals that end it, one for each of its runs
# enter, place and workload_names are below. A new workload is a new block here, a folder, and a run of learn.sh.

examples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# --- nginx ---
nginx_programs=(/usr/sbin/nginx)
nginx_user=root
nginx_folders=(/etc/nginx /var/www /var/log/nginx /var/lib/nginx /run/nginx)
nginx_command=(/usr/sbin/nginx -g 'daemon off;')
nginx_prepare() { head -c 200000 /dev/zero | tr '\0' x >/var/www/html/large.txt; }
nginx_works() { [[ $(get 80 /) == *"served by nginx"* ]]; }
nginx_do() {
  gets 80 / /large.txt /missing
  post 80 / >/dev/null || true
  tell HUP # reads its configuration anew
  sleep 1
  mv /var/log/nginx/access.log /var/log/nginx/access.log.1
  tell USR1 # opens its logs anew, as logrotate has it do
  until [[ -e /var/log/nginx/access.log ]]; do sleep 0.1; done
  gets 80 /
}
nginx_ends=(TERM QUIT)

# --- redis ---
redis_programs=(/usr/bin/redis-server /usr/bin/redis-cli)
redis_user=nobody
redis_folders=(/etc/redis /var/lib/redis /var/log/redis /run/redis)
redis_command=(/usr/bin/redis-server /etc/redis/redis.conf)
redis_prepare() { :; }
redis_works() { [[ $(redis-cli SET key value 2>/dev/null) == OK ]]; }
redis_do() {
  local i command
  for command in PING "GET key" "INCR count" "LPUSH list a" "HSET hash a b" "EXPIRE key 100" INFO "EVAL return(1) 0"; do
    # shellcheck disable=SC2086  # words
    redis-cli $command >/dev/null
  done
  redis-cli -s /run/redis/redis.sock PING >/dev/null
  for i in 1 2 3 4; do redis-cli -r 200 SET "key$i" "$i" >/dev/null & done
  wait_for_all
  for command in SAVE BGREWRITEAOF BGSAVE; do
    redis-cli "$command" >/dev/null
    until [[ $(redis-cli INFO persistence) == *rdb_bgsave_in_progress:0*aof_rewrite_in_progress:0* ]]; do sleep 0.1; done
  done
}
redis_ends=(TERM INT)

# --- postgresql ---
postgresql_bin=/usr/lib/postgresql/15/bin
postgresql_programs=("$postgresql_bin/postgres" /usr/bin/psql)
postgresql_user=nobody
postgresql_folders=(/etc/postgresql /var/lib/postgresql /var/log/postgresql /run/postgresql)
postgresql_command=("$postgresql_bin/postgres" -D /var/lib/postgresql/15/main
  -c config_file=/etc/postgresql/15/main/postgresql.conf)
postgresql_prepare() {
  chown nobody /var/lib/postgresql
  "${as_nobody[@]}" "$postgresql_bin/initdb" -D /var/lib/postgresql/15/main -U postgres -A trust --no-sync >/dev/null
}
sql() { psql -h 127.0.0.1 -U postgres -qAtc "$1" postgres; }
postgresql_works() { [[ $(sql 'select 6 * 7' 2>/dev/null) == 42 ]]; }
postgresql_do() {
  local i
  sql 'drop table if exists t' 2>/dev/null
  sql "create table t (a int primary key, b text); insert into t select n, repeat(n::text, 50) from generate_series(1, 5000) n"
  sql 'create index on t (b); analyze t; checkpoint'
  sql 'vacuum full t'
  sql 'reindex table t; select pg_switch_wal(); select pg_reload_conf()' >/dev/null
  sql 'create database other' && sql 'drop database other'
  for i in 1 2 3 4; do sql "update t set b = b || '$i' where a % 4 = $i" & done
  wait_for_all
  psql -h 127.0.0.1 -U postgres -qAtc "copy (select * from t) to stdout" postgres | wc -l >/dev/null
  sql 'select pg_rotate_logfile()' >/dev/null
  # More than work_mem: sorts in files.
  sql 'select count(*) from (select a.a, b.b from t a, generate_series(1, 40) c, t b where a.a = b.a order by b.b, c) s' >/dev/null
}
postgresql_ends=(INT TERM)

# --- python3 ---
python3_programs=(/usr/bin/python3)
python3_user=nobody
python3_folders=(/srv)
python3_command=(/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /srv/www 8000)
python3_prepare() {
  mkdir -p /srv/www/folder
  head -c 200000 /dev/zero | tr '\0' x >/srv/www/folder/large.txt
}
python3_works() { [[ $(get 8000 /) == *"served by python"* ]]; }
python3_do() {
  gets 8000 / /folder/ /folder /folder/large.txt /missing
  post 8000 / >/dev/null || true
}
# As first process of a container it does not heed TERM.
python3_ends=(INT KILL)

# --- node ---
node_programs=(/usr/bin/node)
node_user=nobody
node_folders=(/srv)
node_command=(/usr/bin/node /srv/node/server.js)
node_prepare() { head -c 200000 /dev/zero | tr '\0' x >/srv/node/public/large.txt; }
node_works() { [[ $(get 3000 /) == *"served by node"* ]]; }
node_do() {
  gets 3000 / /large.txt /missing
  post 3000 / >/dev/null || true
}
node_ends=(TERM KILL)

# --- memcached ---
memcached_programs=(/usr/bin/memcached)
memcached_user=nobody
memcached_folders=()
memcached_command=(/usr/bin/memcached -l 127.0.0.1 -p 11211 -m 64)
memcached_prepare() { :; }
# memcached_say LINE…: what it answers, up to the end of the connection.
memcached_say() {
  (
    exec 3<>/dev/tcp/127.0.0.1/11211 || exit 1
    printf '%s\r\n' "$@" quit >&3
    timeout 10 cat <&3
  ) 2>/dev/null
}
memcached_works() { [[ $(memcached_say "set key 0 0 5" value "get key") == *STORED*value* ]]; }
memcached_do() {
  local i
  for i in {1..20}; do
    memcached_say "set key$i 0 60 5" value "get key$i" "incr key 1" "append key$i 0 0 1" x "delete key$i" stats "stats items" version >/dev/null &
  done
  wait_for_all
  # More than it may keep, so that it evicts.
  i=$(head -c 500000 /dev/zero | tr '\0' x)
  for _ in {1..20}; do memcached_say "set large$RANDOM 0 0 500000" "$i" >/dev/null; done
  memcached_say flush_all >/dev/null
}
memcached_ends=(TERM INT)

# --- haproxy ---
haproxy_programs=(/usr/sbin/haproxy)
haproxy_user=root
haproxy_folders=(/etc/haproxy /var/lib/haproxy /run/haproxy)
haproxy_command=(/usr/sbin/haproxy -W -db -f /etc/haproxy/haproxy.cfg)
haproxy_prepare() { :; }
haproxy_works() { [[ $(get 80 /) == *"served by haproxy"* ]]; }
haproxy_do() {
  gets 80 / /other
  post 80 / >/dev/null
  tell USR2 # reads its configuration anew, in new workers
  sleep 2
  gets 80 /
}
haproxy_ends=(TERM USR1)

as_nobody=(env --chdir=/ setpriv --reuid=nobody --regid=nogroup --clear-groups)

workload_names() { declare -F | sed -n 's/^declare -f \([a-z0-9]*\)_prepare$/\1/p'; }

# --- what they have in common ---

# get PORT PATH: the answer to a GET; nothing where nobody answers.
get() { request "$1" "GET $2 HTTP/1.0"; }
post() { request "$1" "POST $2 HTTP/1.0"; }
request() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf '%s\r\nHost: localhost\r\nAccept-Encoding: gzip, identity\r\n\r\n' "$2" >&3
    timeout 10 cat <&3
  ) 2>/dev/null | tr -d '\0'
}

# gets PORT PATH…: each of them many times, eight at once.
gets() {
  local port=$1 path i
  shift
  for path in "$@"; do
    for i in {1..16}; do
      get "$port" "$path" >/dev/null &
      ((i % 8 != 0)) || wait_for_all
    done
  done
}

# wait_for_all: for the requests that were made in the background; the caller has disowned the workload.
wait_for_all() {
  local job
  for job in $(jobs -p); do wait "$job" || true; done
}

# enter SCRIPT ARGUMENT…: runs SCRIPT again in a mount and a network namespace of its own, and what $more_namespaces names, so that Debian's paths
# and ports can be used without touching the host's; there it returns.
more_namespaces=()
enter() {
  if [[ -z ${CORDON_EXAMPLE_INSIDE:-} ]]; then
    CORDON_EXAMPLE_INSIDE=1 exec unshare --mount --net "${more_namespaces[@]}" --propagation private bash "$@"
  fi
  ip link set lo up
  # What only this host has does not belong to the package.
  local path
  for path in /run /usr/local/lib /usr/local/share; do
    [[ ! -d $path ]] || mount -t tmpfs -o mode=755 tmpfs "$path"
  done
}

# place WORKLOAD: its folders, empty, with what files/ and WORKLOAD_prepare put there. In the namespaces of enter.
place() {
  local name=$1 path
  declare -n folders=${name}_folders user=${name}_user
  for path in "${folders[@]}"; do
    if [[ $path == /run/* ]]; then
      mkdir -p "$path"
    else
      mount -t tmpfs -o mode=755 tmpfs "$path"
    fi
    [[ ! -d $examples/$name/files$path ]] || cp -r "$examples/$name/files$path/." "$path"
  done
  "${name}_prepare"
  ((${#folders[@]} == 0)) || chown -R "$user:" "${folders[@]}"
}
