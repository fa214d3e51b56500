#!/bin/sh
# A repository's life: commits, branches, a merge, a clone, a push, packing and checking.
set -eu
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1 HOME="$PWD" LC_ALL=C
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
git config --global gc.autoDetach false
git init -q -b main tree
cd tree
for i in 1 2 3; do
  echo "line $i" >"file$i"
  git add .
  git commit -q -m "commit $i"
done
git checkout -q -b side HEAD~1
echo side >side
git add side
git commit -q -m side
git checkout -q main
git merge -q --no-edit side
git log --oneline | wc -l
git diff HEAD~1 --stat
git status --short
git stash list
git tag one
cd ..
git clone -q --bare tree bare.git
git clone -q bare.git copy
cd copy
echo more >>file1
git commit -q -am more
git push -q origin main
git gc -q
git fsck --no-progress
git archive HEAD | tar -t | sort
cd ..
git -C tree pull -q ../bare.git main
cat tree/file1
git -C tree blame -s file1 | wc -l
rm -rf tree copy bare.git .gitconfig
echo "work done"
