#!/bin/bash
# The rule checker must catch what it is there for: each line below is one forbidden include that it has to name, beside one allowed one.
set -euo pipefail
checker=$(dirname "${BASH_SOURCE[0]}")/include_rules.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree"/{common,model,observe,tracer,generator,runtime,policies,cli}

echo '#include "model/syscall.h"' >"$tree/tracer/good.cc"
echo '#include <nlohmann/json.hpp>' >"$tree/model/good_json.cc"
"$checker" "$tree" || { echo "allowed includes were refused"; exit 1; }

failures=0
while read -r file include; do
  echo "#include $include" >"$tree/$file"
  if output=$("$checker" "$tree"); then
    echo "not caught: $file includes $include"
    failures=$((failures + 1))
  elif [[ $output != *"$file:1:"* ]]; then
    echo "caught, but not named: $file includes $include: $output"
    failures=$((failures + 1))
  fi
  rm "$tree/$file"
done <<'CASES'
common/bad.cc "model/syscall.h"
model/bad.h "generator/bundle.h"
tracer/bad.cc "runtime/sandbox.h"
runtime/bad.cc "tracer/recorder.h"
generator/bad.cc "observe/path.h"
generator/bad.cc "cli/command.h"
observe/bad.cc "tracer/kernel.h"
model/bad.cc "tests/testing/temp_dir.h"
model/bad.cc <nlohmann/json.hpp>
runtime/bad.cc <seccomp.h>
runtime/bad.cc <selinux/selinux.h>
generator/bad.cc <sepol/sepol.h>
tracer/bad.cc <sys/ptrace.h>
runtime/bad.cc <CLI/CLI.hpp>
CASES
exit $((failures > 0))
