#!/bin/bash
# manual_test.sh BUILD_DIR: every command has a manual page that troff takes without a word, with all options that --help names; and the
# shells that are here complete from the scripts.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/testing/harness.sh
source "$here/../testing/harness.sh"
need_programs groff
man=$build/man

mapfile -t commands < <("$cordon" --help | sed -n '/^Subcommands/,$s/^  \([a-z-]*\) .*/\1/p')
((${#commands[@]} > 20)) || die "--help names only ${#commands[@]} commands"
for command in "${commands[@]}"; do
  page=$man/man1/cordon-$command.1
  [[ -s $page ]] || die "there is no man/$command.roff"
  shown=$(groff -man -Tascii -ww -P-c -P-b -P-u "$page" 2>"$work/words")
  [[ ! -s $work/words ]] || die "troff on $page: $(head -3 "$work/words")"
  while read -r option; do
    grep -qF -- "$option" <<<"$shown" || die "the page of $command does not have $option"
  done < <("$cordon" "$command" --help | grep -oE '^  (-[a-zA-Z],)?--?[a-z-]+' | grep -oE -- '--[a-z-]+')
done
ok "${#commands[@]} manual pages have what --help names"
for page in "$man/man1/cordon.1" "$here/../../man/cordon-recording.5" "$here/../../man/cordon-runtime.1"; do
  groff -man -Tascii -ww -P-c -P-b -P-u "$page" 2>"$work/words" >"$work/shown-${page##*/}"
  [[ ! -s $work/words ]] || die "troff on $page: $(head -3 "$work/words")"
done
for command in "${commands[@]}"; do
  grep -qF "cordon-$command(1)" "$work/shown-cordon.1" || die "cordon(1) does not name $command"
done
ok "cordon(1) and cordon-recording(5) are pages"

for command in exec profile run wait calibrate check; do
  shown=$(groff -man -Tascii -P-c -P-b -P-u "$man/man1/cordon-$command.1" | tr -s ' \n' ' ')
  case $command in
    calibrate | check) expect_contains "cordon $command gives an answer" "EXIT STATUS 0 Done, or the answer is yes" "$shown" ;;
    *) expect_contains "cordon $command ends as the workload" "EXIT STATUS That of the command" "$shown" ;;
  esac
done

# The examples that need no server are what the program takes. Their files are of a program that is here.
mkdir "$work/examples"
cd "$work/examples"
for name in nginx more old new; do
  "$cordon" profile --quiet -o $name.recording.json -- true
done
"$cordon" generate nginx.recording.json --name nginx 2>/dev/null
cp -r nginx.policy old.policy
cp -r nginx.policy new.policy
cp nginx.policy/seccomp.json .
examples=0
while IFS= read -r line; do
  words=${line%% > *} words=${words#cordon }
  case ${words%% *} in
    check | convert | diff | explain | generate | lint | list | report | subset)
      status=0
      eval '"$cordon"' "$words" >out 2>err || status=$?
      ((status < 2)) || die "the example '$line' exits $status: $(cat err)"
      examples=$((examples + 1))
      ;;
  esac
done < <(sed -n '/^\.EX/,/^\.EE/p' "$here"/../../man/*.roff | grep '^cordon ' | sed "s/\\\\-/-/g; s/\\\\(aq/'/g")
((examples >= 9)) || die "only $examples examples were found"
cd "$work"
rm -r "$work/examples"
ok "$examples examples of the manual are what the program takes"

# complete_bash WORD…: what bash offers for the last word.
complete_bash() {
  PATH=$build/bin:$PATH bash --norc -c '
    source "$1"
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    compopt() { :; }
    _cordon
    printf "%s\n" "${COMPREPLY[@]}"' bash "$man/cordon.bash" "$@"
}
expect_equal "bash: commands" "pause profile" "$(complete_bash cordon p | xargs)"
expect_equal "bash: options" "--network" "$(complete_bash cordon run --netw)"
expect_equal "bash: words" "host" "$(complete_bash cordon run --network h)"
mkdir "$work/folder" && touch "$work/a b.json"
expect_equal "bash: folders only" "$work/folder" "$(complete_bash cordon run --policy "$work/")"
expect_contains "bash: a file with a blank" "$work/a b.json" "$(complete_bash cordon show "$work/a")"
expect_contains "bash: the command of a command" "/bin/true" "$(complete_bash cordon run -- /bin/tru)"
expect_equal "bash: no option of another command" "" "$(complete_bash cordon show --netw)"

if command -v zsh >/dev/null; then
  zsh -n "$man/cordon.zsh" || die "zsh cannot read it"
  ok "zsh reads it"
fi
if command -v fish >/dev/null; then
  offered=$(PATH=$build/bin:$PATH fish --no-config -c "source $man/cordon.fish; complete -C 'cordon run --network h'")
  expect_contains "fish: words" "host" "$offered"
  offered=$(PATH=$build/bin:$PATH fish --no-config -c "source $man/cordon.fish; complete -C 'cordon run --netw'")
  expect_contains "fish: options" "--network" "$offered"
fi
