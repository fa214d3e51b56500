#!/bin/bash
# root_options_test.sh BUILD_DIR: what `run` is told of the root and of who the command is in it: --tmpfs, --volume with its options, --user,
# --workdir, --env, --oom-score-adj, --userns=subids, each seen from inside and, where it can be, from outside.
if ((EUID == 0)) && [[ -z ${CORDON_OWN_MOUNTS:-} ]]; then
  CORDON_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_root
need_programs setpriv busybox newuidmap newgidmap
cordon=${cordon:?} work=${work:?}
install -d -m 700 /run/cordon
mount -t tmpfs -o mode=700 cordon /run/cordon
install -d -o 65534 -g 65534 -m 700 "$work/runtime"
ordinary=(setpriv --reuid 65534 --regid 65534 --clear-groups env "XDG_RUNTIME_DIR=$work/runtime")
run() { "$cordon" run "$@" 2>"$work/said"; }
# refused WHAT STATUS SENTENCE ARGUMENTS…
refused() {
  local what=$1 wanted=$2 sentence=$3 status=0
  shift 3
  "$cordon" run "$@" >/dev/null 2>"$work/said" || status=$?
  expect_equal "$what: refused" "$wanted" $status
  expect_contains "$what: and why" "$sentence" "$(<"$work/said")"
}

root=$work/root
mkdir -p "$root"/{bin,dev,proc,sys,tmp,etc,data}
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in sh id cat ls touch stat mount env pwd wc sleep; do
  ln -s busybox "$root/bin/$applet"
done
printf 'root:x:0:0::/:/bin/sh\nweb:x:33:34::/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nweb:x:34:\nmail:x:8:web,other\n' >"$root/etc/group"
volume=$work/volume
mkdir "$volume"
echo content >"$volume/file"

# --- who the command is
expect_equal "--user NAME has its own group, and those that list it" "uid=33(web) gid=34(web) groups=8(mail)" \
  "$(run --rootfs "$root" --user web -- id)"
expect_equal "--user UID that passwd knows has its group" "33 34" "$(run --rootfs "$root" --user 33 -- sh -c 'id -u; id -g' | xargs)"
expect_equal "--user UID that it does not know has group 0" "1234 0" "$(run --rootfs "$root" --user 1234 -- sh -c 'id -u; id -g' | xargs)"
expect_equal "--user NAME:GROUP" "33 8 8" "$(run --rootfs "$root" --user web:mail -- sh -c 'id -u; id -g; id -G' | xargs)"
refused "a user that is not in the root" 2 "'nobody' is not in the sandbox's /etc/passwd" --rootfs "$root" --user nobody -- id
rm "$root/etc/passwd"
mkfifo "$root/etc/passwd"
refused "a pipe for /etc/passwd" 2 "is not a regular file" --rootfs "$root" --user web -- id
rm "$root/etc/passwd"
ln -s /etc/shadow "$root/etc/passwd"
refused "a link to the host's files" 2 "'web' is not in the sandbox's /etc/passwd" --rootfs "$root" --user web -- id
rm "$root/etc/passwd"

# --- where it starts, and with what
expect_equal "--workdir" /data "$(run --rootfs "$root" --workdir /data -- pwd)"
refused "a --workdir that is not there" 125 "changing to the working directory '/nowhere'" --rootfs "$root" --workdir /nowhere -- pwd
expect_equal "--env wins over the caller's" "new" "$(CORDON_TEST=old run --rootfs "$root" --env CORDON_TEST=new -- sh -c "echo \$CORDON_TEST")"
refused "--env without a value" 2 "expected NAME=VALUE" --rootfs "$root" --env PATH -- pwd

# --- tmpfs and volumes
mounted() { sed -n "s|^[^ ]* [^ ]* [^ ]* [^ ]* $1 \([^ ]*\) .*- \([^ ]*\) .*|\2 \1|p" "$work/mountinfo"; }
run --rootfs "$root" --tmpfs /data:size=1m,mode=700 --volume "$volume:/mnt:ro" --volume "$volume:/tmp:rw,noexec" -- \
  cat /proc/self/mountinfo >"$work/mountinfo" 2>/dev/null && die "the folder /mnt of a read-only root was made"
mkdir "$root/mnt"
run --rootfs "$root" --tmpfs /data:size=1m,mode=700 --volume "$volume:/mnt:ro" --volume "$volume:/tmp:rw,noexec" -- \
  cat /proc/self/mountinfo >"$work/mountinfo" || die "$(<"$work/said")"
expect_contains "--tmpfs is a tmpfs without programs and devices" "tmpfs rw,nosuid,nodev,noexec" "$(mounted /data)"
expect_contains "--volume ro" "ro,nodev" "$(mounted /mnt)"
expect_contains "--volume rw,noexec" "rw,nodev,noexec" "$(mounted /tmp)"
expect_equal "and its mode" 700 "$(run --rootfs "$root" --tmpfs /data:size=1m,mode=700 -- stat -c %a /data)"
refused "an unknown option of a volume" 2 "--volume '$volume:/mnt:shared'" --volume "$volume:/mnt:shared" -- true

# What the host mounts below a volume later is seen with rslave only.
mount --bind "$volume" "$volume"
mount --make-shared "$volume"
at_end umount -R "$volume"
mkdir "$volume/late"
for kind in private rslave; do
  start_server "$work/$kind" "$cordon" run --name "late-$kind" --volume "$volume:/mnt:$kind" -- sleep 1000
  at_end stop_pid "$server" KILL
done
late_begun() { [[ $("$cordon" inspect "late-$1" --field pid 2>/dev/null) -gt 0 ]]; }
wait_for "the first sandbox" 20 late_begun private
wait_for "the second sandbox" 20 late_begun rslave
mount -t tmpfs late "$volume/late"
touch "$volume/late/seen"
expect_equal "private: a later mount of the host is not seen" "" "$("$cordon" exec late-private -- ls /mnt/late)"
expect_equal "rslave: it is" seen "$("$cordon" exec late-rslave -- ls /mnt/late)"
umount "$volume/late"
for kind in private rslave; do
  "$cordon" kill -s KILL "late-$kind"
done

# Recursive read-only: what is mounted below a volume cannot be written either.
mount -t tmpfs below "$volume/late"
expect_contains "ro holds below a volume's own mounts" "Read-only file system" \
  "$("$cordon" run --volume "$volume:/mnt:ro" -- touch /mnt/late/new 2>&1)"
run --volume "$volume:/mnt" -- touch /mnt/late/new || die "control: it can be written without ro: $(<"$work/said")"
umount "$volume/late"

# --- oom_score_adj
expect_equal "--oom-score-adj" 500 "$(run --oom-score-adj 500 -- cat /proc/self/oom_score_adj)"
expect_equal "an ordinary user's, too" 300 \
  "$("${ordinary[@]}" "$cordon" run --oom-score-adj 300 -- cat /proc/self/oom_score_adj 2>"$work/said")"
refused "one beyond the range" 2 "a number from -1000 to 1000" --oom-score-adj 1001 -- true
expect_equal "one that is too low is held at the caller's" "$(</proc/self/oom_score_adj)" \
  "$(setpriv --bounding-set -sys_resource "$cordon" run --oom-score-adj -900 -- cat /proc/self/oom_score_adj 2>"$work/said")"
expect_contains "and that is said" "oom_score_adj is held at" "$(<"$work/said")"

# --- subordinate ids
: >"$work/none"
for file in /etc/subuid /etc/subgid; do
  mount --bind "$work/none" "$file" 2>/dev/null || skip "$file is not there (package uidmap)"
done
refused "no range in /etc/subuid" 2 "/etc/subuid has no range for root: add the line" --userns=subids -- true
umount /etc/subuid /etc/subgid
printf 'nobody:200000:65536\nroot:300000:65536\n' >"$work/subids"
mount --bind "$work/subids" /etc/subuid
mount --bind "$work/subids" /etc/subgid

# outside FIELD: of the sandbox's command, as the host sees it
outside() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$("${caller[@]}" "$cordon" inspect subids --field pid)/status" | cut -f1; }
begun() { [[ $("${caller[@]}" "$cordon" inspect subids --field pid 2>/dev/null) -gt 0 ]]; }
inside() { "${caller[@]}" "$cordon" exec subids -- "$@"; }
subids() {
  start_server "$work/subids.log" "${caller[@]}" "$cordon" run --name subids --userns=subids "$@"
  at_end stop_pid "$server" KILL
  wait_for "the sandbox: $(<"$work/subids.log")" 20 begun
}
over() { "${caller[@]}" "$cordon" kill -s KILL subids && stop_pid "$server" KILL; }

printf 'root:x:0:0::/:/bin/sh\n' >"$root/etc/passwd"
install -m 600 /dev/null "$volume/roots"
caller=(env)
subids --rootfs "$root" --volume "$volume:/data" --volume "$volume:/mnt:idmap" -- sleep 1000
pid=$("$cordon" inspect subids --field pid)
expect_equal "root: what is root inside is nobody's outside" "300000 300000" "$(outside Uid) $(outside Gid)"
expect_equal "root: its maps" "0 300000 65536" "$(xargs <"/proc/$pid/uid_map")"
first=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
expect_equal "root: so is its first process" 300000 "$(sed -n 's/^Uid:[[:space:]]*//p' "/proc/$first/status" | cut -f1)"
expect_equal "root: id inside" 0 "$(inside id -u)"
expect_equal "root: the root file system is root's inside" 0 "$(inside stat -c %u /bin/busybox)"
expect_equal "root: a volume is not" 65534 "$(inside stat -c %u /data/roots)"
expect_equal "root: but one with idmap" 0 "$(inside stat -c %u /mnt/roots)"
inside touch /mnt/made || die "a file in a volume with idmap cannot be made"
expect_equal "root: what is made there is root's outside" 0 "$(stat -c %u "$volume/made")"
inside touch /data/made2 2>/dev/null && die "root inside writes where only the host's root may"
ok "root: a volume of the host's root cannot be written without idmap"
over
refused "idmap without ids to map" 2 "idmap needs root and --userns=subids" --volume "$volume:/mnt:idmap" -- true
refused "a user beyond the range" 2 "user 70000 is beyond the ranges" --userns=subids --rootfs "$root" --user 70000 -- id

caller=("${ordinary[@]}")
subids --user 33:34 -- sleep 1000
pid=$("${caller[@]}" "$cordon" inspect subids --field pid)
expect_equal "ordinary: the maps of newuidmap" "0 65534 1 1 200000 65536" "$(xargs <"/proc/$pid/uid_map")"
expect_equal "ordinary: user 33 inside is of its range outside" "200032 200033" "$(outside Uid) $(outside Gid)"
expect_equal "ordinary: and 33 inside" 33 "$(inside id -u)"
over
subids -- sleep 1000
expect_equal "ordinary: root inside is the caller outside" 65534 "$(outside Uid)"
inside setpriv --reuid 5 --regid 6 --clear-groups true || die "a server inside cannot change to a user of its own"
ok "ordinary: a server inside can change to a user of its own"
over
status=0
"${ordinary[@]}" "$cordon" run -- setpriv --reuid 5 --regid 6 --clear-groups true 2>/dev/null || status=$?
((status != 0)) || die "control: without --userns=subids it cannot"
ok "control: without --userns=subids it cannot"
status=0
"${ordinary[@]}" env PATH="$work" "$cordon" run --userns=subids -- /bin/true 2>"$work/said" || status=$?
expect_equal "without newuidmap: refused" 125 $status
expect_contains "and the package is named" "apt install uidmap" "$(<"$work/said")"
echo "ok: $checks checks"
