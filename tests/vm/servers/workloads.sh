# shellcheck shell=bash
# The programs that are learned on a host without SELinux and then run in their domains in the virtual machine: for bash, sourced in both
# places. Of each program NAME there are
#   NAME_prepare           makes its files and folders
#   NAME_command           an array: what is learned, and run in the domain
#   NAME_user              who runs it
#   NAME_load              has it do its work, from outside of its domain
#   NAME_stop PID          ends it in its own way
#   NAME_probe             an array: the same program, which the intruder takes over before its main function
#   NAME_intruder          "PROGRAM CONFIGURATION OTHER": where the intruder strikes, a file of its own that it only reads, another's data
# shellcheck disable=SC2034  # used by those who source this

workloads=(redis nginx webapp chores)

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

chores_user=root
chores_command=(/usr/local/sbin/chores)
chores_probe=(/usr/local/sbin/chores)
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
