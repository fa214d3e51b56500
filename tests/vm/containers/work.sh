# shellcheck shell=sh
set -e
mkdir -p /tmp/work
cd /tmp/work
echo 'one two three' >words
tr ' ' '\n' <words | sort -r >sorted
chmod 600 sorted
cp sorted copy
mv copy moved
ln -s moved link
wc -l <'link'
tar cf all.tar sorted moved
gzip all.tar
zcat all.tar.gz | tar tf - | grep moved
find /etc /www -name app.conf
sed -i s/one/1/ words
grep -c 1 words
id -u
cat /proc/uptime >/dev/null
rm -r /tmp/work
cat /proc/self/attr/current || true
echo
echo "all done"
