#!/bin/bash
# file_sizes.sh TREE: names every source file of more than 700 lines; exit 1 if there is one. Data tables belong in policies/.
set -euo pipefail
cd "${1:?usage: file_sizes.sh TREE}"
limit=700
status=0
while read -r lines file; do
  if ((lines > limit)) && [[ $file != total ]]; then
    echo "$file: $lines lines, over $limit: split it by what its parts do"
    status=1
  fi
done < <(find common model observe tracer generator runtime cli bench tests dev -type f \
  \( -name '*.cc' -o -name '*.h' -o -name '*.c' -o -name '*.sh' -o -name dev \) -print0 | sort -z | xargs -0 wc -l)
exit $status
