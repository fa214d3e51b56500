#!/bin/sh
# The host that tests usually run on has no Yama; Debian's kernel has. Under each ptrace_scope cordon traces where the kernel lets it, and says
# otherwise what stands in the way, in one sentence. Scope 3 stays until the next boot, so it comes last, and so does this check.
# shellcheck disable=SC2086  # commands, to be split into words
set -u
cd "$(mktemp -d)" && chmod 777 . || exit 1
scope=/proc/sys/kernel/yama/ptrace_scope
[ -e $scope ] || { echo "SKIPPED: this kernel has no Yama"; exit 77; }
user="setpriv --reuid=65534 --regid=65534 --clear-groups"

# sleeping: starts a process of that user; its pid in $target
sleeping() {
  $user sleep 100 &
  target=$!
  until [ "$(cat /proc/$target/comm 2>/dev/null)" = sleep ]; do sleep 0.05; done
}

# expect STATUS PART COMMAND…: how the command ends and what it says
expect() {
  wanted=$1 part=$2
  shift 2
  rm -f out.json
  "$@" >said 2>&1
  status=$?
  [ $status = "$wanted" ] || { echo "scope $(cat $scope): $*: $status instead of $wanted: $(cat said)"; exit 1; }
  case $(cat said) in
    *"$part"*) ;;
    *) echo "scope $(cat $scope): $*: '$part' is not in: $(cat said)"; exit 1 ;;
  esac
  [ "$wanted" != 125 ] || [ "$(wc -l <said)" = 1 ] || { echo "more than one line: $(cat said)"; exit 1; }
  [ "$wanted" != 125 ] || [ ! -e out.json ] || { echo "a refusal left a recording"; exit 1; }
  echo "ok: scope $(cat $scope): $*: $status $(head -n 1 said)"
}

launch="cordon profile --quiet -o out.json -- true"
sleeping
attach="cordon profile --quiet -o out.json --timeout 300ms --pid $target"
echo 0 >$scope
expect 0 '' $user $launch
expect 0 '' $user $attach
echo 1 >$scope
expect 0 '' $user $launch
expect 125 'kernel.yama.ptrace_scope is 1; run cordon as root, or set it to 0' $user $attach
expect 0 '' $attach
echo 2 >$scope
expect 125 'kernel.yama.ptrace_scope' $user $launch
expect 125 'kernel.yama.ptrace_scope is 2; run cordon as root' $user $attach
expect 0 '' $launch
expect 0 '' $attach
echo 3 >$scope
expect 125 'kernel.yama.ptrace_scope is 3' $attach
expect 125 'kernel.yama.ptrace_scope' $launch
kill $target
