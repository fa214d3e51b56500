# shellcheck shell=bash disable=SC2034  # what is set here is for those who source this
# More of what servers.sh has, for servers that are to live with a policy: postgres and an application in Python, as servers.sh has nginx and
# redis, and for all four SERVER_renew FOLDER PORT, which replaces the files that it reads by rename(2) from outside and rotates its log, as
# certbot, logrotate and a deployment do, and checks that the server takes them; SERVER_measure PORT SECONDS, which prints operations per
# second; SERVER_as, the command that makes it run as its own user, if any; SERVER_serves, what its boundary is (--serving-when). The caller has
# a function tell SIGNAL, which signals the server's first process, and the number of the port in $port.

# replaced FILE [COMMAND…]: FILE by rename, with what COMMAND makes of its content.
replaced() {
  local file=$1
  shift
  "${@:-cat}" <"$file" >"$file.new"
  chown --reference="$file" "$file.new"
  chmod --reference="$file" "$file.new"
  mv "$file.new" "$file"
}

nginx_as=()
nginx_serves=signal:USR1

# rotated FILE COMMAND…: FILE is moved away, and after COMMAND there is a new one.
rotated() {
  local file=$1
  shift
  mv "$file" "$file.1"
  "$@"
  wait_for "a new $file" 30 test -e "$file"
}

nginx_renew() {
  local folder=$1 port=$2
  replaced "$folder/html/index.html" sed "s/served by nginx/served by nginx again and/"
  [[ $(fetch "$port" /) == *"again and"* ]] || die "nginx does not serve the page that took the place of the old one"
  replaced "$folder/nginx.conf"
  tell HUP
  fetch "$port" / >/dev/null
  rotated "$folder/logs/access.log" tell USR1
  # Its workers reopen the log when they come to it: until then they write to the old one.
  wait_for "a line in the new log" 30 nginx_logs_anew "$folder" "$port"
}

nginx_logs_anew() { fetch "$2" / >/dev/null && [[ -s $1/logs/access.log ]]; }

nginx_end=TERM

nginx_measure() { wrk -t1 -c16 -d"$2s" "http://127.0.0.1:$1/" | sed -n 's/^Requests\/sec: *//p'; }

redis_as=()
redis_serves=signal:USR1

redis_renew() {
  local folder=$1 port=$2
  redis-cli -p "$port" SAVE >/dev/null
  replaced "$folder/data/dump.rdb"
  replaced "$folder/redis.conf"
  redis-cli -p "$port" BGREWRITEAOF >/dev/null
  redis-cli -p "$port" BGSAVE >/dev/null
  wait_for "the saving of redis" 30 redis_saved "$port"
  [[ $(redis-cli -p "$port" SAVE) == OK ]] || die "redis does not save any more"
}

redis_saved() { [[ $(redis-cli -p "$1" INFO persistence) == *rdb_bgsave_in_progress:0*aof_rewrite_in_progress:0* ]]; }

redis_end=TERM

redis_measure() {
  redis-benchmark -p "$1" -q --csv -n $(($2 * 20000)) -c 16 -P 1 -t set,get | awk -F'"' '$2 == "GET" || $2 == "SET" { sum += $4; n++ } END { print sum / n }'
}

postgres_bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
postgres_as=(setpriv --reuid postgres --regid postgres --clear-groups env HOME=/var/lib/postgresql)
postgres_serves=signal:USR1

postgres_files() {
  local folder=$1 port=$2
  install -d -o postgres -g postgres "$folder" "$folder/socket"
  "${postgres_as[@]}" "$postgres_bin/initdb" -D "$folder/data" -A trust -U postgres --no-sync >/dev/null
  cat >>"$folder/data/postgresql.conf" <<CONF
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$folder/socket'
fsync = off
shared_buffers = 32MB
logging_collector = on
log_directory = 'log'
log_filename = 'postgres.log'
log_statement = none
CONF
}

postgres_command() {
  # shellcheck disable=SC2034  # for the caller
  command=("$postgres_bin/postgres" -D "$1/data")
}

postgres_sql() { psql -h 127.0.0.1 -p "$1" -U postgres -qAtc "$2" postgres; }

postgres_end=INT

postgres_works() { [[ $(postgres_sql "$1" 'select 6 * 7' 2>/dev/null) == 42 ]]; }

postgres_load() {
  local port=$1
  postgres_sql "$port" 'drop table if exists t; create table t (a int primary key, b text); insert into t select n, repeat(n::text, 50) from generate_series(1, 5000) n; create index on t (b); analyze t; checkpoint' 2>/dev/null
  [[ $(postgres_sql "$port" 'select count(*) from t') == 5000 ]] || return 1
  postgres_sql "$port" 'vacuum full t'
  postgres_sql "$port" 'reindex table t; select pg_switch_wal()' >/dev/null
  pgbench -h 127.0.0.1 -p "$port" -U postgres -i -q postgres >/dev/null 2>&1 || return 1
  pgbench -h 127.0.0.1 -p "$port" -U postgres -c 4 -T 2 postgres >/dev/null 2>&1 || return 1
  pgbench -h 127.0.0.1 -p "$port" -U postgres -S -c 4 -T 1 postgres >/dev/null 2>&1
}

postgres_renew() {
  local folder=$1 port=$2
  # shellcheck disable=SC2016  # the last line, to sed
  replaced "$folder/data/postgresql.conf" sed '$a work_mem = 5MB'
  replaced "$folder/data/pg_hba.conf"
  postgres_sql "$port" 'select pg_reload_conf()' >/dev/null
  wait_for "the new configuration of postgres" 30 postgres_is_renewed "$port"
  rotated "$folder/data/log/postgres.log" postgres_rotates "$port"
  postgres_sql "$port" checkpoint
}

postgres_rotates() { postgres_sql "$1" 'select pg_rotate_logfile()' >/dev/null; }

postgres_is_renewed() { [[ $(postgres_sql "$1" 'show work_mem') == 5MB ]]; }

postgres_measure() {
  pgbench -h 127.0.0.1 -p "$1" -U postgres -S -c 8 -T "$2" postgres 2>/dev/null | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}

python_as=()
python_serves=listen

python_files() {
  local folder=$1 port=$2
  mkdir -p "$folder/data"
  echo "page of python" >"$folder/data/template"
  cat >"$folder/app.py" <<'PY'
import http.server, os, signal, socketserver, sqlite3, subprocess, sys, tempfile, threading
base, port = sys.argv[1], int(sys.argv[2])
log = [open(base + "/app.log", "a", buffering=1)]

signals = {signal.SIGHUP, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
ready = subprocess.run(["/bin/true"]).returncode  # what a start does

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = open(base + "/data/template", "rb").read()
        if self.path == "/visit":
            with sqlite3.connect(base + "/data/visits.db") as db:
                db.execute("create table if not exists visits (path text)")
                db.execute("insert into visits values (?)", (self.path,))
            with tempfile.NamedTemporaryFile("w", dir=base + "/data", delete=False) as page:
                page.write("visited\n")
            os.rename(page.name, base + "/data/last")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, form, *values):
        log[0].write(form % values + "\n")

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    def server_bind(self):  # without a look-up of its own name
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", port

server = Server(("127.0.0.1", port), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
# Waited for, not handled: a handler that runs in another thread wakes nobody.
while signal.sigwait(signals) == signal.SIGHUP:
    log[0] = open(base + "/app.log", "a", buffering=1)
os._exit(0)
PY
}

python_command() {
  # shellcheck disable=SC2034  # for the caller
  command=(/usr/bin/python3 -I "$1/app.py" "$1" "${port:?}")
}

python_end=TERM

python_works() { [[ $(fetch "$1" / 2>/dev/null) == *"page of python"* ]]; }

python_load() {
  local port=$1 page
  for _ in {1..20}; do fetch "$port" /visit >/dev/null; done
  page=$(wrk -t1 -c4 -d2s "http://127.0.0.1:$port/")
  [[ $page == *"Requests/sec"* && $page != *"Socket errors"* && $page != *"Non-2xx"* ]] || {
    echo "$page"
    return 1
  }
}

python_renew() {
  local folder=$1 port=$2
  replaced "$folder/data/template" sed 's/page of python/page of python, new/'
  [[ $(fetch "$port" /) == *"python, new"* ]] || die "the application does not serve the new page"
  rotated "$folder/app.log" tell HUP
}

python_measure() { wrk -t1 -c4 -d"$2s" "http://127.0.0.1:$1/" | sed -n 's/^Requests\/sec: *//p'; }
