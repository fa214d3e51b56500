#!/bin/bash
# build_static.sh BUILD_DIR: builds the preset static, cordon without shared libraries, for the tests that take it into containers. It has
# to be beside BUILD_DIR, as presets are.
set -euo pipefail
: "${1:?usage: build_static.sh BUILD_DIR}"
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
for archive in seccomp sepol selinux md pcre2-8 bz2; do
  printf 'int main(void) { return 0; }' | gcc -x c - -o /dev/null "-l:lib$archive.a" 2>/dev/null || {
    echo "SKIPPED: lib$archive.a is not installed"
    exit 77
  }
done
# What ccache knows of another preset it need not compile again: the same flags, and a folder at the same depth.
export CCACHE_BASEDIR=$source CCACHE_NOHASHDIR=1
cd "$source"
cmake --preset static
cmake --build --preset static --target cordon -j "${CORDON_JOBS:-2}"
