#!/bin/bash
# bare_test.sh BUILD_DIR: the package of cpack installs by `dpkg -i` alone on a Debian 12 that has only its base system, and README's loop works there
# with what it installed: nginx is learned, its policy generated, nginx held to it, and another program refused. The base tree is that of
# tests/bare-debian.sh, which says how it is entered, and is kept for the next time.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_root
need_programs cpack debootstrap dpkg-deb
(cd "$build" && cpack -G DEB -B "$work/made" >"$work/cpack" 2>&1) || die "cpack: $(tail -n 3 "$work/cpack")"
deb=$(echo "$work"/made/*.deb)

cat >"$work/loop" <<'LOOP'
#!/bin/bash
# In the tree, as root.
set -euo pipefail
dpkg -i /root/cordon.deb >/dev/null
echo "installed: $(cordon --version), $(command -v cordon cordon-runtime | xargs)"
apt-get -q update >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends nginx-light >/dev/null 2>&1
mkdir -p /run/nginx
ip=127.0.0.1
answer() { (exec 3<>/dev/tcp/$ip/8088; printf 'GET / HTTP/1.0\r\n\r\n' >&3; cat <&3) 2>/dev/null; }
answers() { for _ in {1..100}; do [[ $(answer) != *"Welcome to nginx"* ]] || return 0; sleep 0.2; done; return 1; }
# The network is the host's, where port 80 may be somebody's.
sed -i 's/listen 80 /listen 127.0.0.1:8088 /; /listen \[::\]/d' /etc/nginx/sites-available/default
sed -i 's,^pid .*,pid /run/nginx/nginx.pid;,' /etc/nginx/nginx.conf
cd /root
cordon profile --quiet -- nginx -g 'daemon off;' &
answers
kill -TERM $!
wait $! || true
cordon generate nginx.recording.json 2>&1 | head -n 1
cordon check nginx.policy nginx.recording.json
cordon run --policy nginx.policy -- nginx -g 'daemon off;' 2>/root/run.log &
answers || { cat /root/run.log; exit 1; }
echo "held, it serves"
kill -TERM $!
wait $! || true
! grep 'cordon: refused' /root/run.log
cordon run --policy nginx.policy -- cat /etc/shells >/dev/null 2>&1 && { echo "cat is not refused"; exit 1; }
cordon run -- cat /etc/shells >/dev/null
echo "another program is refused, and runs without the policy"
# A ready policy, as installed.
cordon check /usr/share/cordon/examples/redis/redis.policy /usr/share/cordon/examples/redis/redis.recording.json
echo "the loop is over"
LOOP
chmod 755 "$work/loop"
cp "$deb" "$work/cordon.deb"
(cd "$here/../.." && tests/bare-debian.sh --with "$work/cordon.deb" --with "$work/loop" /root/loop) >"$work/said" 2>&1 || die "$(tail -n 30 "$work/said")"
for line in "installed: cordon " "cordon: wrote 'nginx.policy'" "held, it serves" "another program is refused" "the loop is over"; do
  expect_contains "on the bare Debian: $line" "$line" "$(<"$work/said")"
done
echo "ok: $checks checks"
