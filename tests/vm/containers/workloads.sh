# shellcheck shell=bash
# What is learned on a host without SELinux and then run in containers in the virtual machine: for bash, sourced in both places. Of each workload
# NAME there are
#   NAME_command           an array: what the container runs
#   NAME_load              has it do its work, from outside of the container, which shares the host's network
#   NAME_may               acts of the intruder that its work needs too; the script's shell is linked statically, and no intruder comes in
# shellcheck disable=SC2034  # used by those who source this

workloads=(nginx redis script)
nginx_command=(/bin/nginx -c /etc/app.conf)
nginx_may='create-file'
redis_command=(/bin/redis-server --dir /data --port 6379 --appendonly yes --save 3600 1)
redis_may='create-file write-configuration rename-file'
script_command=(/bin/sh /work.sh)

# until_true SECONDS COMMAND…
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" 2>/dev/null; do
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
}

# ask PORT TEXT: what the server on that port answers
ask() {
  local fd
  exec {fd}<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf '%b' "$2" >&"$fd"
  timeout 10 cat <&"$fd"
  exec {fd}<&-
}

nginx_ready() { ask 8080 'GET /index.html HTTP/1.0\r\n\r\n' | grep -q welcome; }
nginx_load() {
  until_true 60 nginx_ready || return 1
  for _ in 1 2 3; do nginx_ready || return 1; done
  ask 8080 'GET /none HTTP/1.0\r\n\r\n' | grep -q '404'
}

redis_ready() { ask 6379 'PING\r\nQUIT\r\n' | grep -q PONG; }
redis_load() {
  until_true 60 redis_ready || return 1
  ask 6379 'SET kept 1\r\nLPUSH list a b c\r\nSAVE\r\nBGREWRITEAOF\r\nQUIT\r\n' | grep -q OK || return 1
  sleep 3
  ask 6379 'GET kept\r\nQUIT\r\n' | grep -q '^1' || return 1
  # Ends it in its own way, with a last save.
  ask 6379 'SHUTDOWN SAVE\r\n' >/dev/null
}

script_load() { :; }
