# shellcheck shell=bash
# nginx and redis as Debian ships them, in folders of their own on ports of their own. Needs harness.sh.
# A server here is: SERVER_files FOLDER PORT writes what it needs; SERVER_command FOLDER fills the array $command with what starts it in
# the foreground; SERVER_load PORT asks it for everything that its policy shall allow; SERVER_stop FOLDER PORT ends it in good order;
# SERVER_intrude FOLDER PORT makes it load victims/intruder.so.

nginx_files() {
  local folder=$1 port=$2
  mkdir -p "$folder"/{html,logs,temp}
  chmod 755 "$folder" "$folder/html"
  printf '<!doctype html><title>cordon</title><p>served by nginx\n' >"$folder/html/index.html"
  head -c 200000 /dev/zero | tr '\0' x >"$folder/html/large.txt"
  cat >"$folder/nginx.conf" <<CONF
user www-data;
worker_processes 2;
pid $folder/logs/nginx.pid;
error_log $folder/logs/error.log notice;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  access_log $folder/logs/access.log;
  client_body_temp_path $folder/temp/body;
  proxy_temp_path $folder/temp/proxy;
  fastcgi_temp_path $folder/temp/fastcgi;
  uwsgi_temp_path $folder/temp/uwsgi;
  scgi_temp_path $folder/temp/scgi;
  sendfile on;
  keepalive_timeout 5;
  server {
    listen 127.0.0.1:$port;
    root $folder/html;
  }
}
CONF
}

nginx_command() {
  # shellcheck disable=SC2034  # for the caller
  command=(/usr/sbin/nginx -p "$1" -c "$1/nginx.conf" -e "$1/logs/error.log" -g 'daemon off;')
}

nginx_load() {
  local port=$1 page
  fetch "$port" / >/dev/null
  fetch "$port" /large.txt >/dev/null
  fetch "$port" /missing >/dev/null
  page=$(wrk -t1 -c8 -d2s "http://127.0.0.1:$port/")
  [[ $page == *"Requests/sec"* && $page != *"Socket errors"* && $page != *"Non-2xx"* ]] || {
    echo "$page"
    return 1
  }
}

nginx_works() { [[ $(fetch "$1" / 2>/dev/null) == *"served by nginx"* ]]; }

# As the sandbox is stopped later: a quick stop and a graceful one make different calls.
nginx_stop() { stop_by_file "$1/logs/nginx.pid" TERM; }

# The master process reads a changed configuration at start.
nginx_intrude() {
  cp "${victims:?}/intruder.so" "$1/logs/intruder.so"
  local before
  before=$(cat "$1/nginx.conf")
  # Written in place: a file rule follows the inode.
  printf 'load_module %s/logs/intruder.so;\n%s\n' "$1" "$before" >"$1/nginx.conf"
}

redis_files() {
  local folder=$1 port=$2
  mkdir -p "$folder/data"
  chmod 755 "$folder"
  cat >"$folder/redis.conf" <<CONF
bind 127.0.0.1
port $port
dir $folder/data
pidfile $folder/data/redis.pid
appendonly yes
save 3600 1
daemonize no
enable-module-command yes
CONF
}

redis_command() {
  # shellcheck disable=SC2034  # for the caller
  command=(/usr/bin/redis-server "$1/redis.conf")
}

redis_load() {
  local port=$1
  redis-benchmark -p "$port" -q -n 2000 -c 8 -t ping,set,get,incr,lpush,hset >/dev/null
  redis-cli -p "$port" SAVE >/dev/null
  redis-cli -p "$port" INFO >/dev/null
}

redis_works() { [[ $(redis-cli -p "$1" SET key value 2>/dev/null) == OK ]]; }

redis_stop() { redis-cli -p "$2" SHUTDOWN SAVE >/dev/null 2>&1 || true; }

redis_intrude() {
  cp "${victims:?}/intruder.so" "$1/data/intruder.so"
  redis-cli -p "$2" MODULE LOAD "$1/data/intruder.so" >/dev/null 2>&1 || true
}

# stop_by_file PIDFILE SIGNAL
stop_by_file() {
  [[ -s $1 ]] || return 0
  kill -"$2" "$(cat "$1")" 2>/dev/null || true
}
