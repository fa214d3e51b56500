#!/bin/bash
# report-skips.sh BUILD_DIR: after a ctest run with --output-junit test-results.xml, prints why tests were skipped, and fails when every
# test of a label that ran was skipped: then a whole kind of proof is missing, whatever the rest says.
# CORDON_MAY_SKIP='LABEL…' names labels that may, for a host that is known to lack what they need.
set -euo pipefail

build=${1:?usage: report-skips.sh BUILD_DIR}
results=$build/test-results.xml
if [[ ! -s $results ]]; then
  echo "report-skips: $results is missing: ctest wrote no results" >&2
  exit 1
fi

# "NAME<tab>STATUS" of every test that ctest ran or skipped: skipped, or anything else.
statuses=$(sed -n 's/.*<testcase name="\([^"]*\)".* status="\([a-z]*\)".*/\1\t\2/p' "$results")

status=0
while read -r label; do
  [[ -n $label ]] || continue
  counts=$(
    (cd "$build" && ctest -N -L "^$label\$") | sed -n 's/^ *Test *#[0-9]*: \(.*[^ ]\) *$/\1/p' |
      awk -F'\t' 'NR == FNR { of[$1] = $2; next }
                  { gsub(/&/, "\\&amp;"); gsub(/</, "\\&lt;"); gsub(/>/, "\\&gt;"); gsub(/"/, "\\&quot;") }
                  $1 in of { if (of[$1] == "notrun") skipped++; else ran++ }
                  END { print ran + 0, skipped + 0 }' <(printf '%s\n' "$statuses") -
  )
  read -r ran skipped <<<"$counts"
  if ((skipped > 0)); then
    echo "label $label: $ran ran, $skipped skipped"
  fi
  if ((ran == 0 && skipped > 0)); then
    if [[ " ${CORDON_MAY_SKIP:-} " == *" $label "* ]]; then
      continue
    fi
    echo "report-skips: every test of label '$label' was skipped; CORDON_MAY_SKIP='$label' accepts that" >&2
    status=1
  fi
done < <(cd "$build" && ctest --print-labels | sed -n 's/^  \([^ ].*\)$/\1/p')

grep -ho 'SKIPPED: [^<&]*' "$results" | sort | uniq -c || true
exit $status
