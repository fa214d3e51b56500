#!/bin/bash
# browser_test.sh BUILD_DIR: the page of `cordon report` in a headless Chromium, at the width of a desk and of a phone, light and dark: no
# complaint, nothing loaded, and search, filters, folding and the keyboard do what they say. With AXE=/path/to/axe.min.js (npm's axe-core)
# it is also checked for what keeps people out.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_programs /usr/bin/python3
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
  skip "no Chromium is installed"
cd "$work"

cat >many.py <<'PYTHON'
import os, sys
for a in range(10):
    for b in range(20):
        os.makedirs(f"tree/shard-{a}/{b}")
        for c in range(20):
            open(f"tree/shard-{a}/{b}/entry-{c}.json", "w").close()
os.makedirs("tree/<")
for name in ["</script>", "<img src=x onerror=alert(1)>", "<script>alert(1)<_script>", "line\nbreak", "sep\u2028arator", "{{DATA}}"]:
    open("tree/" + name, "w").close()
open(b"tree/\xff\xfe", "w").close()
try:
    os.stat("tree/nowhere")
except OSError:
    pass
PYTHON
"${cordon:?}" profile -o many.json -- /usr/bin/python3 many.py >/dev/null 2>&1
"$cordon" profile -o cat.json -- cat /etc/hostname >/dev/null 2>&1
"$cordon" generate many.json --name many --target refpolicy-debian12 -o many.policy 2>/dev/null
[[ -s many.policy/report.html ]] || die "generate wrote no report"
"$cordon" report many.json -o many.html 2>/dev/null
"$cordon" report many.json cat.json -o two.html 2>/dev/null
/usr/bin/python3 "$here/pages.py" many.policy/report.html many.html two.html || die "see above"
ok "the pages work in a browser"
