#!/bin/bash
# include_rules.sh TREE: prints every #include in TREE that the architecture (docs/architecture.md) does not allow; exit 1 if there is one.
set -euo pipefail
cd "${1:?usage: include_rules.sh TREE}"

# folder -> the folders that it may include
declare -A may=(
  [common]='common'
  [policies]='policies'
  [model]='model common policies/embedded.h policies/syscall_rows.inc'
  [observe]='observe model common'
  [tracer]='tracer observe model common'
  [runtime]='runtime observe model common'
  [generator]='generator model common policies/embedded.h'
  [cli]='cli common model observe tracer generator runtime policies/embedded.h'
)

# header (a glob) -> the files (globs) that may include it
declare -A only=(
  ['seccomp.h']='model/architecture.cc model/syscall*.cc model/seccomp_compiler.cc'
  ['sepol/*']='generator/selinux_check.cc generator/selinux_check_*.cc'
  ['selinux/*']='generator/file_labels.cc generator/label_reader.cc runtime/selinux_label.cc'
  ['sys/ptrace.h']='tracer/kernel.cc tracer/wait_status.cc'
  ['linux/ptrace.h']='tracer/kernel.cc tracer/wait_status.cc'
  ['nlohmann/*']='*_json.cc *_json_*.cc model/json_cursor.h model/json_cursor.cc generator/*.cc cli/*.cc generator/report/report_value.h'
  ['CLI/*']='cli/*'
  ['ctemplate/*']='generator/report/report_page.cc'
)

# matches TEXT GLOB…
matches() {
  local text=$1 glob
  shift
  for glob in "$@"; do
    # shellcheck disable=SC2053  # a glob on purpose
    [[ $text == $glob ]] && return 0
  done
  return 1
}

status=0
complain() {
  echo "$1: $2"
  status=1
}

set -f
while IFS=: read -r file line text; do
  # Not by a program: there are thousands of lines.
  [[ $text =~ ^[[:space:]]*#[[:space:]]*include[[:space:]]*[\<\"]([^\>\"]*)[\>\"] ]] && header=${BASH_REMATCH[1]} || header=
  folder=${file%%/*}
  target=${header%%/*}
  if [[ -n ${may[$target]:-} && $header == */* ]]; then
    allowed=no
    for entry in ${may[$folder]}; do
      [[ $entry == "$target" || $entry == "$header" ]] && allowed=yes
    done
    [[ $allowed == yes ]] || complain "$file:$line" "$folder may not include $header (allowed: ${may[$folder]})"
  elif [[ $target == tests || $target == bench ]]; then
    complain "$file:$line" "the product may not include $header"
  fi
  for glob in "${!only[@]}"; do
    # shellcheck disable=SC2086  # a list of globs
    if matches "$header" "$glob" && ! matches "$file" ${only[$glob]}; then
      complain "$file:$line" "<$header> may be included only in: ${only[$glob]}"
    fi
  done
done < <(
  for folder in "${!may[@]}"; do
    grep -rnE --include='*.cc' --include='*.h' '^[[:space:]]*#[[:space:]]*include' "$folder" || true
  done
)
exit $status
