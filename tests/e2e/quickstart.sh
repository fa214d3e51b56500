#!/bin/bash
# quickstart.sh BUILD_DIR: what `./dev quickstart` shows: Debian's nginx learned, its policy generated and held to, and an attempt refused.
# Leaves its files in /var/tmp/cordon-quickstart.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
# shellcheck source=tests/testing/servers.sh
source "$here/../testing/servers.sh"

kept=/var/tmp/cordon-quickstart
if [[ -L $kept || (-e $kept && ! -O $kept) ]]; then
  die "$kept belongs to somebody else: remove it and try again"
fi
rm -rf "$kept"
mkdir -p "$kept"
chmod 755 "$kept"

recording=$kept/nginx.recording.json policy=$kept/nginx.policy server_folder=$kept/server

heading() { printf '\n== %s\n' "$*"; }
# The command as a person would type it.
show() { printf '$ %s\n' "$*"; }
indent() { sed 's/^/    /'; }

# up LOG COMMAND…: nginx in the background, until it answers.
up() {
  local log=$1 limit=$((SECONDS + 30))
  shift
  start_server "$log" "$@"
  until nginx_works "$port"; do
    die_if_ended nginx "$log" "$server_folder/logs/error.log"
    ((SECONDS < limit)) || die "nginx does not answer on port $port; see $log"
    sleep 0.1
  done
}

port=$(free_port)
nginx_files "$server_folder" "$port"
((EUID == 0)) || sed -i '/^user /d' "$server_folder/nginx.conf"
nginx_command "$server_folder"
# shellcheck disable=SC2153  # set by nginx_command
nginx=("${command[@]}")

heading "1. Learn: nginx serves under load on 127.0.0.1:$port while cordon watches"
show "cordon profile -o $recording -- ${nginx[*]}"
up "$kept/learn.log" "${cordon:?}" profile -o "$recording" -- "${nginx[@]}"
nginx_load "$port" || die "nginx does not serve under cordon profile; see $kept/learn.log"
wrk -t1 -c8 -d2s "http://127.0.0.1:$port/" | grep -E 'requests in|Requests/sec' | indent
nginx_stop "$server_folder"
wait_for "the end of cordon profile" 30 gone "$server"
[[ -s $recording ]] || die "no recording was written; see $kept/learn.log"
indent <"$kept/learn.log"

heading "2. Generate: what it did becomes what it may do"
show "cordon generate $recording -o $policy"
"$cordon" generate "$recording" --name nginx --runtime cordon -o "$policy" 2>&1 | indent

heading "3. Enforce: the same nginx, held to it"
show "cordon run --policy $policy -- ${nginx[*]}"
rm -f "$server_folder/logs/nginx.pid"
up "$kept/run.log" "$cordon" run --policy "$policy" -- "${nginx[@]}"
page=$(fetch "$port" /)
[[ $page == *"200 OK"* && $page == *"served by nginx"* ]] || die "nginx did not serve the page: $page"
indent <<<"$page"
stop_pid "$server"
indent <"$kept/run.log"

heading "4. Refuse: somebody slips a module into nginx; it tries a raw socket, a shell and /etc/shadow"
nginx_intrude "$server_folder"
show "nginx …                                 # without a policy"
rm -f "$server_folder/logs/nginx.pid"
up "$kept/free.log" "${nginx[@]}"
stop_pid "$server"
indent <"$kept/free.log"
[[ $(cat "$kept/free.log") == *"raw_socket ok"* ]] || die "the attempt was not made; see $kept/free.log"
show "cordon run --policy $policy -- nginx …  # held to its policy"
rm -f "$server_folder/logs/nginx.pid"
up "$kept/refused.log" "$cordon" run --policy "$policy" -- "${nginx[@]}"
nginx_works "$port" || die "nginx does not serve any more"
stop_pid "$server"
indent <"$kept/refused.log"
[[ $(cat "$kept/refused.log") != *" ok"* ]] || die "an attempt was not refused; see $kept/refused.log"
echo "    … and the page was served all the same."

heading "The files"
show "ls $kept $policy"
(cd "$kept" && find . -maxdepth 2 -type f -not -path './server/*' | LC_ALL=C sort) | indent
echo
echo "quickstart: ok: nginx was learned, held to what it did, and stopped doing anything else; the files are in $kept"
