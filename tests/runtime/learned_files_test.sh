#!/bin/bash
# learned_files_test.sh BUILD_DIR: what a workload did with files it may do again, held to its policy; one thing more it may not.
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
cordon=${cordon:?}
cd "$work"
mkdir a b
echo given >given
cat >workload.sh <<'SCRIPT'
set -e
cat given /etc/hostname >/dev/null
echo x >a/one
mv a/one b/two
ln b/two b/three
ln b/two a/link
rm a/link b/three b/two
mkdir a/dir
echo y >a/dir/file
mv a/dir/file a/moved
mv a/dir b/dir
ls b/dir
rm -r b/dir a/moved
mkfifo a/fifo
rm a/fifo
ln -s x a/symlink
rm a/symlink
chmod 700 a
echo t >/tmp/cordon-learned
mv /tmp/cordon-learned /tmp/cordon-learned2
cat /tmp/cordon-learned2
rm /tmp/cordon-learned2
[ -z "$1" ] || eval "$1" 2>/dev/null
SCRIPT
"$cordon" profile -o recording.json -- sh workload.sh >/dev/null
"$cordon" generate recording.json --name learned --runtime cordon -o learned.policy 2>/dev/null
held() { "$cordon" run --policy learned.policy -- sh workload.sh "$@"; }

output=$(held 2>stderr) || die "what was learned does not work any more: $(cat stderr)"
expect_equal "everything that was learned works, held to the policy" t "$output"
expect_missing "and nothing of it is reported" refused "$(cat stderr)"
expect_equal "and nothing of it is left" "" "$(find a b -mindepth 1)"
ls /tmp/cordon-learned* 2>/dev/null && die "the host's /tmp was written"
ok "the host's /tmp was not touched"

# refused WHAT COMMAND: works when it is not held, and fails when it is
refused() {
  sh workload.sh "$2" >/dev/null || die "control: $1 does not work at all"
  if held "$2" >/dev/null 2>&1; then
    die "$1 was not refused"
  fi
  ok "$1 is refused"
}
refused "reading a file outside what was seen" 'cat /etc/fstab >/dev/null || cat /etc/services >/dev/null || cat /etc/shells >/dev/null'
refused "making a file where none was made" "echo x >$work/new"
refused "listing a folder that was not listed" 'ls /etc >/dev/null'
refused "executing what was not executed" '/usr/bin/id >/dev/null'
[[ ! -e $work/new ]] || rm -f "$work/new"
"$cordon" run --policy learned.policy -- sh workload.sh "echo x >$work/new" >/dev/null 2>&1 || true
[[ ! -e $work/new ]] || die "a refused file was made all the same"
ok "and nothing was made"
echo "ok: $checks checks"
