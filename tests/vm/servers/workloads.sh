# shellcheck shell=bash
# The programs that are learned on a host without SELinux and then run in their domains in the virtual machine: for bash, sourced in both
# places. Of each program NAME there are
#   NAME_prepare           makes its files and folders
#   NAME_command           an array: what is learned, and run in the domain
#   NAME_user              who runs it
#   NAME_load              has it do its work, from outside of its domain
#   NAME_strain            where there is one: after its load, more than it was learned with, of which libc alone notices
#   NAME_stop PID          ends it in its own way
#   NAME_probe             an array: the same program, which the intruder takes over before its main function
#   NAME_may               acts of the intruder that its work needs too; empty where there are none
#   NAME_intruder          "PROGRAM CONFIGURATION OTHER": where the intruder strikes, a file of its own that it only reads, another's data
# shellcheck disable=SC2034  # used by those who source this

workloads=(redis nginx webapp pool chores postgres dropbear)

# until_true SECONDS COMMAND…
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" 2>/dev/null; do
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
}

# http PORT PATH: the body of an answer
http() {
  local line
  exec {http_fd}<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&$http_fd
  while read -r line <&$http_fd && [[ $line != $'\r' ]]; do :; done
  cat <&$http_fd
  exec {http_fd}<&-
}

redis_user=redis
redis_command=(redis-server /etc/redis/redis.conf --daemonize no)
redis_probe=(redis-server /etc/redis/redis.conf)
redis_may=''
redis_intruder='redis-server /etc/redis/redis.conf /var/www/html/index.html'
redis_prepare() {
  # As new: what is there already is not seen being made.
  rm -rf /var/lib/redis /var/log/redis
  install -d -o redis -g redis /var/lib/redis /var/log/redis /run/redis
  chown redis:redis /etc/redis /etc/redis/redis.conf
}
redis_ready() { [[ $(redis-cli ping) == PONG ]]; }
redis_load() {
  until_true 30 redis_ready || return 1
  redis-benchmark -q -n 500 -c 5 -t set,get,lpush,lrange_100 >/dev/null
  redis-cli set kept 1 >/dev/null
  redis-cli save
  redis-cli bgsave
  sleep 2
  redis-cli bgrewriteaof
  sleep 2
}
redis_stop() { redis-cli shutdown save; }

nginx_user=root
nginx_command=(nginx -g 'daemon off;')
nginx_probe=(nginx -t)
nginx_may=''
nginx_intruder='nginx /etc/nginx/nginx.conf /var/lib/redis/dump.rdb'
nginx_prepare() {
  rm -rf /var/log/nginx /var/lib/nginx
  install -d -o www-data -g adm /var/log/nginx
  install -d -o www-data -g root /var/lib/nginx
  [[ -e /var/www/html/index.html ]] || { install -d /var/www/html && echo 'a page' >/var/www/html/index.html; }
}
nginx_load() {
  until_true 30 http 80 / >/dev/null || return 1
  for _ in {1..30}; do http 80 / >/dev/null; done
  http 80 /missing >/dev/null
  local before
  before=$(nginx_workers)
  kill -HUP "$(cat /run/nginx.pid)"
  until_true 60 nginx_has_renewed "$before" || return 1
  http 80 /
  kill -USR1 "$(cat /run/nginx.pid)"
  sleep 1
  http 80 / >/dev/null
}
nginx_workers() { pgrep -P "$(cat /run/nginx.pid)" nginx | sort | tr '\n' ' '; }
# A worker that is about to end gets its orders by kill(2), where others get them by message: whether that is seen would be up to chance.
nginx_has_renewed() {
  local now old
  now=$(nginx_workers)
  for old in $1; do [[ " $now" != *" $old "* ]] || return 1; done
  [[ $(wc -w <<<"$now") == "$(wc -w <<<"$1")" ]]
}
nginx_stop() { kill -QUIT "$1"; }

webapp_user=webapp
webapp_command=(/usr/bin/python3 /srv/webapp/app.py)
webapp_probe=(/usr/bin/python3 /srv/webapp/app.py)
webapp_may=''
webapp_intruder='python3 /srv/webapp/app.py /var/lib/redis/dump.rdb'
webapp_prepare() {
  id webapp >/dev/null 2>&1 || useradd --system --no-create-home webapp
  install -d /srv/webapp
  install -d -o webapp -g webapp /srv/webapp/data
  cat >/srv/webapp/app.py <<'PY'
import http.server, os, signal, sqlite3, subprocess, sys, tempfile, threading
base = "/srv/webapp/data"

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with sqlite3.connect(base + "/visits.db") as db:
            db.execute("create table if not exists visits (path text)")
            db.execute("insert into visits values (?)", (self.path,))
            count = db.execute("select count(*) from visits").fetchone()[0]
        with tempfile.NamedTemporaryFile("w", dir=base, delete=False) as page:
            page.write(f"visit {count}\n")
        os.rename(page.name, base + "/page.txt")
        body = open(base + "/page.txt", "rb").read() + subprocess.run(["/usr/bin/id", "-u"], capture_output=True).stdout
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, form, *values):
        with open(base + "/access.log", "a") as log:
            log.write(form % values + "\n")

server = http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
PY
}
webapp_load() {
  until_true 60 http 8080 / >/dev/null || return 1
  for _ in {1..20}; do http 8080 /page >/dev/null; done
  http 8080 /
}
webapp_stop() { kill -TERM "$1"; }

pool_user=root
pool_command=(/usr/local/sbin/pool)
pool_probe=(/usr/local/sbin/pool)
pool_may=''
pool_intruder='pool /etc/pool.conf /var/lib/redis/dump.rdb'
pool_prepare() {
  echo 2 >/etc/pool.conf
  rm -f /run/pool
}
# pool_has STRAINS: by now
pool_has() { [[ $(sed -n 2p /run/pool) == "$1" ]]; }
pool_load() { until_true 30 pool_has 0; }
pool_strain() {
  kill -USR1 "$(head -n 1 /run/pool)"
  until_true 60 pool_has 1
}
pool_stop() { kill -TERM "$(head -n 1 /run/pool)"; }

chores_user=root
chores_command=(/usr/local/sbin/chores)
chores_probe=(/usr/local/sbin/chores)
chores_may='execute-shell'
chores_intruder='bash /etc/chores.conf /var/lib/redis/dump.rdb'
chores_prepare() {
  install -d /var/lib/chores /usr/local/sbin
  echo 'keep=3' >/etc/chores.conf
  cat >/usr/local/sbin/chores <<'SH'
#!/bin/bash
set -eu
source /etc/chores.conf
cd /var/lib/chores
mkdir -p day/one day/two
date +%s >day/one/now
printf '%s\n' c a b | sort >day/one/sorted
cp day/one/sorted day/two/copy
mv day/two/copy day/two/moved
ln -sf moved day/two/link
cat day/two/link | tr a-z A-Z >day/two/upper
grep -c A day/two/upper
sed -i s/A/Z/ day/two/upper
cut -c1 day/two/upper | uniq | head -n 1
wc -l day/one/sorted
chmod 600 day/one/now
touch day/one/mark
find day -type f -newer /etc/chores.conf | sort
du -s day >/dev/null
tar czf day.tar.gz day
gzip -dc day.tar.gz | wc -c >/dev/null
sha256sum day/one/sorted
stat -c %a day/one/now
ls -l day/two >/dev/null
df . >/dev/null
basename "$PWD"
sleep 0.1
rm -r day
SH
  chmod 755 /usr/local/sbin/chores
}
chores_load() { :; }
chores_stop() { :; }

postgres_user=postgres
postgres_command=(/usr/local/sbin/database)
# Not to look for the database: root cannot enter its folder in the domain.
postgres_probe=(/usr/local/sbin/database serve)
postgres_may='execute-shell' # initdb(1) runs the server by popen(3)
postgres_intruder='postgres /etc/database/pg_hba.conf /var/lib/redis/dump.rdb'
postgres_programs=/usr/lib/postgresql/15/bin
postgres_prepare() {
  id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
  rm -rf /var/lib/database
  install -d -o postgres -g postgres /var/lib/database
  install -d -o postgres -g postgres /etc/database /run/database
  printf 'local all all trust\nhost all all 127.0.0.1/32 trust\n' >/etc/database/pg_hba.conf
  chown postgres:postgres /etc/database/pg_hba.conf
  cat >/usr/local/sbin/database <<'SH'
#!/bin/sh
# Makes the database where there is none, and serves it.
set -eu
export TZ=UTC LC_ALL=C
cd /var/lib/database
programs=/usr/lib/postgresql/15/bin
[ "${1:-}" = serve ] || [ -e data/PG_VERSION ] ||
  "$programs/initdb" --pgdata=data --auth=trust --encoding=UTF8 --locale=C --no-sync >/dev/null
exec "$programs/postgres" -D data -c port=5432 -c listen_addresses=127.0.0.1 -c unix_socket_directories=/run/database \
  -c hba_file=/etc/database/pg_hba.conf -c shared_buffers=16MB -c jit=off
SH
  chmod 755 /usr/local/sbin/database
}
postgres_query() { "$postgres_programs/psql" -qAtX -h "$1" -U postgres -d postgres -c "$2"; }
postgres_load() {
  until_true 240 postgres_query /run/database 'select 1' >/dev/null || return 1
  postgres_query /run/database 'create table visits (number int primary key, page text)' || return 1
  postgres_query 127.0.0.1 "insert into visits select n, 'page ' || n from generate_series(1, 500) n" || return 1
  postgres_query 127.0.0.1 'create index on visits (page)' || return 1
  postgres_query /run/database 'vacuum analyze visits' || return 1
  postgres_query /run/database 'checkpoint' || return 1
  kill -HUP "$(head -n 1 /var/lib/database/data/postmaster.pid)"
  [[ $(postgres_query 127.0.0.1 'select sum(number) from visits') == 125250 ]] || return 1
  postgres_query /run/database 'drop table visits'
  postgres_query /run/database 'show server_version'
}
postgres_stop() { kill -INT "$(head -n 1 /var/lib/database/data/postmaster.pid)"; }

dropbear_user=root
dropbear_command=(dropbear -F -E -s -p 127.0.0.1:2222 -P /run/login.pid -r /etc/login/host_key)
dropbear_probe=(dropbear -F -E -s -p 127.0.0.1:2222 -P /run/login.pid -r /etc/login/host_key)
dropbear_may='read-shadow execute-shell' # it lets users in
dropbear_intruder='dropbear /etc/login/host_key /var/lib/redis/dump.rdb'
dropbear_prepare() {
  id guest >/dev/null 2>&1 || useradd --system --no-create-home --home-dir /srv/guest --shell /bin/bash guest
  rm -rf /srv/guest /etc/login
  install -d /etc/login
  install -d -o guest -g guest /srv/guest /srv/guest/.ssh
  dropbearkey -t ed25519 -f /etc/login/host_key >/dev/null 2>&1
  dropbearkey -t ed25519 -f /etc/login/guest_key 2>/dev/null | grep '^ssh-ed25519 ' >/srv/guest/.ssh/authorized_keys
  chown guest:guest /srv/guest/.ssh/authorized_keys
  chmod 600 /srv/guest/.ssh/authorized_keys
  # Whether sessions are written down should not be up to what is there.
  rm -f /var/log/wtmp /var/log/lastlog /run/utmp
}
dropbear_login() { dbclient -y -y -p 2222 -i /etc/login/guest_key "$@" </dev/null; }
dropbear_load() {
  until_true 60 dropbear_login guest@127.0.0.1 true || return 1
  for _ in {1..3}; do dropbear_login guest@127.0.0.1 'cd; echo day >>notes; cat notes >/dev/null' || return 1; done
  [[ $(dropbear_login guest@127.0.0.1 'whoami') == guest ]] || return 1
  # With a terminal of its own.
  script -qec "dbclient -t -y -y -p 2222 -i /etc/login/guest_key guest@127.0.0.1 'tty && stty size'" /dev/null </dev/null | grep /dev/pts/
}
dropbear_stop() { kill -TERM "$1"; }
