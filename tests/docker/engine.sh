# shellcheck shell=bash
# A Docker engine of our own: Debian's dockerd with its own folders and socket, no bridge and no firewall rules, so that it works beside
# another engine and leaves nothing behind. Needs harness.sh. start_engine sets $docker, an array that is the client's command; $engine_arguments
# are more options for dockerd, $engine_config is its configuration.

# /usr/bin first: a client of another origin on the PATH may speak only to newer engines.
find_client() {
  local candidate
  for candidate in /usr/bin/docker "$(command -v docker || true)"; do
    [[ -x $candidate ]] || continue
    if "$candidate" --host "unix://$engine/docker.sock" version >/dev/null 2>&1; then
      docker=("$candidate" --host "unix://$engine/docker.sock")
      return 0
    fi
  done
  return 1
}

engine_arguments=()
engine_config='{}'

start_engine() {
  local log
  engine=${work:?}/engine
  log=$work/dockerd.log
  mkdir -p "$engine"
  echo "$engine_config" >"$engine/daemon.json"
  # XDG_RUNTIME_DIR and HOME: whatever else dockerd writes stays in our folder too.
  HOME=$engine XDG_RUNTIME_DIR=$engine setsid /usr/sbin/dockerd --config-file "$engine/daemon.json" \
    --data-root "$engine/data" --exec-root "$engine/exec" --pidfile "$engine/docker.pid" \
    --host "unix://$engine/docker.sock" --bridge=none --iptables=false --ip-forward=false --ip-masq=false \
    --storage-driver=vfs --cgroup-parent "/$(basename "$work")" "${engine_arguments[@]}" >"$log" 2>&1 </dev/null &
  engine_pid=$!
  at_end stop_engine
  local limit=$((SECONDS + 60))
  until find_client; do
    alive "$engine_pid" || die "dockerd ended: $(tail -5 "$log")"
    ((SECONDS < limit)) || die "dockerd did not answer within 60 s: $(tail -5 "$log")"
    sleep 0.2
  done
}

stop_engine() {
  local containers mount
  containers=$("${docker[@]}" ps -aq 2>/dev/null)
  # shellcheck disable=SC2086  # one id a line
  [[ -z $containers ]] || "${docker[@]}" rm -f $containers >/dev/null 2>&1
  stop_pid "$engine_pid"
  # containerd is dockerd's child and ends with it; insist if it was killed.
  if [[ -s $engine/exec/containerd/containerd.pid ]]; then
    stop_pid "$(cat "$engine/exec/containerd/containerd.pid")" KILL
  fi
  find /sys/fs/cgroup -depth -type d -path "*/$(basename "$work")*" -exec rmdir {} + 2>/dev/null
  while read -r mount; do
    umount -l "$mount" 2>/dev/null
  done < <(awk -v top="$engine/" 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
}

# make_image NAME PROGRAM…: imports an image of these programs with the libraries they need, the account files, and what Debian's
# packages put below /etc and /usr/share for them.
make_image() {
  local name=$1 tree=$work/image-$1 program library
  shift
  mkdir -p "$tree"/{etc,tmp,proc,sys,dev,run,bin,lib64,mnt,var/tmp,var/log/nginx,var/lib/nginx,usr/share,usr/lib/nginx}
  chmod 1777 "$tree"/{tmp,var/tmp}
  cp /etc/{passwd,group,nsswitch.conf,ld.so.conf} "$tree/etc/"
  cp -r /etc/ld.so.conf.d "$tree/etc/"
  [[ ! -d /etc/nginx ]] || cp -rL /etc/nginx "$tree/etc/" 2>/dev/null || true
  for program in "$@" /bin/dash /usr/bin/unshare /bin/mount /bin/umount /bin/true /bin/cat; do
    install -D "$program" "$tree$program"
    while read -r library; do
      [[ -e $tree$library ]] || install -D "$library" "$tree$library"
    done < <(ldd "$program" 2>/dev/null | grep -o '/[^ ]*')
  done
  ln -sf dash "$tree/bin/sh"
  install -D "${victims:?}/syscall_probe" "$tree/bin/syscall_probe"
  ldconfig -r "$tree"
  tar -C "$tree" -c . | "${docker[@]}" import - "$name" >/dev/null
  rm -rf "$tree"
}
