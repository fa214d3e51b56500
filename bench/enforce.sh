#!/bin/bash
# enforce.sh BUILD_DIR [ROUNDS [SECONDS]]: throughput of servers by themselves, in a sandbox without a policy, held to what was learned of them,
# and held in two phases, in turns; medians. And what a call costs that the policy allows, with and without a listener.
set -euo pipefail
build=$(cd "${1:?usage: enforce.sh BUILD_DIR [ROUNDS [SECONDS]]}" && pwd)
rounds=${2:-5} seconds=${3:-4}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../tests/testing/harness.sh" "$build"
# shellcheck source=tests/testing/servers.sh
source "$here/../tests/testing/servers.sh"
# shellcheck source=tests/testing/more_servers.sh
source "$here/../tests/testing/more_servers.sh"
cordon=${cordon:?}
need_root
chmod 777 "$work"
declare -A figures
sandbox=

tell() {
  if [[ -n $sandbox ]]; then
    "${as[@]}" "$cordon" kill "$sandbox" -s "$1"
  elif [[ $way == learn ]]; then
    kill -"$1" "$(pgrep -P "$server" | head -1)"
  else
    kill -"$1" "$server"
  fi
}

# up COMMAND…: starts it, and waits until it answers and its start is over.
up() {
  rm -f "$folder"/logs/*.pid
  start_server "$work/log" "${as[@]}" "$@"
  wait_for "$name" 60 "${name}_works" "$port"
  sleep 0.5
  [[ $* != *"--serving-when signal:USR1"* ]] || kill -USR1 "$server"
}

down() {
  tell "$end"
  wait_for "the end of $name" 60 gone "$server"
}

for name in ${SERVERS:-nginx redis postgres python}; do
  declare -n as=${name}_as serves=${name}_serves end=${name}_end
  port=$(free_port) folder=$work/$name sandbox='' way=learn
  "${name}_files" "$folder" "$port"
  "${name}_command" "$folder"
  for file in first again; do # the second start finds what the first has left
    up "$cordon" profile --quiet -o "$work/$name.$file.json" --serving-when "$serves" -- "${command[@]}"
    "${name}_load" "$port"
    "${name}_measure" "$port" 1 >/dev/null
    down
  done
  "$cordon" generate "$work/$name".{first,again}.json --name "bench_$name" --runtime cordon -o "$work/$name.policy" 2>/dev/null
  chmod -R a+rX "$work/$name.policy"
  # The sandbox without a policy has the same namespaces and mounts, and the folder of the server is writable. An ordinary user is root in it,
  # which postgres refuses to be: it is compared with itself outside.
  for ((round = 0; round < rounds; round++)); do
    for way in bare sandbox policy two-phases; do
      sandbox=''
      [[ $way != sandbox || $name != postgres ]] || continue
      case $way in
        bare) up "${command[@]}" ;;
        sandbox) sandbox=bench-$$ && up "$cordon" run --name "$sandbox" --network host --volume "$folder:$folder" -- "${command[@]}" ;;
        policy) sandbox=bench-$$ && up "$cordon" run --name "$sandbox" --network host --policy "$work/$name.policy" -- "${command[@]}" ;;
        two-phases) sandbox=bench-$$ && up "$cordon" run --name "$sandbox" --network host --policy "$work/$name.policy" --serving-when "$serves" -- "${command[@]}" ;;
      esac
      figures[$name $way]+=" $("${name}_measure" "$port" "$seconds")"
      ! grep "cordon: refused" "$work/log" || die "$name was refused something"
      down
    done
  done
done

median() { tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
printf '%-12s%14s%14s%14s%14s%26s%26s\n' "ops/s" bare sandbox policy "two phases" "policy of sandbox" "two phases of sandbox"
for name in ${SERVERS:-nginx redis postgres python}; do
  row=()
  for way in bare sandbox policy two-phases; do row+=("$(median "${figures[$name $way]:-${figures[$name bare]}}")"); done
  awk -v n="$name" -v a="${row[0]}" -v b="${row[1]}" -v c="${row[2]}" -v d="${row[3]}" \
    'BEGIN { printf "%-12s%14.0f%14.0f%14.0f%14.0f%25.1f%%%25.1f%%\n", n, a, b, c, d, 100 * c / b, 100 * d / b }'
done
