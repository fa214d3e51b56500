#!/bin/sh
# A script as containers run them at start: pipes, files, links, background jobs, signals, here-documents. FOLDER is the current one.
set -eu
mkdir -p tree/sub
for i in 1 2 3 4 5; do echo "line $i" >"tree/file$i"; done
cat tree/file* | grep -v 3 | sort -r | sed 's/line/row/' >rows
wc -l <rows
cp tree/file1 tree/sub/copy
mv tree/sub/copy tree/sub/moved
ln -s moved tree/sub/link
ln tree/file2 tree/sub/hard
chmod 600 tree/sub/moved
touch -d '2024-01-01 00:00:00' tree/sub/moved
ls -l tree/sub >/dev/null
find tree -type f | sort | xargs md5sum >sums
md5sum -c sums >/dev/null
tar -czf tree.tar.gz tree
rm -r tree
tar -xzf tree.tar.gz
cat tree/sub/link
sleep 5 &
sleep 0.3 # or it is killed before it sleeps, and nobody learns how
kill $!
wait $! || echo "ended with $?"
sleep 1 &
wait $! # for what has not ended yet, which takes rt_sigsuspend(2)
trap 'echo trapped' USR1
kill -USR1 $$
dd if=/dev/zero of=zeros bs=1024 count=64 2>/dev/null
head -c 10 /dev/urandom | wc -c
(cd tree && pwd >/dev/null)
test -d tree && [ -f zeros ]
id -u >/dev/null
date +%Y >/dev/null
df . >/dev/null
ps >/dev/null
read -r first <<TEXT
here $(printf document)
TEXT
echo "$first"
rm -r tree tree.tar.gz rows sums zeros
echo "work done"
