# What Perl programs do: files, processes, pipes, sockets, signals. Prints the same each time.
use strict;
use warnings;
use Cwd;
use Digest::MD5;
use File::Copy;
use File::Find;
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempfile);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes;

make_path('tree/sub');
for my $i (1 .. 5) {
  open my $out, '>', "tree/file$i" or die "open: $!";
  print $out "line $i\n" x $i;
  close $out or die "close: $!";
}
copy('tree/file1', 'tree/sub/copy') or die "copy: $!";
rename 'tree/sub/copy', 'tree/sub/moved' or die "rename: $!";
symlink 'moved', 'tree/sub/link' or die "symlink: $!";
chmod 0600, 'tree/sub/moved' or die "chmod: $!";
utime 0, 0, 'tree/sub/moved' or die "utime: $!";
my $files = 0;
find(sub { $files++ if -f }, 'tree');
print "files $files\n";
my ($handle, $name) = tempfile(DIR => 'tree');
print $handle 'temporary';
close $handle;
truncate $name, 4 or die "truncate: $!";
print -s $name, "\n";

pipe my $reader, my $writer or die "pipe: $!";
my $child = fork // die "fork: $!";
if ($child == 0) {
  close $reader;
  print $writer 'from the child';
  close $writer;
  POSIX::_exit(3);
}
close $writer;
print scalar(<$reader>), "\n";
waitpid $child, 0;
print 'status ', $? >> 8, "\n";
print `echo by a shell`;
system('/bin/true') == 0 or die "true: $?";

my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "listen: $!";
my $client = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->sockport) or die "connect: $!";
my $peer = $server->accept;
syswrite $peer, 'over the loopback';
IO::Select->new($client)->can_read(5);
sysread $client, my $received, 64;
print "$received\n";

my $caught = 0;
local $SIG{ALRM} = sub { $caught++ };
alarm 1;
Time::HiRes::sleep(0.05) until $caught;
my @lines = sort { $b cmp $a } map { "$_ x" } 1 .. 9;
print Digest::MD5::md5_hex("@lines"), "\n";
remove_tree('tree');
print getcwd() ne '' ? "work done\n" : "nowhere\n";
